import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { load, type Machine, machine } from './machine.js';
import type { PartResult } from './part.js';

/** A run of the suite, as it is kept in `bench/results`. */
export interface SuiteResult {
  readonly date: string;
  readonly isShort: boolean;
  readonly machine: Machine;
  readonly parts: Readonly<Record<string, PartResult & { readonly loadBefore: number; readonly minutes: number }>>;
}

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/** Measures the load around a part. */
export async function timed(run: () => Promise<PartResult>): Promise<SuiteResult['parts'][string]> {
  const loadBefore = load();
  const startedAt = performance.now();
  const result = await run();
  return { ...result, loadBefore, minutes: Number(((performance.now() - startedAt) / 60_000).toFixed(1)) };
}

/** Keeps a run of all parts by its date, any other under a name that git leaves out. */
export function keepResult(
  parts: SuiteResult['parts'],
  isWhole: boolean,
  isShort: boolean,
): { readonly path: string; readonly result: SuiteResult } {
  const date = new Date().toISOString().slice(0, 10);
  const result: SuiteResult = { date, isShort, machine: machine(), parts };
  const name = isWhole && !isShort ? `${date}.json` : `local-${isWhole ? 'short' : Object.keys(parts).join('-')}.json`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    folder + name,
    `${JSON.stringify(result, null, 2).replace(/\[[\d\s.,-]+\]/g, (numbers) => numbers.replace(/\s+/g, ' '))}\n`,
  );
  return { path: `bench/results/${name}`, result };
}

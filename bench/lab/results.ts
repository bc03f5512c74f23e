import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Keeps what was measured; beside what other parts have in the file, where it has a date. Answers with where. */
export function keepResult(
  measured: SuiteResult['parts'],
  isDated: boolean,
  isShort: boolean,
): { readonly path: string; readonly result: SuiteResult } {
  const date = new Date().toISOString().slice(0, 10);
  const name = isDated ? `${date}.json` : `local-${Object.keys(measured).join('-')}.json`;
  const before =
    isDated && existsSync(folder + name) ? (JSON.parse(readFileSync(folder + name, 'utf8')) as SuiteResult) : null;
  const result: SuiteResult = { date, isShort, machine: machine(), parts: { ...before?.parts, ...measured } };
  mkdirSync(folder, { recursive: true });
  writeFileSync(folder + name, `${JSON.stringify(result, null, 2).replace(/\[[\d\s.,-]+\]/g, onOneLine)}\n`);
  return { path: `bench/results/${name}`, result };
}

function onOneLine(numbers: string): string {
  return numbers.replace(/\s+/g, ' ').replace('[ ', '[').replace(' ]', ']');
}

import type { Bar } from './bars.js';
import type { Services } from './services.js';

/** What a part of the suite is given. */
export interface Bench {
  readonly services: Services;
  /** A run of minutes, whose figures are rough. */
  readonly isShort: boolean;
  readonly records?: number | undefined;
  readonly rounds?: number | undefined;
  /** Only contestants whose name begins so. */
  readonly only?: readonly string[] | undefined;
  readonly say: (line: string) => void;
}

/** One row of a part's table, with what each round gave. */
export interface Row {
  readonly name: string;
  readonly [metric: string]: number | string | readonly number[] | undefined;
}

export interface PartResult {
  /** What was measured, in words. */
  readonly setup: string;
  readonly rows: readonly Row[];
  readonly bars: readonly Bar[];
}

export interface Part {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<PartResult>;
}

export function chosen<T extends { readonly name: string }>({ only }: Bench, all: readonly T[]): T[] {
  return all.filter(({ name }) => only === undefined || only.some((start) => name.startsWith(start)));
}

import { expectFunction, expectMs, expectOption } from '../core/options.js';

/** Exponential backoff. */
export interface BackoffOptions {
  /** The wait before the first retry, doubled at each further one. Default 500. */
  readonly firstDelayMs?: number;
  /** The longest wait. Default 30,000. */
  readonly maxDelayMs?: number;
  /** The random share of each wait, 0 to 1, so that many clients do not return at once. Default 0.5. */
  readonly jitter?: number;
  /** Gives numbers in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

export const BACKOFF_DEFAULTS = {
  firstDelayMs: 500,
  maxDelayMs: 30_000,
  jitter: 0.5,
  // Looked up at each call, so that a proof, which replaces it, decides the waits of a flow that gives none.
  random: (): number => Math.random(),
} as const satisfies BackoffOptions;

/** Checks the options of a backoff, which are those of `group`, such as `retry`. Throws `OptionError`. */
export function expectBackoff(options: Required<BackoffOptions>, group = ''): void {
  const { firstDelayMs, maxDelayMs, jitter, random } = options;
  const named = (name: string) => (group === '' ? name : `${group}.${name}`);
  expectMs(named('firstDelayMs'), firstDelayMs);
  expectMs(named('maxDelayMs'), maxDelayMs);
  expectOption(
    named('jitter'),
    jitter,
    typeof jitter === 'number' && jitter >= 0 && jitter <= 1,
    'a number from 0 to 1',
  );
  expectFunction(named('random'), random);
}

/** The wait after this many consecutive failures, from 1 on: doubled each time, up to the longest. */
export function doublingMs(failures: number, firstDelayMs: number, maxDelayMs: number): number {
  return Math.min(maxDelayMs, firstDelayMs * 2 ** Math.min(failures - 1, 31));
}

/** The wait after this many consecutive failures, from 1 on: doubled each time up to the maximum, minus its random share. */
export function backoffMs(
  failures: number,
  { firstDelayMs, maxDelayMs, jitter, random }: Required<BackoffOptions>,
): number {
  return doublingMs(failures, firstDelayMs, maxDelayMs) * (1 - jitter * random());
}

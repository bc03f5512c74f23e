import { defaultMonitor } from '../../core/monitor.js';
import { expectOption, expectWhole, groupWithDefaults, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { checkOptions as checkFrom, type FromOptions, sizeOfValue, type ValueFacts } from '../from/options.js';

type Passed = 'name' | 'window' | 'maxUnacked' | 'sizeOf' | 'drainTimeoutMs' | 'monitor';

/** Makes the record with this sequence number, from 0 on; `random` gives numbers in [0, 1) that the seed and `seq` alone decide. */
export type GenerateRecord<T> = (seq: number, random: () => number) => T;

export interface GenerateOptions<T> extends Pick<FromOptions<T>, Passed> {
  /** How many records a second. `Infinity`: as many as the window takes. Default 1,000. */
  readonly perSecond?: number;
  /** How many at once, at the same mean rate. Default 1. */
  readonly burst?: number;
  /** How many in all; then what is out is settled, and the source completes. Default: no end. */
  readonly count?: number;
  /** Decides the random numbers: the same seed gives the same records. From 0 to 4,294,967,295. Default 1. */
  readonly seed?: number;
  /** The time, key and headers of a record. Default: the time at which it was due. */
  readonly factsOf?: (record: T) => ValueFacts;
}

/** The defaults of `generateSource`. */
export const GENERATE_SOURCE_DEFAULTS = {
  perSecond: 1_000,
  burst: 1,
  seed: 1,
  window: { count: 100_000, bytes: 64 * MiB },
  maxUnacked: 1_000_000,
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<GenerateOptions<unknown>>;

/** A record, and when it was due, in milliseconds since 1970. */
export interface Generated<T> {
  readonly record: T;
  readonly dueAt: number;
}

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: GenerateOptions<T>) {
  const others = ['name', 'sizeOf', 'factsOf', 'count'];
  const all = withDefaults('generateSource options', GENERATE_SOURCE_DEFAULTS, given, others);
  const { perSecond, burst, count, seed, ...passed } = all;
  const window = groupWithDefaults('window', GENERATE_SOURCE_DEFAULTS.window, given.window);
  const { sizeOf = sizeOfValue, factsOf } = checkFrom<T>({ ...passed, window });
  const session = checkFrom<Generated<T>>({
    ...passed,
    window,
    sizeOf: ({ record }) => sizeOf(record),
    factsOf: ({ record, dueAt }) => ({ timestamp: dueAt, ...factsOf?.(record) }),
  });
  expectOption('perSecond', perSecond, typeof perSecond === 'number' && perSecond > 0, 'a number > 0');
  expectWhole('burst', burst, 1);
  if (count !== undefined) expectWhole('count', count, 0);
  expectWhole('seed', seed, 0, 2 ** 32 - 1);
  return { perSecond, burst, count: count ?? Number.POSITIVE_INFINITY, seed, session };
}

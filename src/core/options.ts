import { describeValue, OptionError } from './errors.js';

/**
 * Checks of options, done once, at the call. Each throws `OptionError` (`RXF_OPTION_INVALID`) in one form: ``Expected
 * `roll.bytes` to be > 0, got `0` (number).``
 */
export function expectOption(name: string, value: unknown, holds: boolean, rule: string): void {
  if (holds) return;
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `Expected \`${name}\` to be ${rule}, got \`${describeValue(value)}\` (${value === null ? 'null' : typeof value}).`,
    { details: { option: name, rule } },
  );
}

/** A whole number in [least, most]. */
export function expectWhole(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): void {
  const rule =
    most === Number.MAX_SAFE_INTEGER ? `a whole number >= ${least}` : `a whole number from ${least} to ${most}`;
  expectOption(name, value, Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most, rule);
}

/** A duration in milliseconds: finite, in [least, 2^31 - 1], the most a timer takes. */
export function expectMs(name: string, value: unknown, least = 0): void {
  const holds = typeof value === 'number' && value >= least && value <= 2 ** 31 - 1;
  expectOption(name, value, holds, `a number of milliseconds from ${least} to 2147483647`);
}

/** A text that is not empty. */
export function expectText(name: string, value: unknown): void {
  expectOption(name, value, typeof value === 'string' && value.length > 0, 'a non-empty string');
}

/** A function. */
export function expectFunction(name: string, value: unknown): void {
  expectOption(name, value, typeof value === 'function', 'a function');
}

/** One of the listed texts. */
export function expectOneOf(name: string, value: unknown, choices: readonly string[]): void {
  const rule = `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`;
  expectOption(name, value, typeof value === 'string' && choices.includes(value), rule);
}

/** Options of earlier versions, and what they are called now. */
const RENAMED: Readonly<Record<string, readonly string[]>> = {
  attempts: ['maxAttempts'],
  chunkBytes: ['chunk.bytes'],
  concurrency: ['maxInFlight'],
  connectConcurrency: ['maxConnecting'],
  content: ['encode'],
  format: ['encode'],
  frameMaxBytes: ['maxFrameBytes'],
  lingerMs: ['chunk.maxWaitMs'],
  maxAnswerBytes: ['maxResponseBytes'],
  mostFaults: ['maxFaults'],
  produceEveryMs: ['produceIntervalMs'],
  receiptEveryMs: ['receiptIntervalMs'],
  rejectUnauthorized: ['insecureSkipVerify'],
  ssl: ['tls'],
  timeLimitMs: ['sendTimeoutMs', 'requestTimeoutMs'],
  timeoutMs: ['requestTimeoutMs'],
};

/** An object with only known keys: a misspelt option is reported instead of ignored. */
export function expectKnown(name: string, options: unknown, known: readonly string[]): void {
  expectOption(name, options, typeof options === 'object' && options !== null, 'an object of options');
  for (const key of Object.keys(options as object)) {
    if (known.includes(key)) continue;
    const now = RENAMED[key]?.find((one) => known.includes(one.replace(/\..*/, '')));
    const hint = now === undefined ? '' : `, which is now \`${now}\``;
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`${name}\` to have only known options (${known.join(', ')}), got \`${key}\`${hint}.`,
      { details: { option: key, known } },
    );
  }
}

/** The options with a default for each that is absent or undefined. */
export type WithDefaults<D, G> = {
  readonly [K in keyof D]: K extends keyof G ? D[K] | Exclude<G[K], undefined> : D[K];
} & Omit<G, keyof D>;

/**
 * The options over their defaults. One that is undefined counts as absent.
 *
 * Fails: `OptionError` where it is no object, or has an option that is neither among the defaults nor among `others`.
 */
export function withDefaults<D extends object, G extends object>(
  name: string,
  defaults: D,
  given: G,
  others: readonly string[] = [],
): WithDefaults<D, G> {
  expectKnown(name, given, [...Object.keys(defaults), ...others]);
  const all = { ...defaults } as Record<string, unknown>;
  for (const [key, value] of Object.entries(given)) if (value !== undefined) all[key] = value;
  return all as WithDefaults<D, G>;
}

/** The same for a group of options, such as `retry`, which may be absent as a whole. */
export function groupWithDefaults<D extends object, G extends object>(
  name: string,
  defaults: D,
  given: G | undefined,
): WithDefaults<D, G> {
  return withDefaults(name, defaults, given === undefined ? ({} as G) : given);
}

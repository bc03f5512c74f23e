import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { monotonicMs } from '../../src/core/clock.js';
import { DecodeError } from '../../src/core/errors.js';
import { mutated } from './mutate.js';
import { Random } from './random.js';

/** A decoder, valid values for it, and what must hold of what it reads. */
export interface Target {
  readonly name: string;
  /** A valid encoding. */
  readonly sample: (random: Random) => Buffer;
  readonly decode: (bytes: Buffer) => unknown;
  /** Encodes what was read, so that it must be read as the same again; undefined for what has no encoding. */
  readonly encode?: (value: never) => Buffer | undefined;
  /** What else is wrong with a value, if anything. */
  readonly problem?: (value: never, bytes: Buffer) => string | undefined;
}

export interface Limits {
  readonly seed: number;
  /** Whichever is reached first ends it. */
  readonly inputs: number;
  readonly forMs: number;
}

export interface Report {
  readonly name: string;
  readonly inputs: number;
  readonly errors: number;
  readonly values: number;
  readonly slowestMs: number;
  readonly grownMiB: number;
}

/** The CPU time that an input may take: other programs take of the time of day. */
const MAX_INPUT_MS = 1_000;
/** More is no input's due: the largest that decompress may give here is 1 MiB. */
const MAX_GROWTH_MIB = 400;
const SAMPLES = 40;

/** Gives a decoder valid values, and damaged ones. Rejects, with the input, for anything but a value or a `DecodeError` in time. */
export async function fuzz(target: Target, { seed, inputs: most, forMs }: Limits): Promise<Report> {
  const random = new Random(seed);
  const samples = Array.from({ length: SAMPLES }, () => target.sample(random));
  for (const sample of samples) tried(target, sample, seed, true);
  const [startMs, startBytes] = [monotonicMs(), process.memoryUsage().rss];
  let [inputs, errors, values, slowestMs, grownMiB] = [0, 0, 0, 0, 0];
  while (inputs < most && monotonicMs() - startMs < forMs) {
    const isNoise = random.chance(20);
    const input = isNoise
      ? random.bytes(random.below(60))
      : mutated(random.pick(samples), random.pick(samples), random);
    inputs += 1;
    const before = process.cpuUsage();
    if (tried(target, input, seed, false)) values += 1;
    else errors += 1;
    const { user, system } = process.cpuUsage(before);
    const tookMs = (user + system) / 1_000;
    slowestMs = Math.max(slowestMs, tookMs);
    if (tookMs > MAX_INPUT_MS) throw failure(target, input, seed, `took ${tookMs.toFixed(0)} ms of CPU`);
    if (inputs % 64 === 0) {
      // What failed in zlib is released in the next turn of the loop.
      await setImmediate();
      grownMiB = Math.max(grownMiB, (process.memoryUsage().rss - startBytes) / 2 ** 20);
      if (grownMiB > MAX_GROWTH_MIB)
        throw failure(target, input, seed, `made the process grow by ${grownMiB.toFixed(0)} MiB`);
    }
  }
  return { name: target.name, inputs, errors, values, slowestMs, grownMiB };
}

/** Whether the input is a value. */
function tried(target: Target, input: Buffer, seed: number, isValid: boolean): boolean {
  let value: unknown;
  // The decoder may not look beyond the value, which is within other memory in a batch.
  const given = Buffer.concat([Buffer.alloc(3, 0x55), input, Buffer.alloc(16, 0x55)]).subarray(3, 3 + input.length);
  try {
    value = target.decode(given);
  } catch (error) {
    if (error instanceof DecodeError && !isValid) return false;
    throw failure(
      target,
      input,
      seed,
      isValid ? 'is valid, and was rejected' : 'threw another error than a DecodeError',
      error,
    );
  }
  const problem = target.problem?.(value as never, input);
  if (problem !== undefined) throw failure(target, input, seed, problem);
  const again = target.encode?.(value as never);
  if (again !== undefined && !isDeepStrictEqual(target.decode(again), value)) {
    throw failure(target, input, seed, 'was read as a value that is another when it is encoded and read again');
  }
  return true;
}

function failure(target: Target, input: Buffer, seed: number, problem: string, cause?: unknown): Error {
  const hex = input.toString('hex');
  const why =
    cause === undefined ? '' : `: ${cause instanceof Error ? (cause.stack ?? cause.message) : 'not an Error'}`;
  return new Error(`${target.name}, seed ${seed}: the input ${hex.slice(0, 4_000)} (hex) ${problem}${why}`, { cause });
}

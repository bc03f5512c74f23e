import * as fc from 'fast-check';
import { batchOf, type MadeBatch, type MadeRecord } from './record-batches.js';

/** A stretch of a partition's log, with what a broker says of it and what a reader must see of it. */
export interface MadeLog {
  readonly batches: readonly MadeBatch[];
  /** Which of them kafkajs's own encoder writes, where it can. */
  readonly byKafkajs: readonly boolean[];
  readonly aborted: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly abortedBatches: ReadonlySet<MadeBatch>;
  /** Lies in the first batch. */
  readonly position: number;
  /** How much of the last batch is missing, from none to all but one byte. */
  readonly cut: number;
}

const near = (...positions: number[]) => positions.flatMap((position) => [position - 1, position, position + 1]);
const FIRST_OFFSETS = [0, ...near(2 ** 31, 2 ** 32), 2 ** 45];
/** Milliseconds, and what producers send instead: microseconds, nanoseconds, rubbish. */
const TIMES = [
  ...[-1, 0, 1_795_741_254_656, ...near(2 ** 31, 2 ** 32), 2 ** 44],
  ...[1_795_741_254_656_123n, 1_795_741_254_656_123_457n, -(2n ** 63n), 2n ** 63n - 1n],
];
const around = (...positions: bigint[]) => positions.flatMap((position) => [position - 1n, position, position + 1n]);
const TIME_DELTAS = [
  ...[0, 0, 1, -1, 63, 64, -64, -65, 8_191, ...near(2 ** 31, -(2 ** 31), 2 ** 32, -(2 ** 32)), 2 ** 40],
  ...around(2n ** 48n, -(2n ** 48n), 2n ** 52n, -(2n ** 52n), 2n ** 53n, -(2n ** 53n), 2n ** 62n, -(2n ** 62n)),
  ...[2n ** 63n - 1n, -(2n ** 63n), -3_591_480_604_258_745_300n, -1_793_944_513_402_116_467n],
];
const GAPS = [1, 1, 1, 1, 2, 70, 9_000, 2 ** 27];

const bytes = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.constant(Buffer.alloc(0)) },
  { weight: 5, arbitrary: fc.uint8Array({ maxLength: 12 }).map((some) => Buffer.from(some)) },
  { weight: 1, arbitrary: fc.integer({ min: 62, max: 400 }).map((length) => Buffer.alloc(length, length)) },
);
const headers = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.constantFrom('a', 'b', '', '__proto__', 'größe', 'x'.repeat(70)), bytes), {
      maxLength: 4,
    }),
  },
);
const made = fc.record({
  gap: fc.constantFrom(...GAPS),
  timestampDelta: fc.constantFrom<number | bigint>(...TIME_DELTAS),
  key: bytes,
  value: bytes,
  headers,
});
const step = fc.record({
  what: fc.constantFrom('plain', 'plain', 'plain', 'transaction', 'transaction', 'commit', 'abort'),
  producer: fc.constantFrom(7, 2 ** 33),
  codec: fc.constantFrom(0 as const, 0 as const, 1 as const, 2 as const, 3 as const, 4 as const),
  isAppendTime: fc.boolean(),
  firstTimestamp: fc.constantFrom<number | bigint>(...TIMES),
  maxTimestamp: fc.constantFrom<number | bigint>(...TIMES),
  gap: fc.constantFrom(0, 0, 1, 1_000),
  compactedTail: fc.constantFrom(0, 0, 3),
  records: fc.array(made, { maxLength: 5 }),
  byKafkajs: fc.boolean(),
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

export const madeLog: fc.Arbitrary<MadeLog> = fc
  .record({
    start: fc.constantFrom(...FIRST_OFFSETS),
    steps: fc.array(step, { minLength: 1, maxLength: 5 }),
    within: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
  })
  .map(({ start, steps, within, cut }) => write(start, steps, within, cut));

function write(start: number, steps: readonly Step[], within: number, cut: number): MadeLog {
  const batches: MadeBatch[] = [];
  const aborted: { producerId: string; firstOffset: string }[] = [];
  const abortedBatches = new Set<MadeBatch>();
  const open = new Map<number, MadeBatch[]>();
  let next = start;
  const end = (producerId: number, isAbort: boolean) => {
    const mine = open.get(producerId) ?? [];
    open.delete(producerId);
    if (isAbort && mine[0] !== undefined) {
      aborted.push({ producerId: String(producerId), firstOffset: String(mine[0].firstOffset) });
      for (const batch of mine) abortedBatches.add(batch);
    }
    const marker = { key: Buffer.from([0, 0, 0, isAbort ? 0 : 1]), value: Buffer.alloc(6) };
    batches.push(batchOf([marker], { firstOffset: next, producerId, isControl: true }));
    next += 1;
  };
  for (const one of steps) {
    next += one.gap;
    if (one.what === 'commit' || one.what === 'abort') {
      end(one.producer, one.what === 'abort');
      continue;
    }
    const producerId = one.what === 'plain' ? null : one.producer;
    const batch = toBatch(next, one, producerId);
    batches.push(batch);
    if (producerId !== null) open.set(producerId, [...(open.get(producerId) ?? []), batch]);
    next = batch.firstOffset + batch.lastOffsetDelta + 1;
  }
  // A reader is shown nothing of transactions that have not ended.
  for (const producerId of [...open.keys()]) end(producerId, producerId === 7);
  const first = batches[0] as MadeBatch;
  const position = first.firstOffset + Math.floor(first.lastOffsetDelta * within);
  const byKafkajs = steps.map((one) => one.byKafkajs);
  return { batches, byKafkajs, aborted, abortedBatches, position, cut };
}

function toBatch(firstOffset: number, one: Step, producerId: number | null): MadeBatch {
  let offsetDelta = -1;
  const records: MadeRecord[] = one.records.map(({ gap, ...record }) => {
    offsetDelta += gap;
    return { ...record, offsetDelta };
  });
  const { codec, isAppendTime, firstTimestamp, maxTimestamp } = one;
  const lastOffsetDelta = Math.max(0, offsetDelta) + one.compactedTail;
  return {
    ...batchOf([], { firstOffset, lastOffsetDelta, codec, isAppendTime, firstTimestamp, maxTimestamp, producerId }),
    records,
  };
}

import { posix } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstValueFrom, from, lastValueFrom, of, throwError } from 'rxjs';
import { InFlightWindow } from '../../src/backpressure/in-flight-window.js';
import { Monitor } from '../../src/core/monitor.js';
import type { Acker } from '../../src/delivery/acker.js';
import { Delivery } from '../../src/delivery/delivery.js';
import { FanOutAckers } from '../../src/delivery/fan-out-acker.js';
import { joinDeliveries } from '../../src/delivery/join.js';
import { RetainedDeliveries } from '../../src/delivery/retained-deliveries.js';
import { splitDelivery } from '../../src/delivery/split.js';
import type { AmqpConsumerDriver } from '../../src/ports/amqp-consumer.js';
import type { FileSystem } from '../../src/ports/file-system.js';
import { checkBucket } from '../../src/sinks/files/buckets/bucket.js';
import { nowVisible, publish } from '../../src/sinks/files/ledger/publish.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { Assignment } from '../../src/sources/kafka/assignment.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { Partition } from '../../src/sources/kafka/partition.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import type { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { naiveQueue } from './naive-queue.js';
import { type Bugs, naiveSource } from './naive-source.js';
import { type QueueOutcome, queueSteps, queueTrial } from './queue-trial.js';
import { type Outcome, steps, trial } from './trial.js';

/** What nothing may ever do: shared/design.md 3.3, by number. Each holds for ours, and a duplicate with the peer's bug fails. */
const RUNS = { numRuns: 1_000 };
/** As many as it may take to find the bug of a duplicate; the first that fails is the last. */
const UNTIL_FOUND = { numRuns: 1_000 };

const ours = (kafka: MemoryKafka) =>
  kafkaSource(kafka, {
    topics: ['t'],
    groupId: 'g',
    window: { count: 4 },
    commit: { count: 1, intervalMs: 5 },
    drainTimeoutMs: 200,
    revokeTimeoutMs: 20,
    monitor: new Monitor(),
  });
const duplicate = (bugs: Bugs) => (kafka: MemoryKafka) => naiveSource(kafka, bugs, 4);

/** The property holds for ours in every run, and fails for the duplicate in some. */
function holdsAndFaultyFails<T>(
  values: fc.Arbitrary<T>,
  holds: (value: T) => boolean,
  failsFor: (value: T) => boolean,
): void {
  fc.assert(fc.property(values, holds), RUNS);
  expect(fc.check(fc.property(values, failsFor), UNTIL_FOUND).failed).toBe(true);
}

describe('a source never', () => {
  const isTrue =
    (holds: (outcome: Outcome) => boolean, build: Parameters<typeof trial>[0], options = {}) =>
    (plan: Parameters<typeof trial>[1]) =>
      holds(trial(build, plan, options));

  it('1. commits past what is not settled', () => {
    const holds = ({ unearned }: Outcome) => unearned.length === 0;
    holdsAndFaultyFails(steps, isTrue(holds, ours), isTrue(holds, duplicate({ commitsLastAck: true })));
  }, 120_000);

  it('2. commits because of an ack of an assignment before', () => {
    const holds = ({ unearned }: Outcome) => unearned.length === 0;
    holdsAndFaultyFails(steps, isTrue(holds, ours), isTrue(holds, duplicate({ countsOldAcks: true })));
  }, 120_000);

  it('3. loses a record at a reassignment, nor gives one twice in one', () => {
    const holds = ({ lost, twice }: Outcome) => lost.length === 0 && twice.length === 0;
    holdsAndFaultyFails(steps, isTrue(holds, ours), isTrue(holds, duplicate({ goesOnBehindUnacked: true })));
  }, 120_000);

  it('4. finds the next record by adding one to an offset', () => {
    const holds = ({ isCommitted }: Outcome) => isCommitted;
    holdsAndFaultyFails(steps, isTrue(holds, ours), isTrue(holds, duplicate({ addsOne: true })));
  }, 120_000);

  it('5. stays paused forever', () => {
    const holds = ({ lost, isCommitted }: Outcome) => lost.length === 0 && isCommitted;
    holdsAndFaultyFails(steps, isTrue(holds, ours), isTrue(holds, duplicate({ keepsWindowFull: true })));
  }, 120_000);

  it('5. stays paused forever: what is out of an assignment before is settled late, and nothing new comes', () => {
    // Found by the property above: the room was free, and nobody was told.
    const { lost, isCommitted } = trial(ours, [{ after: 3, what: 'expire', pick: 0 }]);
    expect([lost, isCommitted]).toEqual([[], true]);
  });

  it('9. hangs in a drain, whatever its taker does', () => {
    const holds = ({ isDrained }: Outcome) => isDrained;
    const options = { isHealed: false };
    holdsAndFaultyFails(
      steps,
      isTrue(holds, ours, options),
      isTrue(holds, duplicate({ drainsForEver: true }), options),
    );
  }, 120_000);

  it('and the duplicate has each bug by itself: without any it does none of that', () => {
    const isRight = ({ unearned, lost, twice, isCommitted, isDrained }: Outcome) =>
      unearned.length + lost.length + twice.length === 0 && isCommitted && isDrained;
    fc.assert(fc.property(steps, isTrue(isRight, duplicate({}))), RUNS);
  }, 120_000);

  it('10. waits for partitions that are none of those it leaves', () => {
    const listener = {
      acked: () => undefined,
      nacked: () => undefined,
      released: () => undefined,
      awaited: () => undefined,
    };
    const of = (partition: number, count: number, acked: number, isOver: boolean) => {
      const window = new InFlightWindow({ count: 99, bytes: 99 });
      const one = new Partition({ topic: 't', partition }, 0, undefined, window, listener);
      const records = Array.from({ length: count }, (_, offset) => ({ topic: 't', partition, offset, byteLength: 1 }));
      one.enqueue({
        topic: 't',
        partition,
        epoch: 1,
        records,
        nextOffset: count,
        highWatermark: count,
        byteLength: count,
      } as never);
      for (let n = 0; n < count; n += 1) one.take()?.release();
      one.ack(0, acked);
      if (isOver) one.end();
      return one;
    };
    const states = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 4 }), fc.boolean()), {
      maxLength: 4,
    });
    const made = (all: [number, number, boolean][]) =>
      all.map(([count, acked, isOver], at) => of(at, count, acked, isOver));
    const isOwed = (one: Partition) => !one.isOver && one.watermark.unacked > 0;
    holdsAndFaultyFails(
      states,
      (all) => new Assignment(1, made(all)).isSettled === !made(all).some(isOwed),
      (all) => made(all).every(({ watermark }) => watermark.unacked === 0) === !made(all).some(isOwed),
    );
  });
});

describe('a source of a queue never', () => {
  const queue = (driver: AmqpConsumerDriver) =>
    amqpSource(driver, {
      queues: ['q'],
      prefetch: 5,
      ack: { count: 2, intervalMs: 5 },
      redeliver: { maxAttempts: 99, firstDelayMs: 10, maxDelayMs: 10 },
      reconnect: { maxAttempts: 99, firstDelayMs: 20, maxDelayMs: 20 },
      monitor: new Monitor(),
    });
  const isTrue =
    (holds: (outcome: QueueOutcome) => boolean, build: Parameters<typeof queueTrial>[0]) =>
    (plan: Parameters<typeof queueTrial>[1]) =>
      holds(queueTrial(build, plan));
  const isEarned = ({ unearned, closed, left }: QueueOutcome) => unearned.length + closed.length + left.length === 0;

  it('7. acks a message on another channel than it came on', () => {
    const bugs = { acksOnNewChannel: true };
    holdsAndFaultyFails(
      queueSteps,
      isTrue(isEarned, queue),
      isTrue(isEarned, (driver) => naiveQueue(driver, bugs)),
    );
  }, 120_000);

  it('7. acks with the others what nobody acked', () => {
    const isOwn = ({ unearned }: QueueOutcome) => unearned.length === 0;
    const faultyOf = (driver: AmqpConsumerDriver) => naiveQueue(driver, { acksAllBefore: true });
    holdsAndFaultyFails(queueSteps, isTrue(isOwn, queue), isTrue(isOwn, faultyOf));
  }, 120_000);

  it('and the duplicate has each bug by itself: without any it does none of that', () => {
    fc.assert(
      fc.property(
        queueSteps,
        isTrue(isEarned, (driver) => naiveQueue(driver, {})),
      ),
      RUNS,
    );
  }, 120_000);
});

describe('an acker never', () => {
  /** Counts every call, where a source's own acker would take the first and ignore the others. */
  class Counting implements Acker {
    readonly flush$ = new RecordingAcker().flush$;
    readonly calls: string[] = [];
    ack(first: number, next: number): void {
      for (let seq = first; seq < next; seq += 1) this.calls.push(`ack ${seq}`);
    }
    nack(first: number, next: number): void {
      for (let seq = first; seq < next; seq += 1) this.calls.push(`nack ${seq}`);
    }
    release(): void {}
    hold(): void {}
    get isOnce(): boolean {
      const settled = this.calls.map((call) => call.split(' ')[1]);
      return new Set(settled).size === settled.length;
    }
  }
  const origin = { stream: 's', offset: 0, epoch: 1, byteLength: 1 };
  type Parts = (whole: Delivery<string>) => Delivery<unknown>[];
  const does = fc.array(fc.record({ part: fc.nat({ max: 2 }), isAck: fc.boolean() }), { minLength: 1, maxLength: 12 });
  const isOnce = (partsOf: Parts) => (all: { part: number; isAck: boolean }[]) => {
    const acker = new Counting();
    const parts = partsOf(new Delivery('whole', origin, acker, 0));
    for (const { part, isAck } of all) {
      const one = parts[part % parts.length] as Delivery<unknown>;
      if (isAck) one.ack();
      else one.nack('no');
    }
    return acker.isOnce;
  };
  const wrong: Parts = (whole) => {
    let acks = 0;
    return [0, 1, 2].map(
      (value) =>
        new Delivery(
          value,
          origin,
          {
            flush$: whole.acker.flush$,
            // Counts acks, not parts, and forgets that it was rejected.
            ack: () => {
              acks += 1;
              if (acks >= 3) whole.ack();
            },
            nack: (_first, _next, cause) => whole.nack(cause),
            release: () => undefined,
            hold: () => undefined,
          },
          value,
        ),
    );
  };

  it.each<[string, Parts]>([
    ['tee', (whole) => new FanOutAckers(3).share(whole)],
    ['join', (whole) => [joinDeliveries([whole])]],
  ])('6. settles twice, nor acks after a nack: %s', (_, partsOf) => {
    holdsAndFaultyFails(does, isOnce(partsOf), isOnce(wrong));
  });

  it('6. settles twice, nor acks after a nack: split and deadLetter, over an acker that is one-shot', () => {
    const takeOver = (one: Delivery<string>) => {
      one.ack();
      return true;
    };
    const kept: Parts = (whole) => {
      const retained = new RetainedDeliveries<string>({ takeOver, resumeTracker: 'shown' });
      return [retained.keep(whole)];
    };
    const settlesAs = (partsOf: Parts) => (all: { part: number; isAck: boolean }[]) => {
      const acker = new RecordingAcker();
      const parts = partsOf(acker.deliver('whole'));
      for (const { part, isAck } of all) {
        const one = parts[part % parts.length] as Delivery<unknown>;
        if (isAck) one.ack();
        else one.nack('no');
      }
      return acker.acks.length + acker.nacks.length <= 1;
    };
    fc.assert(
      fc.property(
        does,
        settlesAs((whole) => splitDelivery(whole, [1, 2, 3])),
      ),
      RUNS,
    );
    fc.assert(fc.property(does, settlesAs(kept)), RUNS);
  });
});

describe('a file sink never', () => {
  it('8. ignores what a storage call answers', async () => {
    /** A store where the rename, now and then, does not happen and says so. */
    const answering = (answer: 'renamed' | 'missing' | 'exists', bytesThere: number | null): FileSystem => {
      const fs = memoryFileSystem();
      return Object.assign(Object.create(fs) as FileSystem, {
        name: 'memory',
        rename: () => of(answer),
        status: () => of(bytesThere === null ? null : { path: '/f', kind: 'file', bytes: bytesThere, modifiedMs: 0 }),
      });
    };
    const file = { temporary: '/t', final: '/f', bytes: 5, values: 1, first: 0, last: 0 };
    const aside = { take: (_: unknown, cause: unknown) => throwError(() => cause), has: () => of(false) };
    const naive = (fs: FileSystem) => from(fs.rename(file.temporary, file.final));
    const isReported = async (works: (fs: FileSystem) => Promise<unknown>, answer: string, there: number | null) => {
      const isDone = await works(answering(answer as 'renamed', there)).then(
        () => true,
        () => false,
      );
      return isDone === (answer === 'renamed' || there === 5);
    };
    const all = fc.tuple(fc.constantFrom('renamed', 'missing', 'exists'), fc.constantFrom(null, 4, 5, 6));
    const real = (fs: FileSystem) => lastValueFrom(nowVisible(fs, publish(fs, [file], aside)));
    await fc.assert(
      fc.asyncProperty(all, async ([answer, there]) => isReported(real, answer, there)),
      RUNS,
    );
    const faultyRun = await fc.check(
      fc.asyncProperty(all, async ([answer, there]) => isReported((fs) => firstValueFrom(naive(fs)), answer, there)),
      UNTIL_FOUND,
    );
    expect(faultyRun.failed).toBe(true);
  });

  it('11. lets a value from outside leave its root', () => {
    const piece = fc.oneof(
      fc.constantFrom('..', '.', '', '/', 'a', '_rxflume', '..a', '\u0000', ':', '\\', ' '),
      fc.string(),
    );
    const paths = fc.array(piece, { maxLength: 5 }).map((pieces) => pieces.join('/'));
    const staysInside = (check: (bucket: string) => void) => (bucket: string) => {
      try {
        check(bucket);
      } catch {
        return true;
      }
      const path = posix.normalize(`/lake/${bucket}/file`);
      const isClean = ![...bucket].some((char) => char < ' ' || char === '\u007f');
      return path.startsWith('/lake/') && !path.startsWith('/lake/_rxflume') && isClean;
    };
    const naive = (bucket: string) => {
      if (bucket.startsWith('..') || bucket.startsWith('/')) throw new Error('outside');
    };
    holdsAndFaultyFails(paths, staysInside(checkBucket), staysInside(naive));
  });
});

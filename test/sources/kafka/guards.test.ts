import { describe, expect, it } from '@jest/globals';
import { EMPTY, NEVER, Observable, type ObservableInput, of, Subject, throwError } from 'rxjs';
import { drainOn, retryConnect } from '../../../operators/index.js';
import { CommitError, SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { OffsetStore } from '../../../src/offsets/offset-store.js';
import type { KafkaConsumer, KafkaDriver } from '../../../src/ports/kafka-consumer.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { SourceRun } from '../../support/source-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

function run(kafka: KafkaDriver, given: Partial<KafkaSourceOptions> = {}, stop?: ObservableInput<unknown>) {
  const monitor = new Monitor();
  const logEvents: string[] = [];
  monitor.logEvents$.subscribe(({ level, what }) => level === 'warn' && logEvents.push(what));
  const options = { topics: ['chat'], groupId: 'lake', commit: { intervalMs: 100 }, monitor, ...given };
  return Object.assign(new SourceRun(kafkaSource(kafka, options), stop), { monitor, logEvents });
}

function chat(partitions = 1, ...values: string[]): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  kafka.produce('chat', 0, values.length === 0 ? ['a', 'b', 'c'] : values);
  return kafka;
}

/** The same broker, whose member has other verbs. */
function withConsumer(kafka: MemoryKafka, change: (consumer: KafkaConsumer) => Partial<KafkaConsumer>): KafkaDriver {
  return {
    name: kafka.name,
    connect: (subscription, listener) =>
      new Observable((subscriber) =>
        kafka.connect(subscription, listener).subscribe({
          next: (consumer) => {
            const verbs: KafkaConsumer = {
              pause: (of) => consumer.pause(of),
              resume: (of) => consumer.resume(of),
              seek: (to) => consumer.seek(to),
              commit: (epoch, offsets) => consumer.commit(epoch, offsets),
              close: () => consumer.close(),
            };
            subscriber.next({ ...verbs, ...change(consumer) });
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        }),
      ),
  };
}

function positions(commit: OffsetStore['commit'] & {}): OffsetStore {
  return Object.assign(() => of(new Map([['kafka:chat/0', 0]])), { commit });
}

const throwing = () => {
  throw new TypeError('x is undefined');
};

describe('what is not ours and throws at the call', () => {
  it.each([
    ['a commit of the driver', { commit: throwing }],
    ['a pause', { pause: throwing }],
    ['a resume', { resume: throwing }],
  ])('%s: the stream fails once, and settling never throws', (_, verbs) =>
    inVirtualTime((at) => {
      const kafka = chat();
      const seen = run(
        withConsumer(kafka, () => verbs),
        { window: { count: 1 } },
      );
      for (const ms of [20, 40, 60]) at(ms, () => seen.seen.shift()?.ack());
      at(500, () => expect(seen.end).toMatch(/^error (RXF_KAFKA_COMMIT|TypeError: x is undefined)$/));
    }),
  );

  it('a seek', () =>
    inVirtualTime((at) => {
      const seen = run(
        withConsumer(chat(), () => ({ seek: throwing })),
        { redeliver: { firstDelayMs: 10 } },
      );
      at(20, () => seen.seen[0]?.nack(new SinkError('RXF_FILES_FULL', 'no space')));
      at(100, () => expect(seen.end).toBe('error TypeError: x is undefined'));
    }));

  it('closing: the drain completes all the same', () =>
    inVirtualTime((at) => {
      const seen = run(withConsumer(chat(), () => ({ close: throwing })));
      seen.onNext = (delivery) => delivery.ack();
      at(50, seen.drain);
      at(100, () => expect(seen.end).toBe('complete'));
    }));

  it('connecting', () =>
    inVirtualTime((at) => {
      const seen = run({ name: 'broken', connect: throwing });
      at(10, () => expect(seen.end).toBe('error TypeError: x is undefined'));
    }));

  it('where to resume: nothing is read', () =>
    inVirtualTime((at) => {
      const seen = run(chat(), { resumeFrom: throwing });
      at(50, () => expect([seen.end, seen.seen.length]).toEqual(['error RXF_KAFKA_RESUME', 0]));
    }));

  it('a commit of the ledger', () =>
    inVirtualTime((at) => {
      const seen = run(chat(), { resumeFrom: positions(throwing) });
      seen.onNext = (delivery) => delivery.ack();
      at(500, () => expect(seen.end).toBe('error RXF_KAFKA_COMMIT'));
    }));
});

describe('what is not ours and never answers', () => {
  it('a commit counts as failed after a minute, is reported, and tried again', () =>
    inVirtualTime((at) => {
      let calls = 0;
      const seen = run(chat(), {
        resumeFrom: positions(() => {
          calls += 1;
          return calls === 1 ? NEVER : EMPTY;
        }),
      });
      seen.onNext = (delivery) => delivery.ack();
      at(59_000, () => expect([calls, seen.logEvents]).toEqual([1, []]));
      at(62_000, () => {
        expect([calls, seen.logEvents, seen.end]).toEqual([2, ['RXF_KAFKA_COMMIT'], '']);
        seen.leave();
      });
    }));

  it.each([
    ['a commit of the ledger', { resumeFrom: positions(() => NEVER) }, {}],
    ['a commit of the driver', {}, { commit: () => NEVER }],
  ])('%s: a drain ends in its time, and says that it was not committed', (_, options, verbs) =>
    inVirtualTime((at) => {
      const seen = run(
        withConsumer(chat(), () => verbs),
        { ...options, drainTimeoutMs: 500 },
      );
      seen.onNext = (delivery) => delivery.ack();
      at(300, seen.drain);
      at(2_000, () => expect(seen.end).toBe('error RXF_KAFKA_COMMIT'));
    }),
  );

  it('closing: the drain completes all the same', () =>
    inVirtualTime((at) => {
      const seen = run(withConsumer(chat(), () => ({ close: () => NEVER })));
      seen.onNext = (delivery) => delivery.ack();
      at(50, seen.drain);
      at(31_000, () => expect(seen.end).toBe('complete'));
    }));

  it('a commit of the epoch before: those of the next are not held up', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      let calls = 0;
      const seen = run(
        withConsumer(kafka, (consumer) => ({
          commit: (epoch, offsets) => {
            calls += 1;
            return calls === 1 ? NEVER : consumer.commit(epoch, offsets);
          },
        })),
      );
      seen.onNext = (delivery) => delivery.ack();
      at(300, () => kafka.expireSessions('lake'));
      at(1_000, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(3);
        seen.leave();
      });
    }));

  it('where to resume is said to be waited for, and fails after ten minutes', () => {
    let ended = '';
    const logEvents: string[] = [];
    inVirtualTime((at) => {
      const seen = run(chat(), { resumeFrom: () => NEVER });
      at(61_000, () => logEvents.push(...seen.logEvents));
      at(119_000, () => {
        ended = seen.end;
        seen.leave();
      });
    });
    expect([ended, logEvents]).toEqual(['', ['RXF_KAFKA_RESUME', 'RXF_KAFKA_RESUME']]);
  });
});

describe('what is no answer where to resume', () => {
  it.each([
    ['nothing', () => EMPTY],
    ['an empty list', () => []],
    ['no Map', () => of({} as ReadonlyMap<string, number>)],
    ['undefined', () => undefined as never],
    ['an offset that is none', () => of(new Map([['kafka:chat/0', Number.NaN]]))],
    ['a negative offset', () => of(new Map([['kafka:chat/0', -1]]))],
  ])('%s: the stream fails, and nothing is read', (_, resumeFrom) =>
    inVirtualTime((at) => {
      const seen = run(chat(), { resumeFrom });
      at(300, () => expect([seen.end, seen.seen.length]).toEqual(['error RXF_KAFKA_RESUME', 0]));
    }),
  );
});

describe('a drain', () => {
  it('is no success where the group took partitions away before all was settled', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const seen = run(kafka);
      at(50, () => {
        seen.drain();
        kafka.expireSessions('lake');
      });
      at(200, () => expect([seen.end, seen.seen.length]).toEqual(['error RXF_SOURCE_DRAIN_LOST', 3]));
    }));

  it('is no success where what was settled could not be committed any more', () =>
    inVirtualTime((at) => {
      const kafka = chat(1);
      const seen = run(kafka, { commit: { intervalMs: 60_000 } });
      at(50, () => {
        seen.drain();
        for (const one of seen.seen) one.ack();
        kafka.expireSessions('lake');
      });
      at(200, () => {
        expect([seen.end, kafka.committed('lake', 'chat', 0)]).toEqual(['error RXF_SOURCE_DRAIN_LOST', -1]);
      });
    }));

  it('is a success where all was settled and committed before the group took them away', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      const seen = run(kafka, { revokeTimeoutMs: 1_000 });
      const other = run(kafka);
      at(50, () => {
        seen.drain();
        other.leave();
        for (const one of [...seen.seen, ...other.seen]) one.ack();
      });
      at(500, () => expect([seen.end, kafka.committed('lake', 'chat', 0)]).toEqual(['complete', 3]));
    }));

  it.each([
    ['at once', [0, 1, 2], 'complete', 3],
    ['but for one', [0, 1], 'error RXF_SOURCE_DRAIN_TIMEOUT', 2],
  ])('tries its last commit again however long the settling took: settled %s', (_, acked, ended, committed) =>
    inVirtualTime((at) => {
      const kafka = chat();
      const seen = run(kafka, { drainTimeoutMs: 1_000, commit: { intervalMs: 60_000 } });
      at(50, () => {
        kafka.commitErrors.push(new CommitError('RXF_KAFKA_COMMIT', 'coordinator moves'));
        for (const at of acked) seen.seen[at]?.ack();
        seen.drain();
      });
      at(4_000, () => expect([seen.end, kafka.committed('lake', 'chat', 0)]).toEqual([ended, committed]));
    }),
  );

  it('fails with the error of its stop signal, also behind retryConnect, and nothing is uncaught', async () => {
    const ends: string[] = [];
    for (const retries of [false, true]) {
      const kafka = chat();
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', monitor: new Monitor() });
      (retries ? source.pipe(retryConnect()) : source)
        .pipe(drainOn(throwError(() => new Error('no signal'))))
        .subscribe({ error: (error: Error) => ends.push(error.message) });
      const later = new Subject<void>();
      (retries ? source.pipe(retryConnect()) : source)
        .pipe(drainOn(later))
        .subscribe({ error: (error: Error) => ends.push(error.message) });
      later.error(new Error('later'));
    }
    // RxJS throws what nobody caught from a timer.
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(ends).toEqual(['no signal', 'later', 'no signal', 'later']);
  });
});

describe('a rebalance', () => {
  it('commits what was acked though the rest was not settled in time', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      const options = { revokeTimeoutMs: 500, commit: { intervalMs: 60_000 } };
      const seen = run(kafka, options);
      const other = { out: [] as number[], leave: () => {} };
      at(50, () => {
        const two = run(kafka, options);
        two.onNext = ({ origin }) => other.out.push(origin.offset);
        other.leave = two.leave;
      });
      at(100, () => {
        seen.seen[0]?.ack();
        seen.seen[1]?.ack();
      });
      at(2_000, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(2);
        expect([...seen.seen.slice(3).map(({ origin }) => origin.offset), ...other.out]).toEqual([2]);
        seen.leave();
        other.leave();
      });
    }));
});

describe('a position read without a record', () => {
  it('is committed when everything before it is settled, and not before', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const seen = run(kafka);
      at(50, () => kafka.transact('chat', 0, ['x', 'y'], 'abort'));
      at(300, () => expect(kafka.committed('lake', 'chat', 0)).toBe(0));
      at(310, () => {
        for (const one of seen.seen) one.ack();
      });
      at(600, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(6);
        kafka.transact('chat', 0, ['z'], 'abort');
      });
      at(900, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(8);
        seen.leave();
      });
    }));

  it.each([
    ['nothing but markers and aborted records is resumed behind them', [], 'running'],
    ['a record too is reported as lost', ['d'], 'error RXF_KAFKA_DATA_LOST'],
  ])('a position of a ledger that retention has overtaken by %s', (_, more, ends) =>
    inVirtualTime((at) => {
      const kafka = chat();
      let next = 0;
      const resumeFrom: OffsetStore = (streams) => of(new Map(streams.map((stream) => [stream, next])));
      const first = run(kafka, { resumeFrom });
      at(50, () => {
        for (const one of first.seen) one.ack();
        next = 3;
        kafka.produce('chat', 0, more);
        kafka.transact('chat', 0, ['x', 'y'], 'abort');
      });
      at(300, () => {
        // Acked, but not in the ledger.
        for (const one of first.seen) one.ack();
      });
      at(600, () => {
        const end = 6 + more.length;
        expect(kafka.committed('lake', 'chat', 0)).toBe(end);
        first.leave();
        kafka.deleteBelow('chat', 0, end);
        kafka.produce('chat', 0, ['later']);
      });
      let second = first;
      at(610, () => {
        second = run(kafka, { resumeFrom });
      });
      at(900, () => {
        expect([second.end || 'running', second.seen.map(({ value }) => String(value))]).toEqual([
          ends,
          more.length === 0 ? ['later'] : [],
        ]);
        second.leave();
      });
    }),
  );

  it('is no proof for a position before the last record', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const resumeFrom: OffsetStore = (streams) => of(new Map(streams.map((stream) => [stream, 0])));
      const first = run(kafka, { resumeFrom });
      at(50, () => {
        for (const one of first.seen) one.ack();
        kafka.transact('chat', 0, ['x'], 'abort');
      });
      at(400, () => {
        first.leave();
        kafka.deleteBelow('chat', 0, 4);
      });
      let second = first;
      at(410, () => {
        second = run(kafka, { resumeFrom });
      });
      at(700, () => expect(second.end).toBe('error RXF_KAFKA_DATA_LOST'));
    }));
});

import { describe, expect, it } from '@jest/globals';
import { NEVER, of, Subject, throwError, timer } from 'rxjs';
import { drainOn, filterValue, retryConnect } from '../../../operators/index.js';
import { ConnectError, SinkError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import { kafkajs } from '../../../src/drivers/kafkajs/index.js';
import type { KafkaRecord } from '../../../src/ports/kafka-consumer.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../support/virtual-time.js';
import { chat, start } from './chat.js';

function counting(record: KafkaRecord, made: () => void): KafkaRecord {
  // eslint-disable-next-line rxflume/copied-origin -- a view, through which the getters of the record still work
  return Object.create(record, {
    value: {
      get: () => {
        made();
        return record.value;
      },
    },
  }) as KafkaRecord;
}

describe('kafkaSource', () => {
  it('rejects a rebalance that is held up for longer than the group waits', () => {
    const driver = Object.assign(chat(1), { rebalanceTimeoutMs: 10_000 });
    const of = (revokeTimeoutMs: number) => () =>
      kafkaSource(driver, { topics: ['chat'], groupId: 'g', revokeTimeoutMs });
    expect(of(10_000)).toThrow(
      "Expected `revokeTimeoutMs` to be under the driver's rebalance timeout, 10000, got `10000`",
    );
    expect(of(9_999)).not.toThrow();
    expect(kafkajs({ brokers: ['k:1'], rebalanceTimeoutMs: 7_000 }).rebalanceTimeoutMs).toBe(7_000);
  });

  it('is cold: connects at subscription, leaves the group at unsubscription', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'lake' });
      at(5, () => expect(kafka.memberCount('lake')).toBe(0));
      at(10, () => {
        const subscription = source.subscribe();
        at(5, () => {
          expect(kafka.memberCount('lake')).toBe(1);
          subscription.unsubscribe();
          expect(kafka.memberCount('lake')).toBe(0);
        });
      });
    }));

  it('emits a delivery a record and commits the unbroken run of acks, by interval', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a', 'b', 'c', 'd');
      const run = start(kafka);
      at(10, () => {
        expect(run.values()).toEqual(['a', 'b', 'c', 'd']);
        expect(run.seen[1]?.origin).toMatchObject({ stream: 'kafka:chat/0', offset: 1, epoch: 1, byteLength: 1 });
        run.seen[0]?.ack();
        run.seen[2]?.ack();
      });
      at(200, () => {
        expect(kafka.commits.map(({ offset }) => offset)).toEqual([1]);
        run.seen[1]?.ack();
      });
      at(400, () => {
        expect(kafka.commits.map(({ offset }) => offset)).toEqual([1, 3]);
        run.leave();
      });
    }));

  it('makes the value of a record when it is asked for, once, and not before', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a', 'b');
      let made = 0;
      const fetch = kafka.fetch.bind(kafka);
      kafka.fetch = (of, position, most) => {
        const fetched = fetch(of, position, most);
        return { ...fetched, records: fetched.records.map((record) => counting(record, () => (made += 1))) };
      };
      const run = start(kafka);
      at(10, () => {
        expect([run.seen.length, made]).toEqual([2, 0]);
        expect([String(run.seen[0]?.value), String(run.seen[0]?.value), made]).toEqual(['a', 'a', 1]);
        run.leave();
      });
    }));

  it('commits at once when the count is reached, and not while a commit is under way', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'abcdef');
      const run = start(kafka, { commit: { count: 2, intervalMs: 60_000 } });
      run.onNext = (delivery) => delivery.ack();
      at(20, () => {
        expect(kafka.commits.map(({ offset }) => offset)).toEqual([2, 6]);
        run.leave();
      });
    }));

  it('gives every partition its turn, however slow the sink and long the backlog', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka({ recordsPerFetch: 500 });
      kafka.createTopic('chat', 4);
      for (let partition = 0; partition < 4; partition += 1) {
        kafka.produce(
          'chat',
          partition,
          Array.from({ length: 2_000 }, (_, n) => `${n}`),
        );
      }
      const run = start(kafka, { window: { count: 100 } });
      const counts = new Map<string, number>();
      for (let turn = 1; turn <= 100; turn += 1) {
        at(turn * 10, () => {
          for (const delivery of run.seen.splice(0, 20)) {
            counts.set(delivery.origin.stream, (counts.get(delivery.origin.stream) ?? 0) + 1);
            delivery.ack();
          }
        });
      }
      at(1_100, () => {
        expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(2_000);
        for (let partition = 0; partition < 4; partition += 1) {
          const count = counts.get(`kafka:chat/${partition}`) ?? 0;
          expect([partition, count > 400 && count < 600]).toEqual([partition, true]);
        }
        run.leave();
      });
    }));

  it('commits past gaps in the offsets as they are', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      kafka.produce('chat', 0, ['b'], 40);
      const run = start(kafka);
      at(10, () => run.seen[0]?.ack());
      at(200, () => {
        expect(kafka.commits.map(({ offset }) => offset)).toEqual([41]);
        run.seen[1]?.ack();
      });
      at(400, () => {
        expect(kafka.commits.at(-1)?.offset).toBe(42);
        run.leave();
      });
    }));

  it('emits no more than the window, pauses what waits, and goes on at a release', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, ...'abcdef');
      kafka.produce('chat', 1, ['x']);
      const run = start(kafka, { window: { count: 3, bytes: 1_000 } });
      at(10, () => {
        expect(run.values()).toEqual(['a', 'b', 'c']);
        expect(kafka.pauses).toEqual(['pause chat/0', 'pause chat/1']);
        run.seen[0]?.release();
        run.seen[0]?.release();
        expect(run.seen.length).toBe(4);
        for (const delivery of [...run.seen]) delivery.release();
        for (const delivery of [...run.seen]) delivery.release();
        expect(run.values().sort()).toEqual([...'abcdef', 'x']);
        expect(kafka.pauses.slice(2).sort()).toEqual(['resume chat/0', 'resume chat/1']);
        run.leave();
      });
    }));

  it('counts the window in bytes too, and lets a record larger than all of it pass alone', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'x'.repeat(50), 'y', 'z');
      const run = start(kafka, { window: { count: 100, bytes: 10 } });
      at(10, () => {
        expect(run.seen.length).toBe(1);
        run.seen[0]?.ack();
        expect(run.seen.length).toBe(3);
        run.leave();
      });
    }));

  it('asks the holders to release when the window is full and nothing moves, and to settle when too much is unacked', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'abcdef');
      const run = start(kafka, { window: { count: 2, bytes: 1_000 }, maxUnacked: 4 });
      const flushListeners: string[] = [];
      run.onNext = (delivery) => {
        if (run.seen.length === 1) delivery.acker.flush$.subscribe((signal) => flushListeners.push(signal));
      };
      at(150, () => {
        expect(flushListeners).toEqual(['release']);
        for (const delivery of [...run.seen]) delivery.release();
      });
      at(160, () => {
        expect(run.seen.length).toBe(4);
        expect(flushListeners).toEqual(['release', 'settle']);
        for (const delivery of [...run.seen]) delivery.ack();
        expect(run.seen.length).toBe(6);
        run.leave();
      });
    }));

  it('drains: takes no more, asks to settle, commits what was settled, completes', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'abc');
      const run = start(kafka, { commit: { count: 1_000, intervalMs: 60_000 } });
      run.onNext = (delivery) =>
        delivery.acker.flush$.subscribe((signal) => {
          if (signal === 'settle') timer(5).subscribe(() => delivery.ack());
        });
      at(10, () => {
        run.drain();
        kafka.produce('chat', 0, ['late']);
      });
      at(50, () => {
        expect(run.ended).toBe('complete');
        expect(run.values()).toEqual(['a', 'b', 'c']);
        expect(kafka.committed('lake', 'chat', 0)).toBe(3);
        expect(kafka.memberCount('lake')).toBe(0);
      });
    }));

  it('fails a drain that is not settled in time, with what was settled committed', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'abc');
      const run = start(kafka, { drainTimeoutMs: 1_000 });
      at(10, () => {
        run.seen[0]?.ack();
        run.drain();
      });
      at(2_000, () => {
        expect(run.ended).toBe('error');
        expect(run.error).toMatchObject({ code: 'RXF_SOURCE_DRAIN_TIMEOUT', name: 'SourceError' });
        expect((run.error as Error).message).toContain('2 records of kafka:chat/0');
        expect(kafka.committed('lake', 'chat', 0)).toBe(1);
        expect(kafka.memberCount('lake')).toBe(0);
      });
    }));

  it('drains at once when nothing is out, also before it is connected', () =>
    inVirtualTime((at) => {
      const kafka = chat(1);
      const before = start(kafka);
      before.drain();
      expect(before.ended).toBe('complete');
      const after = start(kafka);
      at(10, () => after.drain());
      at(20, () => expect(after.ended).toBe('complete'));
    }));

  it('settles and commits what is out before a rebalance, and voids later acks of what was taken away', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, 'a');
      kafka.produce('chat', 1, ['x']);
      const first = start(kafka);
      first.onNext = (delivery) =>
        delivery.acker.flush$.subscribe((signal) => {
          if (signal === 'settle') timer(3).subscribe(() => delivery.ack());
        });
      let second: ReturnType<typeof start> | undefined;
      at(10, () => {
        second = start(kafka);
      });
      at(60, () => {
        expect([kafka.committed('lake', 'chat', 0), kafka.committed('lake', 'chat', 1)]).toEqual([1, 1]);
        kafka.produce('chat', 0, ['b']);
        kafka.produce('chat', 1, ['y']);
      });
      at(70, () => {
        expect(
          first
            .values()
            .concat(second?.values() ?? [])
            .sort(),
        ).toEqual(['a', 'b', 'x', 'y']);
        const held = second?.seen[0];
        second?.leave();
        held?.ack();
      });
      at(100, () => {
        expect(first.values().sort()).toEqual(
          first.values().includes('b') ? ['a', 'b', 'x', 'y'] : ['a', 'b', 'x', 'y'],
        );
        first.leave();
      });
    }));

  it('never commits for an assignment that was lost, whatever is acked afterwards', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...'ab');
      const run = start(kafka);
      at(10, () => {
        const old = [...run.seen];
        kafka.expireSessions('lake');
        for (const delivery of old) delivery.ack();
      });
      at(300, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(0);
        expect(run.values()).toEqual(['a', 'b', 'a', 'b']);
        expect(run.seen[2]?.origin.epoch).toBe(2);
        run.seen[2]?.ack();
      });
      at(600, () => {
        expect(kafka.commits.map(({ offset }) => offset)).toEqual([0, 1]);
        run.leave();
      });
    }));

  it('completes the wanted signal of a lost assignment, so that holders let go', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      const run = start(kafka);
      let isOver = false;
      run.onNext = (delivery) =>
        delivery.acker.flush$.subscribe({
          complete: () => {
            isOver = true;
          },
        });
      at(10, () => {
        expect(isOver).toBe(false);
        run.leave();
        expect(isOver).toBe(true);
      });
    }));

  it('resumes where `resumeFrom` says, over what the group committed', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, ...'abcd');
      kafka.produce('chat', 1, ['x', 'y']);
      const run = start(kafka, { resumeFrom: (streams) => of(new Map([[streams[0] as string, 2]])) });
      at(10, () => {
        expect(run.values().sort()).toEqual(['c', 'd', 'x', 'y']);
        run.leave();
      });
    }));

  it('reads nothing and fails when it cannot learn where to resume', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      const run = start(kafka, { resumeFrom: () => throwError(() => new Error('ledger unreachable')) });
      at(10, () => {
        expect(run.seen).toEqual([]);
        expect(run.error).toMatchObject({ code: 'RXF_KAFKA_RESUME' });
        expect((run.error as Error).message).toContain('ledger unreachable');
      });
    }));

  it('tries a failed commit again, and fails the stream when commits keep failing', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      kafka.commitErrors.push(new SinkError('RXF_FILES_REMOTE', 'stand-in for a retryable commit error'));
      const run = start(kafka);
      run.onNext = (delivery) => delivery.ack();
      at(500, () => {
        expect(kafka.committed('lake', 'chat', 0)).toBe(1);
        kafka.commitErrors.push(...Array.from({ length: 200 }, () => new SinkError('RXF_FILES_REMOTE', 'again')));
        kafka.produce('chat', 0, ['b']);
      });
      const reported: string[] = [];
      run.monitor.logEvents$.subscribe(({ level, what }) => level === 'warn' && reported.push(what));
      at(60_000, () => {
        expect(run.error).toMatchObject({ code: 'RXF_KAFKA_COMMIT' });
        // No storm: about 120 failures in 12 s.
        expect(reported.filter((what) => what === 'RXF_KAFKA_COMMIT').length).toBeLessThanOrEqual(3);
        run.leave();
      });
    }));

  it('fails once with the driver error, and connects again under retryConnect', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 'a');
      kafka.connectErrors.push(
        new ConnectError('RXF_KAFKA_UNREACHABLE', 'refused'),
        new ConnectError('RXF_KAFKA_UNREACHABLE', 'refused'),
      );
      const monitor = new Monitor();
      const logEvents: string[] = [];
      monitor.logEvents$.subscribe(({ level, message }) => level === 'warn' && logEvents.push(message));
      const values: string[] = [];
      const stop$ = new Subject<void>();
      let isComplete = false;
      kafkaSource(kafka, { topics: /^ch/, groupId: 'lake', monitor })
        .pipe(retryConnect({ firstDelayMs: 100, jitter: 0, monitor }), drainOn(stop$))
        .subscribe({
          next: (delivery) => {
            values.push(String(delivery.value));
            delivery.ack();
          },
          complete: () => {
            isComplete = true;
          },
        });
      at(350, () => {
        expect(values).toEqual(['a']);
        // The second is the same within 10 s.
        expect(logEvents).toEqual(['Refused. Retrying in 100 ms (1 of 10).']);
        stop$.next();
      });
      at(400, () => expect(isComplete).toBe(true));
    }));

  it('keeps pace with a filter that acks at once inside the emission', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, ...Array.from({ length: 5_000 }, (_, n) => String(n)));
      const stop$ = NEVER;
      let count = 0;
      const subscription = kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', window: { count: 10, bytes: 100 } })
        .pipe(
          drainOn(stop$),
          filterValue(() => false),
        )
        .subscribe(() => {
          count += 1;
        });
      at(3_000, () => {
        expect(count).toBe(0);
        expect(kafka.committed('lake', 'chat', 0)).toBe(5_000);
        subscription.unsubscribe();
      });
    }));

  it.each([
    [{ topics: [] }, '`topics`'],
    [{ topics: ['a b'] }, '`topics`'],
    [{ groupId: '' }, '`groupId`'],
    [{ startAt: 'newest' }, "Expected `startAt` to be one of 'earliest', 'latest', got `\"newest\"` (string)."],
    [{ window: { count: 0 } }, 'Expected `window.count` to be a whole number >= 1, got `0` (number).'],
    [{ commit: { intervalMs: -1 } }, '`commit.intervalMs`'],
    [{ maxWait: 5 }, 'got `maxWait`'],
  ])('rejects %j at the call', (options, message) => {
    const call = () =>
      kafkaSource(new MemoryKafka(), { topics: ['chat'], groupId: 'lake', ...options } as KafkaSourceOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_OPTION_INVALID' }));
  });
});

import { describe, expect, it } from '@jest/globals';
import { NEVER, of, tap } from 'rxjs';
import { CommitError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { KafkaConsumer } from '../../../src/ports/kafka-consumer.js';
import { kafkaSource } from '../../../src/sources/kafka/kafka-source.js';
import type { KafkaSourceOptions } from '../../../src/sources/kafka/options.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** A member that reads from the end, and acks or holds what comes. */
function member(kafka: MemoryKafka, given: Partial<KafkaSourceOptions> = {}, settle: 'ack' | 'hold' = 'ack') {
  const run = { values: [] as string[], held: [] as Delivery<unknown>[], error: undefined as unknown };
  const options = { topics: ['chat'], groupId: 'lake', startAt: 'latest', monitor: new Monitor(), ...given } as const;
  const subscription = kafkaSource(kafka, options).subscribe({
    next: (delivery) => {
      run.values.push(String(delivery.value));
      if (settle === 'ack') delivery.ack();
      else run.held.push(delivery);
    },
    error: (error: unknown) => {
      run.error = error;
    },
  });
  return Object.assign(run, { leave: () => subscription.unsubscribe() });
}

function chat(partitions = 1): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  for (let partition = 0; partition < partitions; partition += 1) kafka.produce('chat', partition, ['old']);
  return kafka;
}

describe('with `startAt: latest`', () => {
  it('what comes after the first assignment is read, though the flow is stopped before anything came', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const first = member(kafka);
      at(50, () => {
        first.leave();
        kafka.produce('chat', 0, ['while away']);
        const second = member(kafka);
        at(50, () => kafka.produce('chat', 0, ['later']));
        at(100, () => {
          expect(first.values.concat(second.values)).toEqual(['while away', 'later']);
          second.leave();
        });
      });
    }));

  it('nothing is read before the start is remembered, however often the commit fails', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      for (let n = 0; n < 3; n += 1) kafka.commitErrors.push(new CommitError('RXF_KAFKA_COMMIT', 'coordinator moves'));
      const first = member(kafka);
      at(500, () => {
        kafka.produce('chat', 0, ['a']);
        expect([first.values, kafka.committed('lake', 'chat', 0)]).toEqual([[], -1]);
      });
      at(3_000, () => {
        expect([first.values, kafka.commits[0]?.offset]).toEqual([['a'], 1]);
        first.leave();
      });
    }));

  it('the flow fails where the start can never be remembered', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      kafka.commitErrors.push(new CommitError('RXF_KAFKA_COMMIT', 'not allowed', { retryable: false }));
      const first = member(kafka);
      at(100, () => expect([first.values, first.error]).toMatchObject([[], { code: 'RXF_KAFKA_COMMIT' }]));
    }));

  it('what comes while a member sleeps beyond its session is read by it when it wakes', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const connect = kafka.connect.bind(kafka);
      let consumer: KafkaConsumer | undefined;
      kafka.connect = (subscription, listener) =>
        connect(subscription, listener).pipe(
          tap((one) => {
            consumer = one;
          }),
        );
      const only = member(kafka);
      at(50, () => {
        const wake = kafka.expireSession(consumer as KafkaConsumer);
        kafka.produce('chat', 0, ['1', '2']);
        at(20, wake);
      });
      at(200, () => {
        expect(only.values.slice(-2)).toEqual(['1', '2']);
        only.leave();
      });
    }));

  it('what comes to a quiet partition during a rebalance, or after all sessions expired, is read', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      const one = member(kafka, { revokeTimeoutMs: 200 }, 'hold');
      at(20, () => kafka.produce('chat', 0, ['slow']));
      const others: ReturnType<typeof member>[] = [];
      at(50, () => others.push(member(kafka)));
      // The rebalance waits for the slow one.
      at(100, () => kafka.produce('chat', 1, ['meanwhile']));
      at(400, () => {
        expect([...one.values, ...(others[0]?.values ?? [])]).toContain('meanwhile');
        kafka.expireSessions('lake');
        kafka.produce('chat', 1, ['expired']);
      });
      at(600, () => {
        const all = [...one.values, ...(others[0]?.values ?? [])];
        expect(all).toContain('expired');
        expect(all).not.toContain('old');
        one.leave();
        others[0]?.leave();
      });
    }));

  it('a partition that is added is read from its first offset, also by a member that starts later', () =>
    inVirtualTime((at) => {
      const kafka = chat(1);
      const one = member(kafka);
      at(50, () => {
        kafka.addPartitions('chat', 1);
        kafka.produce('chat', 1, ['first of the new']);
      });
      at(100, () => {
        one.leave();
        kafka.addPartitions('chat', 1);
        kafka.produce('chat', 2, ['found at the start']);
      });
      at(150, () => {
        const two = member(kafka);
        at(50, () => {
          expect(one.values).toEqual(['first of the new']);
          expect(two.values).toContain('found at the start');
          two.leave();
        });
      });
    }));

  it('a topic that a pattern matches later is read from its first offset', () =>
    inVirtualTime((at) => {
      const kafka = chat(1);
      const one = member(kafka, { topics: /^chat/ });
      at(50, () => {
        one.leave();
        kafka.createTopic('chat-new');
        kafka.produce('chat-new', 0, ['first of the new']);
        const two = member(kafka, { topics: /^chat/ });
        at(50, () => {
          expect([one.values, two.values]).toEqual([[], ['first of the new']]);
          two.leave();
        });
      });
    }));

  it('a ledger that knows nothing yet changes none of it', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const resumeFrom = () => of(new Map<string, number>());
      const first = member(kafka, { resumeFrom }, 'hold');
      at(50, () => kafka.produce('chat', 0, ['held']));
      at(100, () => {
        expect(first.values).toEqual(['held']);
        first.leave();
        const second = member(kafka, { resumeFrom });
        at(50, () => {
          expect(second.values).toEqual(['held']);
          second.leave();
        });
      });
    }));

  it('a sink that commits for the source is given the start, not the broker', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const reported: unknown[] = [];
      const resumeFrom = Object.assign(() => of(new Map<string, number>()), {
        commit: (acked: readonly { stream: string; offset: number }[]) => {
          reported.push(...acked.map(({ stream, offset }) => [stream, offset]));
          return of(undefined);
        },
      });
      const first = member(kafka, { resumeFrom });
      at(50, () => {
        expect([reported, kafka.commits]).toEqual([[['kafka:chat/0', 1]], []]);
        first.leave();
      });
    }));

  it('a rebalance gives up waiting for a commit that nobody answers', () =>
    inVirtualTime((at) => {
      const kafka = chat(2);
      let isHeld = true;
      const commit = kafka.commit.bind(kafka);
      kafka.commit = (...call) => (isHeld ? NEVER : commit(...call));
      const one = member(kafka, { revokeTimeoutMs: 100 });
      at(20, () => {
        isHeld = false;
        const two = member(kafka, { revokeTimeoutMs: 100 });
        at(300, () => {
          kafka.produce('chat', 0, ['a']);
          kafka.produce('chat', 1, ['b']);
        });
        at(400, () => {
          expect([...one.values, ...two.values].sort()).toEqual(['a', 'b']);
          one.leave();
          two.leave();
        });
      });
    }));
});

describe('with `startAt: earliest`', () => {
  it('the start is remembered too, so that what expires before the first ack is missed with a word', () =>
    inVirtualTime((at) => {
      const kafka = chat();
      const first = member(kafka, { startAt: 'earliest', commit: { intervalMs: 100 } }, 'hold');
      at(200, () => {
        expect([first.values, kafka.committed('lake', 'chat', 0)]).toEqual([['old'], 0]);
        first.leave();
        kafka.produce('chat', 0, ['b', 'c']);
        kafka.deleteBelow('chat', 0, 2);
        const second = member(kafka, { startAt: 'earliest' });
        at(50, () => expect([second.values, second.error]).toMatchObject([[], { code: 'RXF_KAFKA_DATA_LOST' }]));
      });
    }));
});

import { describe, expect, it } from '@jest/globals';
import { concat, finalize, ignoreElements, NEVER, type Observable, type ObservableInput, of, timer } from 'rxjs';
import type {
  KafkaBatch,
  KafkaConsumer,
  KafkaListener,
  PartitionOffset,
  TopicPartition,
} from '../../../src/ports/kafka-consumer.js';
import { MemoryKafka } from '../../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../../support/virtual-time.js';

class Member implements KafkaListener {
  readonly calls: string[] = [];
  readonly offsets: number[] = [];
  partitions: readonly TopicPartition[] = [];
  epoch = 0;
  consumer: KafkaConsumer | undefined;
  error: unknown;
  starts: readonly PartitionOffset[] = [];
  readonly begins: PartitionOffset[] = [];
  settle: () => ObservableInput<unknown> = () => of(undefined);
  readonly #kafka: MemoryKafka;

  constructor(kafka: MemoryKafka) {
    this.#kafka = kafka;
  }

  join(startAt: 'earliest' | 'latest' = 'earliest') {
    const times = { maxPartitionBytes: 1, maxWaitMs: 1, revokeTimeoutMs: 1_000, sessionTimeoutMs: 1 };
    return this.#kafka.connect({ topics: ['chat'], groupId: 'g', startAt, ...times }, this).subscribe({
      next: (consumer) => {
        this.consumer = consumer;
      },
      error: (error: unknown) => {
        this.error = error;
      },
    });
  }

  commit(offset: number, partition = 0) {
    const outcome = { error: undefined as unknown, isDone: false };
    const answer = this.consumer?.commit(this.epoch, [{ topic: 'chat', partition, offset }]) ?? NEVER;
    of(answer).subscribe((one) =>
      (one as typeof NEVER).subscribe({
        error: (error: unknown) => {
          outcome.error = error;
        },
        complete: () => {
          outcome.isDone = true;
        },
      }),
    );
    return outcome;
  }

  assigned(epoch: number, partitions: readonly TopicPartition[]) {
    this.calls.push(`assigned ${epoch}: ${partitions.map(({ partition }) => partition).join(' ')}`);
    this.epoch = epoch;
    this.partitions = partitions;
    return of(this.starts);
  }

  began(_epoch: number, begins: readonly PartitionOffset[]): ObservableInput<unknown> {
    this.begins.push(...begins);
    return of(undefined);
  }

  revoking(): ObservableInput<unknown> {
    this.calls.push('revoking');
    return this.settle();
  }

  lost(): void {
    this.calls.push('lost');
  }

  records(batch: KafkaBatch): void {
    this.offsets.push(...Array.from(batch.records, ({ offset }) => offset));
  }

  reading(): void {}

  logEvent(): void {}
}

function chat(partitions: number, count: number): MemoryKafka {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', partitions);
  const records = Array.from({ length: count }, (_, at) => `v${at}`);
  for (let partition = 0; partition < partitions; partition += 1) kafka.produce('chat', partition, records);
  return kafka;
}

describe('a member whose session expires', () => {
  it('hears nothing, reads on, and its commits are rejected; the others have its partitions', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, 2);
      const [one, other] = [new Member(kafka), new Member(kafka)];
      one.join();
      at(5, () => other.join());
      at(20, () => {
        expect([one.partitions.length, other.partitions.length]).toEqual([1, 1]);
        one.calls.length = 0;
        kafka.expireSession(one.consumer as KafkaConsumer);
      });
      at(30, () => {
        expect(one.calls).toEqual([]);
        expect(other.partitions).toHaveLength(2);
        const outcome = one.commit(2, one.partitions[0]?.partition);
        kafka.produce('chat', one.partitions[0]?.partition ?? 0, ['later']);
        at(10, () => {
          expect(outcome.error).toMatchObject({ code: 'RXF_KAFKA_COMMIT', retryable: true });
          expect(kafka.commits).toEqual([]);
        });
      });
    }));

  it('loses its partitions and joins anew when it learns of it, in a later epoch', () =>
    inVirtualTime((at) => {
      const kafka = chat(2, 2);
      const [one, other] = [new Member(kafka), new Member(kafka)];
      one.join();
      at(5, () => other.join());
      at(20, () => {
        const learn = kafka.expireSession(one.consumer as KafkaConsumer);
        one.calls.length = 0;
        at(20, () => {
          learn();
          learn();
        });
      });
      at(60, () => {
        expect(one.calls).toEqual(['lost', expect.stringMatching(/^assigned 3: [01]$/)]);
        expect(other.partitions).toHaveLength(1);
        const outcome = one.commit(1, one.partitions[0]?.partition);
        at(5, () => expect(outcome).toEqual({ error: undefined, isDone: true }));
      });
    }));

  it('does not join anew where it leaves on hearing of it', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 1);
      const [one, other] = [new Member(kafka), new Member(kafka)];
      const connection = one.join();
      at(10, () => {
        const learn = kafka.expireSession(one.consumer as KafkaConsumer);
        one.lost = () => connection.unsubscribe();
        learn();
        expect(kafka.memberCount('g')).toBe(0);
        other.join();
      });
      at(20, () => expect(other.calls).toEqual(['assigned 1: 0']));
    }));

  it('rejects what was on its way when it expired', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 2);
      const one = new Member(kafka);
      one.join();
      at(10, () => {
        const outcome = one.commit(2);
        kafka.expireSessions('g');
        at(5, () => {
          expect(outcome.error).toMatchObject({ code: 'RXF_KAFKA_COMMIT' });
          expect(kafka.committed('g', 'chat', 0)).toBe(-1);
        });
      });
    }));

  it('holds up no rebalance: nobody waits for a member that does not answer once the group has struck it off', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 1);
      const [silent, other] = [new Member(kafka), new Member(kafka)];
      silent.settle = () => NEVER;
      silent.join();
      at(5, () => other.join());
      at(50, () => {
        expect(silent.calls).toEqual(['assigned 1: 0', 'revoking']);
        expect(other.calls).toEqual([]);
        kafka.expireSession(silent.consumer as KafkaConsumer);
        expect(other.calls).toEqual(['assigned 1: 0']);
      });
    }));

  it('is not asked twice at once, however many join meanwhile', () =>
    inVirtualTime((at) => {
      const kafka = chat(3, 1);
      const members = [new Member(kafka), new Member(kafka), new Member(kafka)];
      const [slow] = members as [Member];
      slow.settle = () => NEVER;
      for (const [nth, member] of members.entries()) at(nth * 10, () => member.join());
      at(50, () => {
        expect(slow.calls).toEqual(['assigned 1: 0 1 2', 'revoking']);
        kafka.expireSession(slow.consumer as KafkaConsumer);
        expect(members.slice(1).map(({ partitions }) => partitions.length)).toEqual([2, 1]);
      });
    }));
});

describe('a group that changes during an assignment', () => {
  /** Takes a while to say where to start, and to settle; counts how many calls were unanswered at once. */
  class Slow extends Member {
    open = 0;
    most = 0;

    constructor(kafka: MemoryKafka, settleMs: number) {
      super(kafka);
      this.settle = () => this.#called(timer(settleMs));
    }

    override assigned(epoch: number, partitions: readonly TopicPartition[]) {
      const starts$ = super.assigned(epoch, partitions);
      return this.#called(concat(timer(10).pipe(ignoreElements()), starts$));
    }

    #called<T>(answer$: Observable<T>): Observable<T> {
      this.open += 1;
      this.most = Math.max(this.most, this.open);
      return answer$.pipe(
        finalize(() => {
          this.open -= 1;
        }),
      );
    }
  }

  it('calls a member one at a time, though sessions expire during a rebalance and one leaves on hearing of it', () =>
    inVirtualTime((at) => {
      const kafka = chat(3, 4);
      const members = [new Slow(kafka, 500), new Slow(kafka, 500), new Slow(kafka, 500)] as const;
      const [first, second, third] = members;
      const connection = first.join();
      second.join();
      at(1_000, () => third.join());
      // All but the newcomer settle now.
      at(1_100, () => {
        first.lost = () => connection.unsubscribe();
        for (const one of members) one.calls.length = 0;
        kafka.expireSessions('g');
      });
      at(3_000, () => {
        expect(members.map(({ most }) => most)).toEqual([1, 1, 1]);
        expect([...second.partitions, ...third.partitions].map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
      });
    }));
});

describe('a position that the log does not hold', () => {
  it.each([
    ['beyond its end', 4],
    ['below its beginning', 1],
  ])('fails the member: %s', (_, offset) =>
    inVirtualTime((at) => {
      const kafka = chat(1, 3);
      kafka.deleteBelow('chat', 0, 2);
      const one = new Member(kafka);
      one.starts = [{ topic: 'chat', partition: 0, offset }];
      one.join();
      at(10, () => {
        expect(one.error).toMatchObject({
          code: 'RXF_KAFKA_DATA_LOST',
          details: { topic: 'chat', partition: 0, expected: offset, available: { first: 2, next: 3 } },
        });
        expect(one.offsets).toEqual([]);
        expect(kafka.memberCount('g')).toBe(0);
      });
    }),
  );

  it('is neither its end nor its beginning, where a group without offsets starts', () =>
    inVirtualTime((at) => {
      const kafka = chat(1, 3);
      kafka.deleteBelow('chat', 0, 2);
      const one = new Member(kafka);
      one.join();
      at(10, () => {
        expect(one.offsets).toEqual([2]);
        kafka.produce('chat', 0, ['later']);
      });
      at(20, () => expect([one.error, one.offsets]).toEqual([undefined, [2, 3]]));
    }));
});

import { from, type Observable, type ObservableInput, of, type Subscription, tap } from 'rxjs';
import type {
  KafkaBatch,
  KafkaConsumer,
  KafkaDriver,
  KafkaListener,
  KafkaRecord,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import { done, until } from './checking.js';

/** A member that writes down all that the driver tells it. */
export class KafkaTrace implements KafkaListener {
  readonly calls: string[] = [];
  readonly batches: KafkaBatch[] = [];
  readonly logEvents: string[] = [];
  /** What `reading` said, in order. */
  readonly readings: boolean[] = [];
  epoch = 0;
  partitions: readonly TopicPartition[] = [];
  consumer: KafkaConsumer | undefined;
  consumers = 0;
  error: unknown;
  isComplete = false;
  answer: (epoch: number, partitions: readonly TopicPartition[]) => ObservableInput<readonly PartitionOffset[]> = () =>
    of([]);
  /** Where reading begins, as `began` said, in order. */
  readonly starts: PartitionOffset[] = [];
  remember: (starts: readonly PartitionOffset[]) => ObservableInput<unknown> = () => of(undefined);
  settle: () => ObservableInput<unknown> = () => of(undefined);
  connection: Subscription | undefined;
  /** Calls that came while `assigned` or `revoking` was neither answered nor unsubscribed. */
  readonly overlaps = new CallOverlaps();

  join(driver: KafkaDriver, subscription: KafkaSubscription): this {
    this.connection = driver.connect(subscription, this).subscribe({
      next: (consumer) => {
        this.consumer = consumer;
        this.consumers += 1;
      },
      error: (error: unknown) => {
        this.error = error;
      },
      complete: () => {
        this.isComplete = true;
      },
    });
    return this;
  }

  assigned(epoch: number, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]> {
    this.calls.push(`assigned ${epoch}`);
    this.epoch = epoch;
    this.partitions = partitions;
    return this.overlaps.called(`assigned ${epoch}`, this.answer(epoch, partitions));
  }

  began(_epoch: number, starts: readonly PartitionOffset[]): ObservableInput<unknown> {
    this.starts.push(...starts);
    return this.remember(starts);
  }

  revoking(): ObservableInput<unknown> {
    this.calls.push('revoking');
    return this.overlaps.called('revoking', this.settle());
  }

  lost(): void {
    this.calls.push('lost');
    this.overlaps.look('lost');
    this.partitions = [];
  }

  records(batch: KafkaBatch): void {
    if (this.batches.length === 0) this.calls.push('records');
    this.batches.push(batch);
  }

  reading(isReading: boolean): void {
    this.readings.push(isReading);
  }

  logEvent(_level: 'info' | 'warn', what: string, message: string): void {
    this.logEvents.push(`${what} ${message}`);
  }

  get all(): KafkaRecord[] {
    return this.batches.flatMap((batch) => [...batch.records]);
  }

  offsets(partition: number): number[] {
    return this.all.filter((record) => record.partition === partition).map((record) => record.offset);
  }

  async assignedTo(count: number): Promise<void> {
    await until(() => this.partitions.length === count && this.consumer !== undefined, `${count} partitions`, this);
  }

  async received(count: number): Promise<void> {
    await until(() => this.all.length >= count, `${count} records, has ${this.all.length}`, this);
  }

  async commit(offsets: readonly PartitionOffset[], epoch = this.epoch): Promise<void> {
    await done((this.consumer as KafkaConsumer).commit(epoch, offsets));
  }

  async close(): Promise<void> {
    if (this.consumer === undefined) this.connection?.unsubscribe();
    else await done(this.consumer.close());
  }
}

export function kafkaSubscription(topic: string, given: Partial<KafkaSubscription> = {}): KafkaSubscription {
  return {
    topics: [topic],
    groupId: `${topic}-group`,
    startAt: 'earliest',
    maxPartitionBytes: 1 << 20,
    maxWaitMs: 100,
    revokeTimeoutMs: 5_000,
    sessionTimeoutMs: 10_000,
    ...given,
  };
}

/** Writes down the calls that come while an earlier one is neither answered nor unsubscribed. */
class CallOverlaps {
  readonly seen: string[] = [];
  #unanswered: string | undefined;

  /** A call with its answer; what comes back is to be answered in its place. */
  called<T>(call: string, answer: ObservableInput<T>): Observable<T> {
    this.look(call);
    this.#unanswered = call;
    const answered = () => {
      if (this.#unanswered === call) this.#unanswered = undefined;
    };
    return from(answer).pipe(tap({ next: answered, error: answered, complete: answered, unsubscribe: answered }));
  }

  /** A call without an answer. */
  look(call: string): void {
    if (this.#unanswered !== undefined) this.seen.push(`${call} during ${this.#unanswered}`);
  }
}

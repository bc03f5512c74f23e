import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  firstValueFrom,
  from,
  type ObservableInput,
  of,
  ReplaySubject,
  Subject,
  type Subscription,
  take,
  timeout,
  toArray,
} from 'rxjs';
import { type EmbeddedLog, type EmbeddedLogOptions, embeddedLog } from '../../../src/drivers/embedded-log/index.js';
import type {
  KafkaBatch,
  KafkaConsumer,
  KafkaRecord,
  KafkaSubscription,
  PartitionOffset,
  TopicPartition,
} from '../../../src/ports/kafka-consumer.js';

/** Folders and logs made for a test, all closed and removed by `clear`. */
export class Trial {
  readonly #logs: EmbeddedLog[] = [];
  readonly #folders: string[] = [];

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'rxflume-log-'));
    this.#folders.push(folder);
    return folder;
  }

  log(folder: string, options: Partial<EmbeddedLogOptions> = {}): EmbeddedLog {
    const log = embeddedLog({ folder, now: () => 1_000, ...options });
    this.#logs.push(log);
    return log;
  }

  async clear(): Promise<void> {
    for (const log of this.#logs.splice(0)) await log.close();
    for (const folder of this.#folders.splice(0)) await rm(folder, { recursive: true, force: true });
  }
}

export interface ReadOptions extends Partial<KafkaSubscription> {
  readonly starts?: ObservableInput<readonly PartitionOffset[]>;
  readonly onBatch?: (batch: KafkaBatch, consumer: KafkaConsumer) => void;
}

/** One connection, with all it was handed. */
export class Reading {
  readonly batches: KafkaBatch[] = [];
  readonly assigned: { epoch: number; partitions: readonly TopicPartition[] }[] = [];
  readonly logEvents: string[] = [];
  readonly connection: Subscription;
  consumer!: KafkaConsumer;
  error: unknown;
  isComplete = false;
  readonly #assigned$ = new ReplaySubject<void>(1);
  readonly #records$ = new Subject<KafkaRecord>();
  readonly #ended$ = new Subject<void>();

  constructor(log: EmbeddedLog, options: ReadOptions = {}) {
    const { starts = of([]), onBatch, ...subscription } = options;
    this.connection = log
      .connect(
        {
          topics: ['chat'],
          groupId: 'lake',
          startAt: 'earliest',
          maxPartitionBytes: 1024 * 1024,
          maxWaitMs: 200,
          revokeTimeoutMs: 1_000,
          sessionTimeoutMs: 1_000,
          ...subscription,
        },
        {
          assigned: (epoch, partitions) => {
            this.assigned.push({ epoch, partitions });
            this.#assigned$.next();
            return starts;
          },
          began: () => of(0),
          revoking: () => of(0),
          lost: () => undefined,
          reading: () => undefined,
          records: (batch) => {
            this.batches.push(batch);
            onBatch?.(batch, this.consumer);
            for (const record of batch.records) this.#records$.next(record);
          },
          logEvent: (_level, what) => this.logEvents.push(what),
        },
      )
      .subscribe({
        next: (consumer) => {
          this.consumer = consumer;
        },
        error: (error: unknown) => {
          this.error = error;
          this.#ended$.next();
        },
        complete: () => {
          this.isComplete = true;
          this.#ended$.next();
        },
      });
  }

  get values(): (string | null)[] {
    return this.batches.flatMap(({ records }) => Array.from(records, ({ value }) => value?.toString() ?? null));
  }

  /** Answers when `assigned` was called, and a turn more, in which its answer is taken. */
  async joined(): Promise<void> {
    await firstValueFrom(this.#assigned$.pipe(timeout(2_000)));
    await new Promise((resolve) => setImmediate(resolve));
  }

  /** Answers when so many records, in all, have come. */
  async until(count: number): Promise<readonly (string | null)[]> {
    const more = count - this.values.length;
    if (more > 0) await firstValueFrom(this.#records$.pipe(take(more), toArray(), timeout(2_000)));
    return this.values;
  }

  /** Answers with the error, or undefined after completion. */
  async ended(): Promise<unknown> {
    if (this.error === undefined && !this.isComplete) await firstValueFrom(this.#ended$.pipe(timeout(2_000)));
    return this.error;
  }

  commit(offset: number, epoch = 1, partition = 0): Promise<unknown> {
    return firstValueFrom(from(this.consumer.commit(epoch, [{ topic: 'chat', partition, offset }])));
  }

  close(): Promise<unknown> {
    return firstValueFrom(from(this.consumer.close()));
  }
}

/** Long enough for anything that would come to have come. */
export function aWhile(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 30));
}

export function numbered(count: number, first = 0): string[] {
  return Array.from({ length: count }, (_, index) => `m${first + index}`);
}

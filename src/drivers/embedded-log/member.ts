import { setImmediate as nextTurn } from 'node:timers/promises';
import { defaultIfEmpty, firstValueFrom, from, lastValueFrom, type ObservableInput, type Subscriber } from 'rxjs';
import { ConnectError, describeError, RxflumeError, SourceError } from '../../core/errors.js';
import type {
  KafkaConsumer,
  KafkaListener,
  KafkaSubscription,
  LogFacts,
  PartitionOffset,
  TopicPartition,
} from '../../ports/kafka-consumer.js';
import type { LogFolder, Reader } from './log-folder.js';
import { toKafkaRecord } from './record.js';
import type { Segment } from './segment.js';

/** The only epoch there is: a group here has one member, so its partitions never move. */
const EPOCH = 1;
/** The longest `close` waits for a commit that is being written. */
const CLOSE_WITHIN_MS = 5_000;

interface OwnedSegment extends TopicPartition {
  readonly segment: Segment;
}

interface Position extends OwnedSegment {
  readonly stream: string;
  offset: number;
  isPaused: boolean;
  /** Counts the seeks, so that what was read for an earlier position is dropped. */
  seeks: number;
}

/**
 * The one member of a group: reads all partitions in turn, a batch at a time, and waits for appends at their ends.
 *
 * Bounds: one batch of one partition, which is passed on before the next is read; after each the loop of Node turns.
 */
export class Member implements KafkaConsumer, Reader {
  readonly groupId: string;
  readonly #folder: LogFolder;
  readonly #subscription: KafkaSubscription;
  readonly #listener: KafkaListener;
  readonly #subscriber: Subscriber<KafkaConsumer>;
  /** What is assigned, from before it is known where to begin. */
  #owned: readonly OwnedSegment[] = [];
  #positions: Position[] = [];
  #isAssigned = false;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(
    folder: LogFolder,
    subscription: KafkaSubscription,
    listener: KafkaListener,
    subscriber: Subscriber<KafkaConsumer>,
  ) {
    this.groupId = subscription.groupId;
    this.#folder = folder;
    this.#subscription = subscription;
    this.#listener = listener;
    this.#subscriber = subscriber;
  }

  /** Joins, is assigned every partition of those topics, and reads until left. Never fails: errors go to the subscriber. */
  async run(topics: readonly string[]): Promise<void> {
    try {
      this.#folder.readers.add(this);
      this.#subscriber.next(this);
      await this.#assign(topics);
      while (!this.#isOver) {
        const wakened = new Promise<void>((wake) => {
          this.#wake = wake;
        });
        if (!(await this.#readTurn())) await wakened;
      }
    } catch (error) {
      // A read that fails because the folder was closed under it says nothing new.
      if (!this.#isOver) this.#subscriber.error(error instanceof RxflumeError ? error : this.#lost(error));
    }
  }

  pause(partitions: readonly TopicPartition[]): void {
    for (const position of this.#of(partitions)) position.isPaused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const position of this.#of(partitions)) position.isPaused = false;
    this.#wake();
  }

  seek(to: PartitionOffset): void {
    for (const position of this.#of([to])) {
      position.offset = to.offset;
      position.seeks += 1;
    }
    this.#wake();
  }

  async commit(epoch: number, offsets: readonly PartitionOffset[]): Promise<void> {
    if (epoch !== EPOCH || !this.#isAssigned || this.#isOver) return;
    await this.#folder.offsets.commit(this.groupId, offsets);
  }

  describeLogs(partitions: readonly TopicPartition[]): ObservableInput<readonly LogFacts[]> {
    return [
      this.#ownedOf(partitions).map(({ topic, partition, segment }) => ({
        topic,
        partition,
        start: 0,
        end: segment.next,
      })),
    ];
  }

  async *offsetsAt(partitions: readonly TopicPartition[], timeMs: number): AsyncIterable<readonly PartitionOffset[]> {
    const found: PartitionOffset[] = [];
    for (const { topic, partition, segment } of this.#ownedOf(partitions)) {
      found.push({ topic, partition, offset: await offsetAt(segment, timeMs) });
    }
    yield found;
  }

  async close(): Promise<void> {
    if (this.#isOver) return;
    this.leave();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_WITHIN_MS);
    });
    await Promise.race([this.#folder.offsets.idle(), late]);
    clearTimeout(timer);
    this.#subscriber.complete();
  }

  /** Stops at once; nothing is passed on afterwards. */
  leave(): void {
    this.#isOver = true;
    this.#folder.readers.delete(this);
    this.#wake();
  }

  wake(): void {
    this.#wake();
  }

  folderClosed(): void {
    this.leave();
    this.#subscriber.error(this.#lost(new Error('the log was closed')));
  }

  async #assign(topics: readonly string[]): Promise<void> {
    const partitions = topics.flatMap((topic) =>
      this.#folder.topics.get(topic).map((segment, partition) => ({ topic, partition, segment })),
    );
    this.#owned = partitions;
    for (const { segment } of partitions) this.#tellOfCut(segment);
    if (this.#isOver) return;
    const asked = partitions.map(({ topic, partition }) => ({ topic, partition }));
    const starts = await firstOf(this.#listener.assigned(EPOCH, asked));
    if (this.#isOver) return;
    const begun = new Set(asked.filter((of) => this.#committed(of) !== undefined).map(({ topic }) => topic));
    const began: PartitionOffset[] = [];
    const positions = partitions.map((of) => {
      const given = starts.find((start) => start.topic === of.topic && start.partition === of.partition);
      const known = given?.offset ?? this.#committed(of);
      const offset = known ?? this.#firstStart(of, begun);
      if (known === undefined) began.push({ topic: of.topic, partition: of.partition, offset });
      return { ...of, stream: `kafka:${of.topic}/${of.partition}`, offset, isPaused: false, seeks: 0 };
    });
    this.#isAssigned = true;
    if (began.length > 0) await lastValueFrom(from(this.#listener.began(EPOCH, began)), { defaultValue: undefined });
    if (!this.#isOver) this.#positions = positions;
  }

  #committed(of: TopicPartition): number | undefined {
    return this.#folder.offsets.get(this.groupId, of);
  }

  /** Where the group has begun a topic, or one that the pattern matches, what it has no position in is new. */
  #firstStart({ topic, segment }: OwnedSegment, begun: ReadonlySet<string>): number {
    const { startAt, topics } = this.#subscription;
    const isNew = topics instanceof RegExp ? begun.size > 0 : begun.has(topic);
    return startAt === 'earliest' || isNew ? 0 : segment.next;
  }

  /** Reads a batch of each partition that has more and is not paused; true when there was one. */
  async #readTurn(): Promise<boolean> {
    let hasRead = false;
    for (const position of this.#positions) {
      checkWithinLog(position);
      if (this.#isOver || position.isPaused || position.offset === position.segment.next) continue;
      await this.#readBatch(position);
      hasRead = true;
      await nextTurn();
    }
    return hasRead;
  }

  async #readBatch(position: Position): Promise<void> {
    const { seeks, segment, topic, partition, stream } = position;
    const stored = await segment.read(position.offset, this.#subscription.maxPartitionBytes);
    if (this.#isOver || position.isPaused || position.seeks !== seeks) return;
    const records = stored.map((record) => toKafkaRecord(position, stream, EPOCH, record));
    position.offset += records.length;
    this.#listener.records({
      topic,
      partition,
      epoch: EPOCH,
      records,
      byteLength: records.reduce((sum, record) => sum + record.byteLength, 0),
      nextOffset: position.offset,
      highWatermark: segment.next,
    });
  }

  #ownedOf(partitions: readonly TopicPartition[]): readonly OwnedSegment[] {
    return this.#owned.filter((owned) => partitions.some((one) => isSame(one, owned)));
  }

  #of(partitions: readonly TopicPartition[]): Position[] {
    return this.#positions.filter((position) => partitions.some((one) => isSame(one, position)));
  }

  #tellOfCut(segment: Segment): void {
    if (segment.cutBytes === 0) return;
    this.#listener.logEvent(
      'warn',
      'RXF_KAFKA_TORN_APPEND',
      `${segment.file} ended in ${segment.cutBytes} bytes of an append that was never answered; they were cut off.`,
    );
  }

  #lost(cause: unknown): ConnectError {
    return new ConnectError(
      'RXF_KAFKA_LOST',
      `Group ${this.groupId} can no longer read the embedded log: ${describeError(cause)}. Subscribe again.`,
      { cause },
    );
  }
}

function isSame(one: TopicPartition, other: TopicPartition): boolean {
  return one.topic === other.topic && one.partition === other.partition;
}

/** The first record of that time or later, or the end: times are those of the appends, so they only grow. */
async function offsetAt(segment: Segment, timeMs: number): Promise<number> {
  let [low, high] = [0, segment.next];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [record] = await segment.read(middle, 1);
    if (record === undefined || record.timestamp >= timeMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A position the log never reached means that it is not the log that was read before. */
function checkWithinLog({ stream, offset, segment }: Position): void {
  if (offset >= 0 && offset <= segment.next) return;
  throw new SourceError(
    'RXF_KAFKA_DATA_LOST',
    `Cannot read ${stream} from offset ${offset}: ${segment.file} has ${segment.next} records. The log was replaced ` +
      'or shortened since it was last read. Bring it back, or start with a new output folder or group.',
    { details: { stream, offset, next: segment.next, file: segment.file } },
  );
}

function firstOf(answer: ObservableInput<readonly PartitionOffset[]>): Promise<readonly PartitionOffset[]> {
  return firstValueFrom(from(answer).pipe(defaultIfEmpty([])));
}

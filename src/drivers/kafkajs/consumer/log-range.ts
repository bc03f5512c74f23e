import { SourceError } from '../../../core/errors.js';
import type { KafkaSubscription, PartitionOffset, StartAt, TopicPartition } from '../../../ports/kafka-consumer.js';
import type { Link } from '../vendor/link.js';
import type { OwnedPartition } from './assignment.js';
import type { Offsets } from './offsets.js';

/** The positions of partitions, by whether the group knew them. */
export interface Starts {
  readonly committed: readonly PartitionOffset[];
  readonly began: readonly PartitionOffset[];
  readonly rejected: Offsets['rejected'];
}

/** Where a group starts in a partition, and whether a position is still within the partition's log. */
export class LogRange {
  readonly #link: Link;
  readonly #subscription: KafkaSubscription;
  /** Topics in which the group had a position before we joined it. */
  #begun: ReadonlySet<string> = new Set();

  constructor(link: Link, subscription: KafkaSubscription) {
    this.#link = link;
    this.#subscription = subscription;
  }

  /**
   * Learns in which topics the group has begun. To be called before each joining: members that join a new group together
   * commit where they begin one after the other, and must not take each other's partitions for new ones.
   */
  async lookBeforeJoining(): Promise<void> {
    // What is new is read from its first offset, as all is with `earliest`.
    if (this.#subscription.startAt === 'earliest') return;
    await this.#link.findCoordinator();
    const { offsets } = await this.#link.committed(this.#link.knownPartitions());
    this.#begun = new Set(offsets.map(({ topic }) => topic));
  }

  /** The committed offsets, and where to begin in partitions that have none. */
  async starts(partitions: readonly TopicPartition[]): Promise<Starts> {
    const { offsets: committed, rejected } = await this.#link.committed(partitions);
    const answered = [...committed, ...rejected];
    const fresh = partitions.filter((one) => !answered.some((known) => isSame(known, one)));
    const { startAt } = this.#subscription;
    const isNew = ({ topic }: TopicPartition) => startAt === 'latest' && this.#hasBegun(topic);
    const first = await this.#bounds(fresh.filter(isNew), 'earliest');
    const others = fresh.filter((one) => !isNew(one));
    const rest = await this.#bounds(others, startAt);
    return {
      committed,
      began: [...first.offsets, ...rest.offsets],
      rejected: [...rejected, ...first.rejected, ...rest.rejected],
    };
  }

  /** All topics of a pattern are one: who reads on in one of them has not chosen to leave out what came to another. */
  #hasBegun(topic: string): boolean {
    return this.#subscription.topics instanceof RegExp ? this.#begun.size > 0 : this.#begun.has(topic);
  }

  async #bounds(partitions: readonly TopicPartition[], at: StartAt): Promise<Offsets> {
    return partitions.length === 0 ? { offsets: [], rejected: [] } : this.#link.bounds(partitions, at);
  }

  /**
   * Asked when a broker has nothing at a position. Resolves where the log does hold it, so that it was a passing state of
   * a new leader; also where the group has read past it and there was nothing, and moves the position over that.
   *
   * Fails: `RXF_KAFKA_DATA_LOST` where the log begins after the position or ends before it. Nothing is skipped.
   */
  async check(owned: OwnedPartition): Promise<void> {
    const { topic, partition, stream, position } = owned;
    const first = await this.#bound(owned, 'earliest');
    const last = await this.#bound(owned, 'latest');
    if (first === undefined || last === undefined || owned.position !== position) return;
    if (position >= first.offset && position <= last.offset) return;
    const { turn } = owned;
    const after = position < first.offset ? await this.#afterNothing(owned, position) : -1;
    if (owned.turn !== turn) return;
    if (after >= first.offset && after <= last.offset) {
      owned.position = after;
      return;
    }
    throw new SourceError(
      'RXF_KAFKA_DATA_LOST',
      `${stream} cannot resume from offset ${position}: Kafka has offsets ${first.offset} to ${last.offset}. ` +
        `${position < first.offset ? expired(first.offset - position) : SHORTENED} ` +
        'Nothing was skipped or committed.',
      { details: { topic, partition, expected: position, available: { first: first.offset, next: last.offset } } },
    );
  }

  /** The group's offset, where there was nothing to read between the position and it; −1 where that is not known. */
  async #afterNothing(owned: OwnedPartition, position: number): Promise<number> {
    const { offsets, rejected } = await this.#link.committed([owned]);
    if (rejected[0] !== undefined) throw rejected[0].error;
    const { offset, emptyFrom } = offsets[0] ?? { offset: -1 };
    return emptyFrom !== undefined && emptyFrom <= position ? offset : -1;
  }

  async #bound(owned: OwnedPartition, at: StartAt): Promise<PartitionOffset | undefined> {
    const { offsets, rejected } = await this.#link.bounds([owned], at);
    if (rejected[0] !== undefined) throw rejected[0].error;
    return offsets[0];
  }
}

function expired(count: number): string {
  return `${count} offsets were deleted before they were read (check the topic's retention).`;
}

/** Whatever is in such a log may be new to the group: to go on at its end would skip it. */
const SHORTENED =
  'The log ends before that offset, so the topic was deleted and recreated, or a broker lost its end. Nothing of a recreated ' +
  'topic has been read yet; if the log lost its end, the remaining records are read a second time.';

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}

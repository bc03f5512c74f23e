import { SourceError } from '../../core/errors.js';
import type { KafkaSubscription, PartitionOffset, StartAt, TopicPartition } from '../../ports/kafka-consumer.js';
import type { OwnedPartition } from './assignment.js';
import type { Link, Places } from './link.js';

/** Where a group starts in a partition, and whether a position still lies in what the partition's log holds. */
export class LogRange {
  readonly #link: Link;
  readonly #subscription: KafkaSubscription;

  constructor(link: Link, subscription: KafkaSubscription) {
    this.#link = link;
    this.#subscription = subscription;
  }

  /** The committed offsets; where there are none, what `startAt` says. */
  async starts(partitions: readonly TopicPartition[]): Promise<Places> {
    const { places: committed, refused } = await this.#link.committed(partitions);
    const answered = [...committed, ...refused];
    const fresh = partitions.filter((one) => !answered.some((known) => isSame(known, one)));
    if (fresh.length === 0) return { places: committed, refused };
    const bounds = await this.#link.bounds(fresh, this.#subscription.startAt);
    return { places: [...committed, ...bounds.places], refused: [...refused, ...bounds.refused] };
  }

  /**
   * Asked when a broker has nothing at a position. Resolves where the log does hold it, so that it was a passing state of
   * a new leader.
   *
   * Fails: `RXF_KAFKA_DATA_LOST` where the log begins after the position or ends before it. Nothing is skipped.
   */
  async check(owned: OwnedPartition): Promise<void> {
    const { topic, partition, stream, position } = owned;
    const first = await this.#bound(owned, 'earliest');
    const last = await this.#bound(owned, 'latest');
    if (first === undefined || last === undefined || owned.position !== position) return;
    if (position >= first.offset && position <= last.offset) return;
    const isExpired = position < first.offset;
    const { groupId } = this.#subscription;
    throw new SourceError(
      'RXF_KAFKA_DATA_LOST',
      `${stream} was to be read from offset ${position}, but Kafka holds ${first.offset} up to ${last.offset}: ` +
        (isExpired
          ? `${first.offset - position} records were deleted before they were read (see the topic's retention). `
          : 'the log is shorter than what was read of it (the topic was made anew, or a broker lost data). ') +
        'Nothing was skipped or committed. To accept the gap, stop every member and run: kafka-consumer-groups.sh ' +
        `--bootstrap-server … --group ${groupId} --topic ${topic}:${partition} --reset-offsets ` +
        `${isExpired ? '--to-earliest' : '--to-latest'} --execute; where \`resumeFrom\` gave the position, change it there.`,
      { details: { topic, partition, expected: position, available: { first: first.offset, next: last.offset } } },
    );
  }

  async #bound(owned: OwnedPartition, at: StartAt): Promise<PartitionOffset | undefined> {
    const { places, refused } = await this.#link.bounds([owned], at);
    if (refused[0] !== undefined) throw refused[0].error;
    return places[0];
  }
}

function isSame(a: TopicPartition, b: TopicPartition): boolean {
  return a.topic === b.topic && a.partition === b.partition;
}

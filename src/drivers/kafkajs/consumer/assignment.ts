import type { CommittedOffset, PartitionOffset, TopicPartition } from '../../../ports/kafka-consumer.js';
import type { RecordSetting } from '../records/record.js';
import type { Membership } from '../vendor/link.js';

/**
 * Why an assignment ends, the weakest first. `rebalance`: the group asks us to join again, our generation holds until we
 * do. `stale`: the group goes on without us. `crashed`: the cluster is out of reach. `closed`: we leave.
 */
export type EndingKind = 'rebalance' | 'stale' | 'crashed' | 'closed';

export interface Ending {
  readonly kind: EndingKind;
  readonly error?: unknown;
}

const ORDER: readonly EndingKind[] = ['rebalance', 'stale', 'crashed', 'closed'];

/** A partition that is ours, in one epoch. */
export class OwnedPartition implements RecordSetting {
  readonly topic: string;
  readonly partition: number;
  readonly stream: string;
  readonly epoch: number;
  /** What is fetched next; −1 until it is known. */
  position = -1;
  /** Counts the seeks: what was asked for in an earlier turn is dropped. */
  turn = 0;
  /** What was committed last, or −1. */
  committed = -1;
  isPaused = false;
  /** Rises with each fetch that brought something of it: who waits longest is asked for first. */
  fed = 0;
  /** Not fetched before, after trouble; by `performance.now()`. */
  waitUntilMs = 0;
  troubles = 0;
  /** The listener has said where to start, or left that open. */
  isAnswered = false;
  /** The group takes it away: nothing more of it is fetched, and what is settled of it is still committed. */
  isLeaving = false;
  /** Its broker did not have it for a moment: what it has now may be another topic of that name. */
  isDoubted = false;

  constructor({ topic, partition }: TopicPartition, epoch: number) {
    this.topic = topic;
    this.partition = partition;
    this.stream = `kafka:${topic}/${partition}`;
    this.epoch = epoch;
  }
}

/**
 * What the group gave us in one epoch of ours: all of it at once by the classic protocol, more and less in time by the consumer
 * protocol. Paused flags and positions begin anew with each partition that is given.
 */
export class Assignment {
  readonly epoch: number;
  readonly membership: Membership;
  /** Resolves at the first reason to end. */
  readonly ending: Promise<EndingKind>;
  /** Resolves when there is no generation left to commit in. */
  readonly gone: Promise<EndingKind>;
  reason: Ending | undefined;
  readonly #byStream = new Map<string, OwnedPartition>();
  #partitions: readonly OwnedPartition[] = [];
  #end: (kind: EndingKind) => void = () => undefined;
  #goneBy: (kind: EndingKind) => void = () => undefined;

  constructor(epoch: number, membership: Membership) {
    this.epoch = epoch;
    this.membership = membership;
    this.add(membership.partitions);
    this.ending = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.gone = new Promise((resolve) => {
      this.#goneBy = resolve;
    });
  }

  get partitions(): readonly OwnedPartition[] {
    return this.#partitions;
  }

  add(partitions: readonly TopicPartition[]): void {
    for (const one of partitions) this.#byStream.set(keyOf(one), new OwnedPartition(one, this.epoch));
    this.#partitions = [...this.#byStream.values()];
  }

  /** Nothing of them is fetched, delivered or committed any more. */
  remove(partitions: readonly OwnedPartition[]): void {
    for (const owned of partitions) {
      owned.isLeaving = true;
      owned.turn += 1;
      if (this.has(owned)) this.#byStream.delete(keyOf(owned));
    }
    this.#partitions = [...this.#byStream.values()];
  }

  get(of: TopicPartition): OwnedPartition | undefined {
    return this.#byStream.get(keyOf(of));
  }

  /** Whether it is that very one, and not one of that name that was given later. */
  has(owned: OwnedPartition): boolean {
    return this.get(owned) === owned;
  }

  /** Nothing is fetched or delivered any more. */
  get isOver(): boolean {
    return this.reason !== undefined;
  }

  /** Nothing may be committed any more. */
  get isGone(): boolean {
    return this.reason !== undefined && this.reason.kind !== 'rebalance';
  }

  /** Ends it, or makes the end that is under way a harder one. */
  end(reason: Ending): void {
    if (this.reason !== undefined && ORDER.indexOf(this.reason.kind) >= ORDER.indexOf(reason.kind)) return;
    this.reason = reason;
    this.#end(reason.kind);
    if (reason.kind !== 'rebalance') this.#goneBy(reason.kind);
  }

  /** Where to read in what has no position yet. */
  setStarts(starts: readonly PartitionOffset[]): void {
    for (const start of starts) {
      const owned = this.get(start);
      if (owned !== undefined && owned.position < 0) owned.position = start.offset;
    }
  }

  seek({ topic, partition, offset }: PartitionOffset): void {
    const owned = this.get({ topic, partition });
    if (owned === undefined) return;
    owned.position = offset;
    owned.turn += 1;
    owned.waitUntilMs = 0;
    // Reading again from before what was committed means that it is to be committed again, the offset itself included.
    if (offset < owned.committed) owned.committed = offset - 1;
  }

  /** What may be committed of these: ours, and beyond what was committed already. */
  committable(offsets: readonly CommittedOffset[]): CommittedOffset[] {
    return offsets.filter((one) => {
      const owned = this.get(one);
      return owned !== undefined && one.offset > owned.committed;
    });
  }

  /** Counts them as committed from now on, so that none below is sent after them; the answer takes that back for some. */
  committing(offsets: readonly PartitionOffset[]): (of: readonly TopicPartition[]) => void {
    const undo = new Map<OwnedPartition, () => void>();
    for (const one of offsets) {
      const owned = this.get(one);
      if (owned === undefined) continue;
      const before = owned.committed;
      owned.committed = one.offset;
      undo.set(owned, () => {
        if (owned.committed === one.offset) owned.committed = before;
      });
    }
    return (of) => {
      for (const one of of) undo.get(this.get(one) as OwnedPartition)?.();
    };
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

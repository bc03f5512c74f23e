import type { Observable, ObservableInput } from 'rxjs';
import type { HeaderList, HeaderMap } from '../core/headers.js';
import type { Origin } from '../delivery/delivery.js';
import type { Fact, ProbeSetting } from '../delivery/probe.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition with an offset in it: where to start, or the next one to read after what is committed. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** What is committed of a partition. */
export interface CommittedOffset extends PartitionOffset {
  /**
   * From here up to `offset` the log held nothing to read: only markers and aborted records. Kept beside the offset, so that a
   * position from a ledger, which knows records alone, may be moved over that when retention has deleted it. Left out where
   * there is no such stretch.
   */
  readonly emptyFrom?: number;
}

/**
 * Where a group starts in a topic of which it has no committed offset. A partition without one in a topic that the group has
 * begun is new, and is read from its first offset; so are topics that a pattern matches, once the group has begun one of them.
 */
export type StartAt = 'earliest' | 'latest';

/** What is known of a partition's log. */
export interface LogFacts extends TopicPartition {
  /** The first offset that it still has; left out where that is not known. */
  readonly start?: number;
  /** The offset after its last record. */
  readonly end: number;
  /** How long it keeps a record, in milliseconds; left out where that is not limited by time, or not ours to know. */
  readonly retentionMs?: number;
}

/**
 * How the members of a group share its partitions out. `classic`: a change revokes all partitions of all members. `consumer`
 * (KIP-848): the broker shares them out, and a change revokes only those that move. `auto`: the consumer protocol, where the brokers
 * offer it and the group has no member of the classic one.
 */
export type GroupProtocol = 'auto' | 'consumer' | 'classic';

export interface KafkaSubscription {
  /** Names, or one pattern that names are matched against. */
  readonly topics: readonly string[] | RegExp;
  readonly groupId: string;
  readonly startAt: StartAt;
  /** The most one fetch may bring of one partition, in bytes; a larger single record comes alone. */
  readonly maxPartitionBytes: number;
  /** The longest the broker may wait to fill a fetch, in milliseconds. */
  readonly maxWaitMs: number;
  /** The longest `revoking` may take before the driver rejoins without it, in milliseconds. */
  readonly revokeTimeoutMs: number;
  /** After how long without a heartbeat the broker gives our partitions away, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /** Left out: `classic`. */
  readonly protocol?: GroupProtocol;
  /** A name of this member that outlives its process: who is back under it within the session timeout has what it had. */
  readonly groupInstanceId?: string;
}

/** One record. Key, headers and value are made from the fetched bytes when asked for, not before. */
export interface KafkaRecord extends Origin {
  readonly topic: string;
  readonly partition: number;
  readonly value: Buffer | null;
  readonly key: Buffer | null;
  readonly timestamp: number;
  readonly headers: HeaderMap;
  /** All of them as they were written: in order, null where null was sent. */
  readonly headerList: HeaderList;
}

/** Records in order, each made when it is asked for. An array is such. */
export interface KafkaRecords extends Iterable<KafkaRecord> {
  readonly length: number;
  at(index: number): KafkaRecord | undefined;
}

/**
 * What one fetch brought of one partition, in order of offset, none below the position asked for. Without records where it
 * only moved on: past the markers of transactions, aborted records, or what compaction removed. Such a position is to be
 * committed too, once all before it is settled: nothing else may ever follow.
 */
export interface KafkaBatch extends TopicPartition {
  /** The assignment epoch it was fetched in. */
  readonly epoch: number;
  readonly records: KafkaRecords;
  /** Sum of the records' `byteLength`. */
  readonly byteLength: number;
  /** The offset the next fetch starts at, always higher than in the batch before; beyond the last record where the log has gaps or markers. */
  readonly nextOffset: number;
  /** The offset after the last record in the partition's log, for the lag. */
  readonly highWatermark: number;
}

/**
 * What the driver calls. It awaits `assigned`, `added` and `revoking`, and never calls two of these at once: where an assignment is
 * over before an answer, it unsubscribes from that, and only then calls `lost` or `assigned`.
 */
export interface KafkaListener {
  /**
   * The group assigned these partitions, in this epoch (one higher each time). Return the start offsets that differ from the
   * group's committed offsets. No record is delivered before that. Where the log begins behind such a start, and the group's
   * commit says that nothing lay between (`emptyFrom`), reading goes on at the group's offset.
   */
  assigned(epoch: number, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]>;
  /**
   * The group assigned these partitions too, in the epoch of the last `assigned`; answered like that. Left out where a listener
   * takes whole assignments only: its group speaks the classic protocol.
   */
  added?(epoch: number, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]>;
  /**
   * Where reading is to begin in partitions for which neither `assigned` nor the group had a position; called after `assigned`,
   * once for each such partition. To be remembered, so that it holds over rebalances and restarts. No record of these
   * partitions comes before the answer.
   */
  began(epoch: number, starts: readonly PartitionOffset[]): ObservableInput<unknown>;
  /** The group is about to revoke these partitions, or all: settle and commit them now. The driver continues afterwards. */
  revoking(partitions?: readonly TopicPartition[]): ObservableInput<unknown>;
  /** These partitions, or all, are lost, with or without `revoking` before: nothing of them may be committed any more. */
  lost(partitions?: readonly TopicPartition[]): void;
  /** Hands a batch over; it must not block. Batches of paused partitions may still come if they were fetched before. */
  records(batch: KafkaBatch): void;
  /**
   * Whether what is assigned can be read and committed now, reported at each change; true is assumed after `assigned`. While
   * it is false, silence does not mean that there is nothing to read.
   */
  reading(isReading: boolean): void;
  /** Something to log; the driver continues by itself. */
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
}

/** A member of the group, from joining to leaving. */
export interface KafkaConsumer {
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Fetches from that offset next. Batches already fetched from elsewhere are dropped by the driver. */
  seek(position: PartitionOffset): void;
  /**
   * Commits the next offset to read of each partition. Does nothing for another epoch than the current one. Fails with
   * `CommitError`.
   */
  commit(epoch: number, offsets: readonly CommittedOffset[]): ObservableInput<unknown>;
  /**
   * Where the logs end now, paused partitions included: for the metrics, at most every 5 s. Answers once, with those that are
   * known. Left out where the driver cannot look that up.
   */
  describeLogs?(partitions: readonly TopicPartition[]): ObservableInput<readonly LogFacts[]>;
  /**
   * The offset of the first record of this time or later, in milliseconds since 1970, or the end of the log where there is none. Answers
   * once, with those that are known. Left out where the driver cannot look that up.
   */
  offsetsAt?(partitions: readonly TopicPartition[], timeMs: number): ObservableInput<readonly PartitionOffset[]>;
  /** Leaves the group and disconnects; answers when done or after a bounded time. Idempotent, never fails. */
  close(): ObservableInput<unknown>;
}

/** What a probe looks at: the topics that are read or written, and the group that reads. */
export interface KafkaProbed {
  readonly use: 'read' | 'write';
  readonly topics: readonly string[] | RegExp;
  readonly groupId?: string;
}

/** A Kafka client library behind one verb. */
export interface KafkaDriver {
  /** For messages, such as `kafka k1:9092,k2:9092`. No secret. */
  readonly name: string;
  /** Where its cluster is reached; drivers with one in common reach the same one. By its name where this is left out. */
  readonly addresses?: readonly string[];
  /** How long the group waits for its members at a rebalance, in milliseconds; left out where it waits forever. */
  readonly rebalanceTimeoutMs?: number;
  /**
   * Cold: subscribing connects and joins the group, then emits the member once; unsubscribing disconnects at once, without
   * commits. Completes after `close`. Fails with `ConnectError` (`RXF_KAFKA_UNREACHABLE`, `…_AUTH`, `…_TOPIC_MISSING`; later
   * `…_LOST`, when reconnecting has failed permanently) or `SourceError`.
   */
  connect(subscription: KafkaSubscription, listener: KafkaListener): Observable<KafkaConsumer>;
  /** Looks at the cluster for `rxflume doctor`; joins nothing, writes nothing. Left out where the library cannot. */
  probe?(probed: KafkaProbed, setting: ProbeSetting): Observable<Fact>;
}

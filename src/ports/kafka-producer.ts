import type { Observable, ObservableInput } from 'rxjs';
import type { RxflumeError } from '../core/errors.js';
import type { HeaderList } from '../core/headers.js';
import type { Fact, ProbeSetting } from '../delivery/probe.js';
import type { KafkaProbed, PartitionOffset, TopicPartition } from './kafka-consumer.js';

/** One record to be written. */
export interface KafkaOutgoing {
  readonly topic: string;
  /** Null: by the key, as Kafka's own producers do it; what has no key goes to each partition in turn, a call at a time. */
  readonly partition: number | null;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  /** Written in this order; a name may occur more than once, and a null stays null. */
  readonly headers: HeaderList;
  /** Milliseconds since 1970; null: the time of the call. */
  readonly timestamp: number | null;
}

export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface KafkaProducing {
  readonly compression: KafkaCompression;
  /** The most bytes one record may have, its key and headers included. */
  readonly maxRecordBytes: number;
  /** How long a call is tried again before it fails, in milliseconds. */
  readonly sendTimeoutMs: number;
  /** After how long the broker aborts a transaction that is neither committed nor taken over, in milliseconds. */
  readonly transactionTimeoutMs: number;
}

/** The outcome of some of the records of a call, by their index in it. */
export interface KafkaSent {
  /** These are on every replica in sync. */
  readonly written: readonly number[];
  /**
   * Permanently: `RXF_KAFKA_RECORD_REJECTED` and `RXF_KAFKA_RECORD_TOO_LARGE`, where it is the record's fault;
   * `RXF_KAFKA_TOPIC_MISSING`, `RXF_KAFKA_AUTH`, `RXF_KAFKA_REJECTED`, where it is that of its topic or of the cluster. Or
   * `RXF_KAFKA_SEND`, where it was not acknowledged in time, and may be written.
   */
  readonly rejected: ReadonlyMap<number, RxflumeError>;
}

/** The transactions of one transactional id, until another producer takes it over. */
export interface KafkaTransactions {
  /**
   * Writes in the transaction that is open, or begins one; one call at a time. Emits as a producer's `send` does. Permanently
   * rejected records are not in it; all others are. Fails as `commit` does.
   */
  send(records: readonly KafkaOutgoing[]): ObservableInput<KafkaSent>;
  /**
   * Commits what was sent and these offsets of the group as one; of the offsets alone, where nothing was sent. Answers when
   * both are done. Fails with `FencedError` (`RXF_KAFKA_FENCED`) where the id was taken by another or timed out, and with
   * `RXF_KAFKA_TRANSACTION` where something was lost on the way: then it may or may not be committed; take the id again and
   * call `committed` to find out. After a failure every call fails.
   */
  commit(groupId: string, offsets: readonly PartitionOffset[]): ObservableInput<unknown>;
}

/** A producer, connected: idempotent, with all replicas in sync acknowledging. */
export interface KafkaProducer {
  /**
   * Writes outside of transactions. Emits outcomes as they become known, names each record once, and completes with the last.
   * Calls may overlap: records of one partition are written in order of the calls, and no partition waits for another; where
   * records are not acknowledged in time, so is nothing behind them in their partition. Fails only with `RXF_SINK_STOPPED`,
   * after the end. A request that was lost is sent again without writing anything twice. `isWanted` is called with the index of
   * a record when its turn comes: if it returns false, the record is not written and fails with `RXF_SINK_STOPPED`.
   */
  send(records: readonly KafkaOutgoing[], isWanted?: (index: number) => boolean): ObservableInput<KafkaSent>;
  /**
   * Takes over a transactional id: its previous owner is fenced, and its open transaction has been aborted, or committed if
   * that was already decided, when this emits. Fails with `ConnectError` (`RXF_KAFKA_UNREACHABLE`, `…_AUTH`) or `SinkError`.
   */
  take(transactionalId: string): ObservableInput<KafkaTransactions>;
  /** The group's committed offsets, of those partitions that have one; waits for those that a transaction is changing. */
  committed(groupId: string, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]>;
}

/** What the driver calls. */
export interface KafkaProducerListener {
  /** Something to log; the driver continues by itself. */
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
}

/** A Kafka client library that writes. */
export interface KafkaProducerDriver {
  /** For messages, such as `kafka k1:9092,k2:9092`. No secret. */
  readonly name: string;
  /** As of `KafkaDriver`. */
  readonly addresses?: readonly string[];
  /**
   * Cold: subscribing connects, then emits the producer once; unsubscribing disconnects at once, and calls then fail with
   * `RXF_SINK_STOPPED`. Fails with `ConnectError` (`RXF_KAFKA_UNREACHABLE`, `…_AUTH`) where no connection can be made; one that was made and
   * lost is made anew at the next call. Throws `OptionError` where it cannot compress like that.
   */
  open(producing: KafkaProducing, listener: KafkaProducerListener): Observable<KafkaProducer>;
  /** As of `KafkaDriver`. */
  probe?(probed: KafkaProbed, setting: ProbeSetting): Observable<Fact>;
}

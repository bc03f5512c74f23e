import { catchError, EMPTY, type Observable } from 'rxjs';
import { CommitError } from '../../core/errors.js';
import { guarded } from '../../lifecycle/guarded.js';
import type { CommittedOffset, KafkaConsumer, PartitionOffset, TopicPartition } from '../../ports/kafka-consumer.js';

/** Longer than a driver asks a broker, and asks another after it. */
export const COMMIT_WITHIN_MS = 60_000;
/** The longest that closing is waited for. */
const CLOSE_WITHIN_MS = 30_000;

/**
 * A consumer whose calls neither throw nor stay without an answer: they are made while a sink acks, and from timers, where
 * nobody would catch what they throw.
 */
export class GuardedConsumer implements KafkaConsumer {
  readonly #consumer: KafkaConsumer;
  readonly #failed: (error: unknown) => void;

  /** `failed` is told what a call threw that has no answer. */
  constructor(consumer: KafkaConsumer, failed: (error: unknown) => void) {
    this.#consumer = consumer;
    this.#failed = failed;
  }

  pause(partitions: readonly TopicPartition[]): void {
    this.#try(() => this.#consumer.pause(partitions));
  }

  resume(partitions: readonly TopicPartition[]): void {
    this.#try(() => this.#consumer.resume(partitions));
  }

  seek(position: PartitionOffset): void {
    this.#try(() => this.#consumer.seek(position));
  }

  commit(epoch: number, offsets: readonly CommittedOffset[]): Observable<unknown> {
    return guarded(() => this.#consumer.commit(epoch, offsets), COMMIT_WITHIN_MS, lateCommit);
  }

  /** What closing fails with changes nothing: the connection is dropped then. */
  close(): Observable<unknown> {
    const late = () => new Error(`not closed within ${CLOSE_WITHIN_MS} ms`);
    return guarded(() => this.#consumer.close(), CLOSE_WITHIN_MS, late).pipe(catchError(() => EMPTY));
  }

  #try(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** Why a commit counts as failed that nobody answered. */
export function lateCommit(): CommitError {
  return new CommitError('RXF_KAFKA_COMMIT', `A commit was not answered within ${COMMIT_WITHIN_MS} ms.`);
}

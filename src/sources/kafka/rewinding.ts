import { Subscription, switchMap, timer } from 'rxjs';
import { describeError, type SourceError, shortName } from '../../core/errors.js';
import type { Metric } from '../../core/monitor.js';
import { NackCounter } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import type { Assignment } from './assignment.js';
import type { GuardedConsumer } from './guarded-consumer.js';
import { nackedError } from './nacked-error.js';
import type { CheckedOptions } from './options.js';
import type { Partition } from './partition.js';
import { resumeOffsets } from './resume.js';

/** What rewinding needs of the session it rewinds for. */
export interface RewindsFor {
  readonly consumer: GuardedConsumer | undefined;
  readonly assignment: Assignment;
  /** Whether partitions are read now; a rewind that comes due while they are not is left out. */
  readonly isTaking: boolean;
  /** A fresh partition, to be read from its position in the answer, or from `fallback` where the ledger has none. */
  partitionFrom(of: TopicPartition, lookup: ReadonlyMap<string, number>, fallback: number): Partition;
  /** Partitions are resumed: what a ledger says of them may be news to the broker. */
  resumed(): void;
  /** A refusal that trying again cannot mend: leave. */
  refused(error: SourceError): void;
}

/**
 * Reads a partition again after a nack: ends its epoch, waits, asks where to take it up, and starts a fresh one there.
 * What was out of it is void and is redelivered; nothing is skipped.
 */
export class Rewinding {
  readonly #session: RewindsFor;
  readonly #options: CheckedOptions;
  readonly #heldBack: Metric;
  readonly #nacks = new NackCounter();
  readonly #life = new Subscription();

  constructor(session: RewindsFor, options: CheckedOptions, heldBack: Metric) {
    this.#session = session;
    this.#options = options;
    this.#heldBack = heldBack;
  }

  refused(partition: Partition, offset: number, cause: unknown): void {
    // Refused once, it waits to be read again already.
    if (!partition.isOver) this.#again(partition, offset, cause);
  }

  /** What was refused and waits to be read again is not drained: leaving now must not look like success. */
  get waiting(): SourceError | undefined {
    for (const partition of this.#session.assignment.partitions) {
      const last = this.#nacks.last(partition);
      if (partition.isOver && last !== undefined) return nackedError(partition, last);
    }
    return undefined;
  }

  end(): void {
    this.#life.unsubscribe();
  }

  #again(partition: Partition, offset: number, cause: unknown): void {
    const refusal = this.#nacks.add(partition, offset, cause);
    const delayMs = redeliverAfterMs(cause, refusal.attempt, this.#options.redeliver);
    if (delayMs === null) {
      this.#session.refused(nackedError(partition, { ...refusal, offset }));
      return;
    }
    const { stream, watermark } = partition;
    const next = `in ${delayMs} ms, attempt ${refusal.attempt} of ${this.#options.redeliver.maxAttempts}`;
    this.#options.monitor.report({
      what: 'RXF_SOURCE_NACKED',
      about: stream,
      message: `${stream} offset ${offset} was refused (${describeError(cause)}); read again ${next}`,
      addition: `${stream} is read again from offset ${watermark.offset} ${next}, because of ${shortName(cause)}.`,
      cause,
    });
    this.#rewind(partition, delayMs);
  }

  #rewind(partition: Partition, delayMs: number): void {
    const { assignment } = this.#session;
    const isStillOurs = () =>
      this.#session.isTaking && this.#session.assignment === assignment && assignment.get(partition) === partition;
    const watermark = partition.watermark.offset;
    partition.end();
    this.#heldBack.add(1);
    this.#session.consumer?.pause([partition]);
    this.#life.add(
      timer(delayMs)
        .pipe(switchMap(() => (isStillOurs() ? resumeOffsets(this.#options, [partition]) : [])))
        .subscribe({
          next: (positions) => {
            if (!isStillOurs()) return;
            const fresh = this.#session.partitionFrom(partition, positions, watermark);
            fresh.committed = partition.committed;
            assignment.replace(fresh);
            this.#session.consumer?.seek({ ...tp(partition), offset: fresh.watermark.offset });
            this.#session.consumer?.resume([partition]);
            this.#session.resumed();
          },
          // The store that knows the position is away: as if it had refused the record once more.
          error: (error: unknown) => {
            if (isStillOurs()) this.#again(partition, watermark, error);
          },
        }),
    );
  }
}

function tp({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}

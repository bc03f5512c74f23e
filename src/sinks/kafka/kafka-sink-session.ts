import type { Subscription } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { loopError } from '../../core/location.js';
import type { Delivery } from '../../delivery/delivery.js';
import { isEpochOver } from '../../delivery/flush-listeners.js';
import { staleError, stoppedError } from '../../delivery/nack-errors.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { KafkaOutgoing } from '../../ports/kafka-producer.js';
import { AtLeastOnce } from './at-least-once.js';
import { ExactlyOnce } from './exactly-once.js';
import type { GroupOffsets } from './group-offsets.js';
import type { CheckedOptions } from './options.js';
import { type MakeRecord, recordMaker } from './record.js';
import { Report } from './report.js';
import type { SharedProducer } from './shared-producer.js';

/** What all subscriptions of a sink have in common. */
export interface SinkParts<T> {
  readonly to: string;
  readonly options: CheckedOptions<T>;
  readonly shared: SharedProducer;
  readonly offsets: GroupOffsets;
  /** Whether a topic is one that the flow reads from. */
  readonly isAvoided: (topic: string) => boolean;
}

/**
 * One subscription of a Kafka sink: makes records, and hands each to the writer of its stream where the stream was resumed
 * from this sink, else to the one for all others.
 */
export class KafkaSinkSession<T> implements SinkSession<T> {
  readonly #parts: SinkParts<T>;
  readonly #connection: Subscription;
  readonly #make: MakeRecord<T>;
  readonly #report: Report;
  readonly #others: AtLeastOnce;
  readonly #streams = new Map<string, ExactlyOnce>();

  constructor(parts: SinkParts<T>, lifecycle: SinkLifecycle) {
    const { options, shared, to } = parts;
    this.#parts = parts;
    this.#connection = shared.keep();
    this.#make = recordMaker(options);
    this.#report = new Report(options.monitor, to, typeof options.topic !== 'string', lifecycle);
    this.#others = new AtLeastOnce(shared, options, this.#report);
  }

  get isIdle(): boolean {
    if (!this.#others.isIdle) return false;
    for (const stream of this.#streams.values()) if (!stream.isIdle) return false;
    return true;
  }

  flush(): void {
    this.#others.flush();
    for (const stream of this.#streams.values()) stream.settle();
  }

  end(): void {
    const cause = stoppedError('Kafka had the record');
    for (const stream of this.#streams.values()) stream.end(cause);
    this.#others.end(cause);
    this.#report.end();
    this.#connection.unsubscribe();
  }

  take(delivery: Delivery<T>): void {
    let record: KafkaOutgoing;
    try {
      record = this.#make(delivery);
      if (this.#parts.isAvoided(record.topic)) throw loopError('Kafka topic', record.topic);
    } catch (cause) {
      this.#report.failed(1, cause);
      delivery.nack(cause);
      return;
    }
    const { offsets } = this.#parts;
    if (delivery.acker.resumeTracker?.resumeFrom === offsets.offsetStore) this.#takeExactlyOnce(delivery, record);
    else if (delivery.acker.isMixed === true && offsets.isAsked) delivery.nack(mixedError(delivery));
    else this.#others.add(delivery, record);
  }

  #takeExactlyOnce(delivery: Delivery<T>, record: KafkaOutgoing): void {
    const writer = this.#writerOf(delivery);
    if (writer === undefined) delivery.nack(staleError(delivery.origin.stream));
    else writer.add(delivery, record);
  }

  #writerOf(delivery: Delivery<T>): ExactlyOnce | undefined {
    const { acker, origin } = delivery;
    const known = this.#streams.get(origin.stream);
    if (known?.flush$ === acker.flush$) return known;
    const resumeTracker = acker.resumeTracker;
    const taken = resumeTracker && this.#parts.offsets.taken(origin.stream, resumeTracker.lookup);
    if (resumeTracker === undefined || taken === undefined) return undefined;
    // A late delivery of an epoch that is over would end the writer of the next. And what a writer that has ended left open
    // would be committed by another without its offsets.
    if (isEpochOver(acker.flush$) || taken.isOpen) return undefined;
    known?.end(staleError(delivery.origin.stream));
    const writer = new ExactlyOnce(taken, resumeTracker, delivery, this.#parts.options, this.#report);
    this.#streams.set(origin.stream, writer);
    return writer;
  }
}

function mixedError({ origin: { stream, offset } }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_SINK_MIXED',
    `A value joined from several streams, ${stream} offset ${offset} first, cannot be written exactly once: a transaction carries the ` +
      'offset of one stream. Take `batch` out, since the sink gathers by itself, or leave `resumeFrom` out.',
    { details: { stream, offset } },
  );
}

import { type Observable, Subscription } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import { staleError } from '../../delivery/nack-errors.js';
import { Batcher } from '../../lifecycle/batcher.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';
import { Written } from './batch.js';
import type { CheckedOptions } from './options.js';
import { recordBytes } from './record.js';
import type { Report } from './report.js';
import type { SharedProducer } from './shared-producer.js';

/** A batch that was passed to the producer. */
interface Sending {
  readonly batch: DeliveryBatch<KafkaOutgoing>;
  readonly request: Subscription;
  /** Sequence numbers of an epoch that is over: nacked, and not to be written, where they are not yet. */
  readonly stale: Set<number>;
  /** How many the broker has not answered for. */
  left: number;
}

/**
 * Sends in batches of all streams together, and acks what the broker has as soon as it says so. Batches are passed to the
 * producer as they are full, and it keeps them in order within each partition: so what cannot be written to one
 * partition, or takes long there, holds up nothing that goes elsewhere.
 *
 * Bounds: one open batch, and those that are not answered, unreleased, so the source's window bounds them.
 */
export class AtLeastOnce {
  readonly #shared: SharedProducer;
  readonly #report: Report;
  readonly #batcher: Batcher<KafkaOutgoing>;
  readonly #sending = new Set<Sending>();

  constructor(shared: SharedProducer, { batch }: Pick<CheckedOptions<never>, 'batch'>, report: Report) {
    this.#shared = shared;
    this.#report = report;
    this.#batcher = new Batcher({
      limits: batch,
      holds: 'all',
      send: (closed) => this.#send(closed),
      over: (isOver) => this.#over(isOver),
    });
  }

  get isIdle(): boolean {
    return this.#batcher.isEmpty && this.#sending.size === 0;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    this.#batcher.take('', delivery, record, recordBytes(record));
  }

  /** Sends what is gathered, after what is before it. */
  flush(): void {
    this.#batcher.closeAll();
  }

  /** Gives everything up. */
  end(cause: unknown): void {
    const open = this.#batcher.end();
    for (const { batch, request } of [...this.#sending]) {
      request.unsubscribe();
      batch.nack(cause);
    }
    for (const batch of open) batch.nack(cause);
  }

  /** What is not written yet of an epoch that is over is not written: it is redelivered, and would be there twice. */
  #over(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    for (const { batch, stale } of this.#sending) {
      for (const [index, delivery] of batch.deliveries.entries()) {
        if (!isOver(delivery.acker.flush$)) continue;
        stale.add(index);
        delivery.nack(staleError(delivery.origin.stream));
      }
    }
    this.#report.idle();
  }

  #send(batch: DeliveryBatch<KafkaOutgoing>): void {
    const sending: Sending = { batch, request: new Subscription(), stale: new Set(), left: batch.size };
    this.#sending.add(sending);
    this.#report.sending(1);
    const call = this.#report.writes.start();
    sending.request.add(() => {
      this.#sending.delete(sending);
      this.#report.sending(-1);
      this.#report.writes.drop(call);
    });
    const isWanted = (index: number) => !sending.stale.has(index);
    const sent$ = this.#shared.using((producer) => producer.send(batch.values, isWanted));
    const ended = (error: unknown) => {
      sending.request.unsubscribe();
      if (sending.left > 0) {
        this.#report.failed(sending.left, error);
        batch.nack(error);
      }
      this.#report.idle();
    };
    sending.request.add(
      sent$.subscribe({
        next: (sent) => {
          this.#report.writes.done(call);
          this.#settle(sending, sent);
        },
        error: ended,
        complete: () => ended(unansweredError()),
      }),
    );
  }

  #settle(sending: Sending, sent: KafkaSent): void {
    const { batch } = sending;
    const written = new Written();
    written.add(batch, sent);
    // First, since a nack may end their epoch.
    written.ackGroup.ack();
    sending.left -= sent.written.length + sent.rejected.size;
    this.#report.nackRejected(batch, sent);
    if (written.values > 0) this.#report.written(written);
  }
}

function unansweredError(): SinkError {
  return new SinkError(
    'RXF_KAFKA_SEND',
    'The producer ended without an answer for every record; those are redelivered. Check that the driver answers for each record once.',
  );
}

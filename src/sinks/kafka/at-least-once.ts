import { type Observable, Subscription, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { FlushListeners } from '../../delivery/flush-listeners.js';
import { staleError } from '../../delivery/nack-errors.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';
import { Batch, Written } from './batch.js';
import type { CheckedOptions } from './options.js';
import type { Report } from './report.js';
import type { SharedProducer } from './shared-producer.js';

/** A batch that was handed to the producer. */
interface UnderWay {
  readonly batch: Batch;
  readonly sending: Subscription;
}

/**
 * Sends in batches of all streams together, and acks what the broker has as soon as it says so. Batches are handed to the
 * producer as they are full, and it keeps them in order within each partition: so what cannot be written to one
 * partition, or takes long there, holds up nothing that goes elsewhere.
 *
 * Bounds: one batch gathered, and those that are not answered, unreleased, so the source's window bounds them.
 */
export class AtLeastOnce {
  readonly #shared: SharedProducer;
  readonly #options: CheckedOptions<never>['batch'];
  readonly #report: Report;
  readonly #flushListeners: FlushListeners;
  readonly #underWay = new Set<UnderWay>();
  #gathered = new Batch();
  #waiting: Subscription | undefined;

  constructor(shared: SharedProducer, { batch }: Pick<CheckedOptions<never>, 'batch'>, report: Report) {
    this.#shared = shared;
    this.#options = batch;
    this.#report = report;
    this.#flushListeners = new FlushListeners({ asked: () => this.flush(), over: (isOver) => this.#end(isOver) });
  }

  get isIdle(): boolean {
    return this.#gathered.size === 0 && this.#underWay.size === 0;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    const { count, bytes, maxWaitMs } = this.#options;
    this.#gathered.add(delivery, record);
    this.#flushListeners.listen(delivery);
    // Its epoch may be over, or ask for what is gathered.
    if (this.#gathered.size === 0) return;
    if (this.#gathered.size >= count || this.#gathered.bytes >= bytes) this.flush();
    else if (this.#gathered.size === 1) this.#waiting = timer(maxWaitMs).subscribe(() => this.flush());
  }

  /** Sends what is gathered, after what is before it. */
  flush(): void {
    this.#waiting?.unsubscribe();
    const batch = this.#gathered;
    this.#gathered = new Batch();
    if (batch.size > 0) this.#send(batch);
    else this.#report.idle();
  }

  /** Gives everything up. */
  end(cause: unknown): void {
    this.#waiting?.unsubscribe();
    this.#flushListeners.end();
    const gathered = this.#gathered;
    this.#gathered = new Batch();
    for (const { batch, sending } of [...this.#underWay]) {
      sending.unsubscribe();
      batch.nack(cause);
    }
    gathered.nack(cause);
  }

  /** What is not written yet of an epoch that is over is not written: it is redelivered, and would be there twice. */
  #end(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    this.#gathered.drop(({ acker }) => isOver(acker.flush$), staleError('The stream'));
    for (const { batch } of this.#underWay) batch.refuseStale(isOver, staleError('The stream'));
    if (this.#gathered.size > 0) return;
    this.#waiting?.unsubscribe();
    this.#report.idle();
  }

  #send(batch: Batch): void {
    const underWay: UnderWay = { batch, sending: new Subscription() };
    this.#underWay.add(underWay);
    this.#report.sending(1);
    underWay.sending.add(() => {
      this.#underWay.delete(underWay);
      this.#report.sending(-1);
    });
    const sent$ = this.#shared.using((producer) => producer.send(batch.records, batch.isWanted));
    const ended = (error: unknown) => {
      underWay.sending.unsubscribe();
      if (batch.left > 0) this.#report.failed(batch.left, error);
      batch.nack(error);
      this.#report.idle();
    };
    underWay.sending.add(
      sent$.subscribe({
        next: (sent) => this.#settle(batch, sent),
        error: ended,
        complete: () => ended(unansweredError()),
      }),
    );
  }

  #settle(batch: Batch, sent: KafkaSent): void {
    const written = new Written();
    written.add(batch, sent);
    // First, since a refusal may be the end of their epoch.
    written.ackGroup.ack();
    batch.answered(sent.written.length + sent.refused.size);
    this.#report.nackRefused(batch, sent);
    if (written.values > 0) this.#report.written(written);
  }
}

function unansweredError(): SinkError {
  return new SinkError(
    'RXF_KAFKA_SEND',
    'The producer ended without an answer for every record; those are redelivered. See that the driver names each record once.',
  );
}

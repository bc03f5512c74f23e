import { type Observable, Subscription, take, timer } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Want } from '../../core/duty.js';
import { Wants } from '../../core/epoch.js';
import { SinkError } from '../../core/errors.js';
import { Queue } from '../../core/queue.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';
import { Batch, nackRefused, Written } from './batch.js';
import type { KafkaBatchOptions } from './options.js';
import type { Report } from './report.js';
import type { SharedProducer } from './shared-producer.js';

/**
 * Sends in batches of all streams together, one under way at a time, and acks a batch when the broker has it: together,
 * since a request takes as long for one stream's records as for all of them; one at a time, so that nothing overtakes what
 * is tried again.
 *
 * Bounds: one batch under way and one gathered; more waits, unreleased, so the source's window bounds it.
 */
export class AtLeastOnce {
  readonly #shared: SharedProducer;
  readonly #options: Required<KafkaBatchOptions>;
  readonly #report: Report;
  readonly #queue = new Queue<Batch>();
  readonly #wants: Wants;
  readonly #over = new WeakSet<Observable<Want>>();
  #gathered = new Batch();
  #waiting: Subscription | undefined;
  #underWay: { readonly batch: Batch; readonly sending: Subscription } | undefined;

  constructor(shared: SharedProducer, options: Required<KafkaBatchOptions>, report: Report) {
    this.#shared = shared;
    this.#options = options;
    this.#report = report;
    this.#wants = new Wants(
      () => this.flush(),
      (wanted) => this.#over.add(wanted),
    );
  }

  get isIdle(): boolean {
    return this.#gathered.size === 0 && this.#queue.size === 0 && this.#underWay === undefined;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    const { count, bytes, maxWaitMs } = this.#options;
    this.#wants.listen(delivery);
    this.#gathered.add(delivery, record);
    if (this.#gathered.size >= count || this.#gathered.bytes >= bytes) this.flush();
    else if (this.#gathered.size === 1) this.#waiting = timer(maxWaitMs).subscribe(() => this.flush());
  }

  /** Sends what is gathered, after what is before it. */
  flush(): void {
    this.#waiting?.unsubscribe();
    if (this.#gathered.size === 0) return;
    this.#queue.add(this.#gathered);
    this.#gathered = new Batch();
    this.#next();
  }

  /** Gives everything up. */
  end(cause: unknown): void {
    this.#waiting?.unsubscribe();
    this.#wants.end();
    const left = [this.#underWay?.batch, ...this.#queue.takeAll(), this.#gathered];
    this.#underWay?.sending.unsubscribe();
    this.#underWay = undefined;
    this.#gathered = new Batch();
    for (const batch of left) batch?.nack(cause);
  }

  #next(): void {
    while (this.#underWay === undefined) {
      const batch = this.#queue.take();
      if (batch === undefined) return;
      batch.drop(({ duty }) => this.#over.has(duty.wanted), readAnewError());
      if (batch.size > 0) this.#send(batch);
      else this.#report.idle();
    }
  }

  #send(batch: Batch): void {
    const underWay = { batch, sending: new Subscription() };
    this.#underWay = underWay;
    this.#report.sending(1);
    const ended = (settle: () => void) => {
      if (this.#underWay !== underWay) return;
      this.#underWay = undefined;
      this.#report.sending(-1);
      settle();
      this.#next();
      this.#report.idle();
    };
    const sent$ = this.#shared.using((producer) => producer.send(batch.records)).pipe(take(1));
    underWay.sending.add(
      sent$.subscribe({
        next: (sent) => ended(() => this.#settle(batch, sent)),
        error: (error: unknown) =>
          ended(() => {
            batch.nack(error);
            this.#report.failed(batch.size, error);
          }),
      }),
    );
  }

  #settle(batch: Batch, sent: KafkaSent): void {
    const written = new Written();
    written.add(batch, sent);
    // First, since a refusal may be the end of their epoch.
    written.holding.ack();
    nackRefused(batch, sent);
    const [first] = sent.refused.values();
    if (first !== undefined) this.#report.failed(sent.refused.size, first);
    this.#report.written(written);
  }
}

function readAnewError(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'The stream is read anew; its values come again.');
}

import { type Observable, Subscription, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FlushSignal, ResumeTracker } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { staleError } from '../../delivery/nack-errors.js';
import type { Call } from '../../lifecycle/call-timer.js';
import { CommitGate, orderError } from '../../lifecycle/commit-gate.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';
import { Batch, Written } from './batch.js';
import type { CheckedOptions } from './options.js';
import type { Report } from './report.js';
import type { TransactionalStream } from './transactional-stream.js';

/** What one transaction takes: everything of the stream from where the last one ended up to its cut. */
interface TransactionBatch {
  readonly written: Written;
  /** The offset after the last of it. */
  cut: number;
  /** Nothing at or above the cut comes to it any more. */
  isEnded: boolean;
  /** All that belongs below the cut is in it, or acked. */
  isWhole: boolean;
}

/**
 * Writes one stream, for one epoch, in transactions: records as they come, then the offset up to which they go, and all
 * of it becomes visible as one. A transaction ends only where everything before its cut is in it or acked; stragglers go
 * into the one they belong to.
 *
 * Settles: acks when the transaction is committed. After a failure nacks everything that is not, also what comes after,
 * until the stream is resumed.
 * Bounds: one batch under way and one gathered; what was written is a bit each.
 */
export class ExactlyOnce {
  readonly flush$: Observable<FlushSignal>;
  readonly #stream: string;
  readonly #taken: TransactionalStream;
  readonly #gate: CommitGate;
  readonly #options: Pick<CheckedOptions<never>, 'batch' | 'transaction'>;
  readonly #report: Report;
  readonly #life = new Subscription();
  /** Of the span that has ended, while there is one; then nothing of the next may be sent. */
  #ended: TransactionBatch | undefined;
  #stragglers = new Batch();
  #transactionBatch: TransactionBatch | undefined;
  #gathered = new Batch();
  #lingering = Subscription.EMPTY;
  #interval = Subscription.EMPTY;
  #underWay: Batch | undefined;
  #isFlushing = false;
  #isCommitting = false;
  /** The batch or the commit that is under way. */
  #call: Call | undefined;
  /** The next transaction is to be committed at once. */
  #isSettling = false;
  #over: unknown;

  constructor(
    taken: TransactionalStream,
    resumeTracker: ResumeTracker,
    first: Delivery<unknown>,
    options: Pick<CheckedOptions<never>, 'batch' | 'transaction'>,
    report: Report,
  ) {
    this.#taken = taken;
    this.#gate = new CommitGate(first, resumeTracker);
    this.#options = options;
    this.#report = report;
    this.#stream = first.origin.stream;
    this.flush$ = first.acker.flush$;
    this.#life.add(
      this.flush$.subscribe({
        next: (signal) => this.#answer(signal),
        complete: () => this.end(staleError(this.#stream)),
      }),
    );
  }

  get isIdle(): boolean {
    return this.#transactionBatch === undefined && this.#ended === undefined;
  }

  add(delivery: Delivery<unknown>, record: KafkaOutgoing): void {
    const { offset, lastOffset = offset } = delivery.origin;
    if (this.#over !== undefined) {
      delivery.nack(this.#over);
    } else if (offset < this.#gate.next) {
      this.#addLate(delivery, record, lastOffset);
    } else {
      this.#addInOrder(delivery, record, lastOffset);
    }
  }

  /** Commits what there is, as soon as it may be. */
  settle(): void {
    if (this.#ended !== undefined) this.#isSettling = this.#transactionBatch !== undefined;
    else this.#endTransactionBatch();
  }

  /** Gives everything up. What is open is aborted by the next producer that resumes the stream, or by the broker in time. */
  end(cause: unknown): void {
    if (this.#over !== undefined) return;
    this.#over = cause;
    this.#life.unsubscribe();
    this.#lingering.unsubscribe();
    this.#interval.unsubscribe();
    if (this.#underWay !== undefined) this.#report.sending(-1);
    if (this.#call !== undefined) {
      this.#report.writes.drop(this.#call);
      this.#report.commits.drop(this.#call);
    }
    const batches = [this.#underWay, this.#stragglers, this.#gathered];
    const spans = [this.#ended, this.#transactionBatch];
    this.#underWay = undefined;
    this.#stragglers = new Batch();
    this.#gathered = new Batch();
    this.#ended = undefined;
    this.#transactionBatch = undefined;
    for (const transactionBatch of spans) transactionBatch?.written.ackGroup.nack(cause);
    for (const batch of batches) batch?.nack(cause);
    this.#report.idle();
  }

  #answer(signal: FlushSignal): void {
    if (signal === 'settle') this.settle();
    else this.#flush();
  }

  #addInOrder(delivery: Delivery<unknown>, record: KafkaOutgoing, lastOffset: number): void {
    const { batch, transaction } = this.#options;
    const transactionBatch = this.#transactionBatch ?? this.#begin();
    transactionBatch.cut = Math.max(transactionBatch.cut, lastOffset + 1);
    this.#gathered.add(delivery, record);
    if (transactionBatch.written.values + this.#gathered.size >= transaction.count) this.settle();
    else if (this.#gathered.size >= batch.count || this.#gathered.bytes >= batch.bytes) this.#flush();
    else if (this.#gathered.size === 1) {
      this.#lingering.unsubscribe();
      this.#lingering = timer(batch.maxWaitMs).subscribe(() => this.#flush());
    }
  }

  #addLate(delivery: Delivery<unknown>, record: KafkaOutgoing, lastOffset: number): void {
    const ended = this.#ended;
    if (ended === undefined || this.#isCommitting || lastOffset >= ended.cut) {
      delivery.nack(orderError(delivery));
      return;
    }
    this.#stragglers.add(delivery, record);
    this.#pump();
  }

  #begin(): TransactionBatch {
    this.#transactionBatch = { written: new Written(), cut: this.#gate.next, isEnded: false, isWhole: false };
    this.#interval.unsubscribe();
    this.#interval = timer(this.#options.transaction.intervalMs).subscribe(() => this.settle());
    return this.#transactionBatch;
  }

  #flush(): void {
    this.#isFlushing = true;
    this.#pump();
  }

  /** What is gathered belongs to the span that ends here; what comes at or above its cut is of the next. */
  #endTransactionBatch(): void {
    const transactionBatch = this.#transactionBatch;
    if (transactionBatch === undefined) return;
    this.#transactionBatch = undefined;
    this.#ended = transactionBatch;
    transactionBatch.isEnded = true;
    this.#interval.unsubscribe();
    this.#lingering.unsubscribe();
    const whole$ = this.#gate.end(transactionBatch.cut);
    this.#isSettling = false;
    this.#stragglers = this.#gathered;
    this.#gathered = new Batch();
    transactionBatch.written.ackGroup.hold();
    this.#life.add(
      whole$.subscribe({
        error: (error: unknown) => this.#fail(error),
        complete: () => {
          transactionBatch.isWhole = true;
          this.#pump();
        },
      }),
    );
    this.#pump();
  }

  /** Does what is to be done next, one thing at a time. */
  #pump(): void {
    if (this.#over !== undefined || this.#underWay !== undefined || this.#isCommitting) return;
    const ended = this.#ended;
    if (ended !== undefined) {
      if (this.#stragglers.size > 0) {
        const batch = this.#stragglers;
        this.#stragglers = new Batch();
        this.#send(batch, ended);
      } else if (ended.isWhole) this.#commit(ended);
      return;
    }
    if (!this.#isFlushing || this.#gathered.size === 0 || this.#transactionBatch === undefined) return;
    this.#isFlushing = false;
    const batch = this.#gathered;
    this.#gathered = new Batch();
    this.#lingering.unsubscribe();
    this.#send(batch, this.#transactionBatch);
  }

  #send(batch: Batch, transactionBatch: TransactionBatch): void {
    this.#underWay = batch;
    this.#taken.isOpen = true;
    this.#report.sending(1);
    this.#call = this.#report.writes.start();
    this.#life.add(
      this.#taken.send(batch.values).subscribe({
        next: (sent) => this.#sent(batch, sent, transactionBatch),
        error: (error: unknown) => this.#fail(error),
      }),
    );
  }

  #sent(batch: Batch, sent: KafkaSent, transactionBatch: TransactionBatch): void {
    this.#underWay = undefined;
    this.#report.sending(-1);
    if (this.#call !== undefined) this.#report.writes.done(this.#call);
    if (sent.written.length + sent.rejected.size < batch.size) {
      this.#fail(unansweredError(this.#stream), batch);
      return;
    }
    transactionBatch.written.add(batch, sent);
    for (const index of sent.written) {
      const delivery = batch.deliveries[index] as Delivery<unknown>;
      delivery.release();
      if (transactionBatch.isEnded) delivery.acker.hold(delivery.seq, delivery.seq + 1);
    }
    this.#report.nackRejected(batch, sent);
    this.#pump();
  }

  #commit(transactionBatch: TransactionBatch): void {
    this.#isCommitting = true;
    this.#call = this.#report.commits.start();
    const offset = this.#gate.commitUpTo(transactionBatch.cut, this.#transactionBatch !== undefined);
    this.#life.add(
      this.#taken.commit(offset).subscribe({
        error: (error: unknown) => this.#fail(error),
        complete: () => this.#committed(transactionBatch),
      }),
    );
  }

  #committed({ written }: TransactionBatch): void {
    this.#isCommitting = false;
    if (this.#call !== undefined) this.#report.commits.done(this.#call);
    this.#taken.isOpen = false;
    this.#ended = undefined;
    written.ackGroup.ack();
    this.#report.committed();
    this.#report.written(written);
    if (this.#isSettling) this.#endTransactionBatch();
    else this.#pump();
    this.#report.idle();
  }

  #fail(error: unknown, unanswered?: Batch): void {
    if (this.#over !== undefined) return;
    const values = (this.#ended?.written.values ?? 0) + (this.#transactionBatch?.written.values ?? 0);
    this.#report.failed(values, error);
    unanswered?.nack(error);
    this.end(error);
  }
}

function unansweredError(stream: string): SinkError {
  return new SinkError(
    'RXF_KAFKA_TRANSACTION',
    `${stream}: the producer ended without an answer for every record of a transaction. It is aborted, and its values are ` +
      'redelivered. Check that the driver answers for each record once.',
  );
}

import { timer } from 'rxjs';
import { backoffMs } from '../../backpressure/backoff.js';
import { timeOfDayMs } from '../../core/clock.js';
import { isRetryable, RxflumeError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import { shownUrl } from '../../core/shown-url.js';
import { nackErrorOf as refusalOfCause } from '../../delivery/nack-errors.js';
import type { HttpAnswer, HttpClient } from '../../ports/http-client.js';
import { nackErrorOf } from './nack-errors.js';
import type { CheckedOptions } from './options.js';
import type { OutgoingBatch } from './outgoing-batch.js';
import { requestOf, type Sent } from './request.js';
import { SendQueue } from './send-queue.js';
import { Target } from './target.js';
import { type Verdict, verdictOf } from './verdict.js';

/** What a sender tells the session it belongs to. */
export interface SenderReport {
  /** The server has said yes to it; how many bytes were sent. */
  taken(outgoing: OutgoingBatch, bytes: number): void;
  /** It is given up. */
  refused(outgoing: OutgoingBatch, cause: RxflumeError): void;
  /** It is sent again. */
  resending(outgoing: OutgoingBatch): void;
  /** Its epoch is over. */
  dropped(outgoing: OutgoingBatch): void;
  logEvent(level: 'info' | 'warn', what: string, message: string): void;
  report(failure: Failure): void;
  /** Nothing waits, and nothing is under way. */
  idle(): void;
  /** How many requests are under way. */
  changed(inFlight: number): void;
}

/**
 * Sends parcels: those of a lane one after the other, and `concurrency` at once of all; again where that may help.
 *
 * Bounds: `concurrency` bodies; what waits is unreleased, so the source's window bounds it. A parcel is given up after
 * `retry.attempts`, or `retry.timeLimitMs` and one request, and with it what waits for a target whose breaker is open.
 */
export class Sender {
  readonly #client: HttpClient;
  readonly #options: CheckedOptions<never>;
  readonly #report: SenderReport;
  readonly #sendQueues = new Map<string, SendQueue>();
  readonly #targets = new Map<string, Target>();
  #inFlight = 0;
  #isDispatching = false;
  #isOver = false;

  constructor(client: HttpClient, options: CheckedOptions<never>, report: SenderReport) {
    this.#client = client;
    this.#options = options;
    this.#report = report;
  }

  get isIdle(): boolean {
    return this.#sendQueues.size === 0;
  }

  add(name: string, outgoing: OutgoingBatch): void {
    const busy = this.#sendQueues.get(name);
    const sendQueue = busy ?? new SendQueue(name);
    sendQueue.add(outgoing);
    if (busy !== undefined) return;
    this.#sendQueues.set(name, sendQueue);
    this.#goOn(sendQueue);
    this.#dispatch();
  }

  /** Drops what waits of an epoch that is over; what is under way of it is not sent again. */
  remove(isOver: (flush$: OutgoingBatch['flush$']) => boolean): void {
    const isOfIt = (outgoing: OutgoingBatch) => isOver(outgoing.flush$);
    for (const sendQueue of [...this.#sendQueues.values()]) {
      for (const outgoing of sendQueue.remove(isOfIt)) this.#report.dropped(outgoing);
      const { current } = sendQueue;
      if (current === undefined || !isOfIt(current)) continue;
      if (sendQueue.isTrying) sendQueue.isVoid = true;
      else this.#report.dropped(this.#goOn(sendQueue));
    }
    this.#dispatch();
  }

  /** Gives everything up; what was not taken. */
  close(): OutgoingBatch[] {
    this.#isOver = true;
    const left: OutgoingBatch[] = [];
    for (const sendQueue of this.#sendQueues.values()) {
      sendQueue.stop();
      if (sendQueue.current !== undefined) left.push(sendQueue.current);
      left.push(...sendQueue.remove(() => true));
    }
    for (const target of this.#targets.values()) target.close();
    this.#sendQueues.clear();
    this.#inFlight = 0;
    this.#report.changed(0);
    return left;
  }

  /**
   * The lane's next parcel, if it has one, waits for its try; what it was at before. To be called before that one is
   * settled: a source may end its epoch, or bring more, within the call.
   */
  #goOn(sendQueue: SendQueue): OutgoingBatch {
    const before = sendQueue.current as OutgoingBatch;
    sendQueue.target?.users.delete(sendQueue);
    const outgoing = sendQueue.next();
    sendQueue.target = outgoing && this.#targetOf(outgoing);
    if (sendQueue.target === undefined) this.#sendQueues.delete(sendQueue.name);
    else {
      sendQueue.target.users.add(sendQueue);
      sendQueue.target.add(sendQueue.ticket(), 'first');
    }
    return before;
  }

  #targetOf({ url }: OutgoingBatch): Target {
    const { origin } = new URL(url);
    let target = this.#targets.get(origin);
    if (target === undefined) {
      target = new Target(origin, this.#options, () => this.#dispatch());
      this.#targets.set(origin, target);
    }
    return target;
  }

  /** Begins what may begin: one of each target in turn. */
  #dispatch(): void {
    if (this.#isDispatching || this.#isOver) return;
    this.#isDispatching = true;
    let hasBegun = true;
    while (hasBegun) {
      hasBegun = false;
      for (const target of [...this.#targets.values()]) {
        if (this.#isOver || this.#inFlight >= this.#options.concurrency) break;
        const sendQueue = target.take();
        if (sendQueue === undefined) continue;
        hasBegun = true;
        this.#try(sendQueue, target);
      }
    }
    for (const target of this.#targets.values()) if (target.isForgettable) this.#targets.delete(target.origin);
    this.#isDispatching = false;
    if (this.isIdle) this.#report.idle();
  }

  #try(sendQueue: SendQueue, target: Target): void {
    const current = sendQueue.current as OutgoingBatch;
    this.#inFlight += 1;
    sendQueue.begin();
    sendQueue.limit ??= timer(this.#options.retry.timeLimitMs).subscribe(() => this.#late(sendQueue));
    target.began();
    this.#report.changed(this.#inFlight);
    const over = () => {
      this.#inFlight -= 1;
      sendQueue.isTrying = false;
      this.#report.changed(this.#inFlight);
    };
    sendQueue.waiting.add(
      requestOf(this.#client, current, this.#options).subscribe({
        next: (sent) => {
          over();
          this.#answered(sendQueue, target, sent);
          this.#dispatch();
        },
        error: (cause: unknown) => {
          over();
          this.#failed(sendQueue, target, cause);
          this.#dispatch();
        },
      }),
    );
  }

  #answered(sendQueue: SendQueue, target: Target, { headers, bytes, answer }: Sent): void {
    const outgoing = sendQueue.current as OutgoingBatch;
    const { method } = this.#options;
    let verdict: Verdict;
    try {
      verdict = this.#judge(outgoing, answer);
    } catch (cause) {
      target.answered();
      this.#refuse(sendQueue, refusalOfPiece(cause, outgoing));
      return;
    }
    if (verdict.what === 'again') {
      const { maxRetryAfterMs } = this.#options.retry;
      const cause = nackErrorOf(verdict, { method, outgoing, headers, answer });
      this.#tryAgain(sendQueue, target, cause, Math.min(verdict.afterMs, maxRetryAfterMs));
      return;
    }
    this.#heard(target);
    if (verdict.what === 'taken') this.#report.taken(this.#goOn(sendQueue), bytes);
    else if (verdict.what === 'halve') {
      sendQueue.halve();
      this.#goOn(sendQueue);
    } else this.#refuse(sendQueue, nackErrorOf(verdict, { method, outgoing, headers, answer }));
  }

  #judge(outgoing: OutgoingBatch, answer: HttpAnswer): Verdict {
    const { refuse, whyRefused, idempotencyHeader } = this.#options;
    const hasKey = idempotencyHeader !== null;
    return verdictOf(answer, { values: outgoing.pieces.length, hasKey, refuse, whyRefused, now: timeOfDayMs() });
  }

  #failed(sendQueue: SendQueue, target: Target, cause: unknown): void {
    const error = refusalOfPiece(cause, sendQueue.current as OutgoingBatch);
    // One answer that is damaged is no reason to stop; if all are, the setup is wrong.
    if (isRetryable(error) || error.code === 'RXF_HTTP_PROTOCOL') {
      this.#tryAgain(sendQueue, target, error, 0);
      return;
    }
    target.left();
    this.#refuse(sendQueue, error);
  }

  #tryAgain(sendQueue: SendQueue, target: Target, cause: RxflumeError, pauseMs: number): void {
    const wasOpen = target.isOpen;
    target.failed(pauseMs);
    if (!wasOpen && target.isOpen) {
      const next = `${target.origin} fails again and again: all waits.`;
      this.#report.report({
        what: cause.code,
        about: shownUrl((sendQueue.current as OutgoingBatch).url),
        message: sentence(next, cause.message),
        addition: next,
        cause,
      });
    }
    sendQueue.failures += 1;
    sendQueue.lastCause = cause;
    const { retry } = this.#options;
    if (sendQueue.isVoid) {
      this.#report.dropped(this.#goOn(sendQueue));
      return;
    }
    if (sendQueue.isLate || sendQueue.failures > retry.attempts) {
      this.#giveUp(sendQueue, target, cause);
      return;
    }
    this.#report.resending(sendQueue.current as OutgoingBatch);
    const delayMs = Math.max(pauseMs, backoffMs(sendQueue.failures, retry));
    sendQueue.waiting.add(
      timer(delayMs).subscribe(() => {
        target.add(sendQueue.ticket(), 'again');
        this.#dispatch();
      }),
    );
  }

  /** Its time is over while it waits for another try. */
  #late(sendQueue: SendQueue): void {
    sendQueue.isLate = true;
    if (sendQueue.isTrying || sendQueue.lastCause === undefined || sendQueue.target === undefined) return;
    this.#giveUp(sendQueue, sendQueue.target, sendQueue.lastCause);
    this.#dispatch();
  }

  #giveUp(sendQueue: SendQueue, target: Target, cause: RxflumeError): void {
    this.#refuse(sendQueue, cause);
    if (!target.isOpen) return;
    // Nothing gets through: who waits for it would wait for as long, one after the other.
    for (const ticket of target.takeAll()) if (ticket.sendQueue.isValid(ticket)) this.#refuse(ticket.sendQueue, cause);
  }

  #refuse(sendQueue: SendQueue, cause: RxflumeError): void {
    this.#report.refused(this.#goOn(sendQueue), cause);
  }

  #heard(target: Target): void {
    const wasOpen = target.isOpen;
    target.answered();
    if (wasOpen) this.#report.logEvent('info', 'http.resumed', `${target.origin} answers again.`);
  }
}

/** An error of ours, whatever was thrown. */
function refusalOfPiece(cause: unknown, outgoing: OutgoingBatch): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  const [first] = outgoing.pieces;
  return refusalOfCause(cause, { code: 'RXF_SINK_WRITE', what: 'send' }, first as NonNullable<typeof first>);
}

import { Subscription, timer } from 'rxjs';
import { backoffMs } from '../../backpressure/backoff.js';
import { timeOfDayMs } from '../../core/clock.js';
import { describeError, isRetryable, RxflumeError } from '../../core/errors.js';
import { Queue } from '../../core/queue.js';
import { sentence } from '../../core/sentence.js';
import { shownUrl } from '../../core/text.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import { nackErrorOf as nackErrorOfCause } from '../../delivery/nack-errors.js';
import type { BatchOutcomes } from '../../lifecycle/batch-outcomes.js';
import type { HttpAnswer, HttpClient } from '../../ports/http-client.js';
import { nackErrorOf } from './nack-errors.js';
import type { CheckedOptions } from './options.js';
import { type HttpPayload, requestOf, type Sent } from './request.js';
import { Target } from './target.js';
import { type Verdict, verdictOf } from './verdict.js';

/** Batches that are sent one after the other, also the halves of these. */
interface SendQueue {
  readonly name: string;
  readonly waiting: Queue<HttpPayload>;
  current: Sending | undefined;
}

/** The first batch of a queue, until it is settled or halved. */
class Sending {
  readonly batch: HttpPayload;
  readonly queue: SendQueue;
  readonly target: Target<Sending>;
  failures = 0;
  /** How it failed last. */
  lastCause: RxflumeError | undefined;
  isTrying = false;
  /** It was tried for as long as is allowed. */
  isLate = false;
  /** Its epoch is over: it is redelivered by itself. */
  isStale = false;
  isSettled = false;
  /** The request in flight, or the wait for the next. */
  readonly life = new Subscription();
  /** Counts the time since the first attempt. */
  limit: Subscription | undefined;

  constructor(batch: HttpPayload, queue: SendQueue, target: Target<Sending>) {
    this.batch = batch;
    this.queue = queue;
    this.target = target;
    target.users += 1;
    target.add(this, 'first');
  }

  end(): void {
    this.isSettled = true;
    this.target.users -= 1;
    this.life.unsubscribe();
  }
}

/**
 * Sends batches: those of a queue one after the other, and `maxInFlight` at once of all; again where that may help.
 *
 * Bounds: `maxInFlight` bodies; what waits is unreleased, so the source's window bounds it. A batch is given up after
 * `retry.maxAttempts`, or `sendTimeoutMs` and one request, and with it what waits for a target whose breaker is open.
 */
export class Sender {
  readonly #client: HttpClient;
  readonly #options: CheckedOptions<never>;
  readonly #outcomes: BatchOutcomes;
  readonly #queues = new Map<string, SendQueue>();
  readonly #targets = new Map<string, Target<Sending>>();
  #inFlight = 0;
  #isDispatching = false;
  #isOver = false;

  constructor(client: HttpClient, options: CheckedOptions<never>, outcomes: BatchOutcomes) {
    this.#client = client;
    this.#options = options;
    this.#outcomes = outcomes;
  }

  get isIdle(): boolean {
    return this.#queues.size === 0;
  }

  add(name: string, batch: HttpPayload): void {
    const busy = this.#queues.get(name);
    const queue = busy ?? { name, waiting: new Queue(), current: undefined };
    queue.waiting.add(batch);
    if (busy !== undefined) return;
    this.#queues.set(name, queue);
    this.#next(queue);
    this.#dispatch();
  }

  /** Drops what waits of an epoch that is over; what is in flight of it is not sent again. */
  remove(isOver: (flush$: HttpPayload['flush$']) => boolean): void {
    for (const { waiting, current } of [...this.#queues.values()]) {
      for (const batch of waiting.takeOut(({ flush$ }) => isOver(flush$))) this.#outcomes.dropped(batch);
      if (current === undefined || current.isSettled || !isOver(current.batch.flush$)) continue;
      if (current.isTrying) current.isStale = true;
      else this.#outcomes.dropped(this.#done(current));
    }
    this.#dispatch();
  }

  /** Gives everything up; returns what was not taken. */
  close(): DeliveryBatch<unknown>[] {
    this.#isOver = true;
    const left: DeliveryBatch<unknown>[] = [];
    for (const { waiting, current } of this.#queues.values()) {
      current?.life.unsubscribe();
      if (current !== undefined) left.push(current.batch);
      left.push(...waiting.takeAll());
    }
    for (const target of this.#targets.values()) target.close();
    this.#queues.clear();
    this.#changeInFlight(-this.#inFlight);
    return left;
  }

  /** The next batch of the queue, if it has one, waits for its turn. */
  #next(queue: SendQueue): void {
    const batch = queue.waiting.take();
    if (batch === undefined) this.#queues.delete(queue.name);
    else queue.current = new Sending(batch, queue, this.#targetOf(batch));
  }

  /**
   * Goes on to the next batch of its queue. To be called before the batch, which it returns, is settled: a source may end its
   * epoch, or bring more, within the call.
   */
  #done(sending: Sending): HttpPayload {
    sending.end();
    this.#next(sending.queue);
    return sending.batch;
  }

  #targetOf({ to }: HttpPayload): Target<Sending> {
    const { origin } = new URL(to);
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
        if (this.#isOver || this.#inFlight >= this.#options.maxInFlight) break;
        const sending = target.take();
        if (sending === undefined) continue;
        hasBegun = true;
        this.#try(sending);
      }
    }
    for (const target of this.#targets.values()) if (target.isForgettable) this.#targets.delete(target.origin);
    this.#isDispatching = false;
    if (this.isIdle) this.#outcomes.completeIfIdle();
  }

  #try(sending: Sending): void {
    sending.isTrying = true;
    sending.limit ??= timer(this.#options.sendTimeoutMs).subscribe(() => this.#late(sending));
    sending.life.add(sending.limit);
    sending.target.breaker.began();
    this.#changeInFlight(1);
    const { writes } = this.#outcomes;
    const call = writes.start();
    sending.life.add(() => writes.drop(call));
    const over = (judge: () => void) => {
      sending.isTrying = false;
      this.#changeInFlight(-1);
      judge();
      this.#dispatch();
    };
    sending.life.add(
      requestOf(this.#client, sending.batch, this.#options).subscribe({
        next: (sent) => {
          writes.done(call);
          over(() => this.#answered(sending, sent));
        },
        error: (cause: unknown) => {
          writes.drop(call);
          over(() => this.#failed(sending, cause));
        },
      }),
    );
  }

  #changeInFlight(by: number): void {
    this.#inFlight += by;
    this.#outcomes.inFlight(this.#inFlight);
  }

  #answered(sending: Sending, { headers, bytes, answer }: Sent): void {
    const { batch, target } = sending;
    const { method } = this.#options;
    let verdict: Verdict;
    try {
      verdict = this.#judge(batch, answer);
    } catch (cause) {
      target.breaker.succeeded();
      this.#reject(sending, errorOf(cause, batch));
      return;
    }
    if (verdict.what === 'again') {
      const { maxRetryAfterMs } = this.#options.retry;
      const cause = nackErrorOf(verdict, { method, batch, headers, answer });
      this.#tryAgain(sending, cause, Math.min(verdict.afterMs, maxRetryAfterMs));
      return;
    }
    this.#heard(target);
    if (verdict.what === 'taken') this.#outcomes.taken(this.#done(sending), shownUrl(batch.to), bytes);
    else if (verdict.what === 'halve') {
      sending.queue.waiting.putFirst(batch.halves());
      this.#done(sending);
    } else this.#reject(sending, nackErrorOf(verdict, { method, batch, headers, answer }));
  }

  #judge({ size: values }: HttpPayload, answer: HttpAnswer): Verdict {
    const { reject, whyRejected, idempotencyHeader } = this.#options;
    const hasKey = idempotencyHeader !== null;
    return verdictOf(answer, { values, hasKey, reject, whyRejected, now: timeOfDayMs() });
  }

  #failed(sending: Sending, cause: unknown): void {
    const error = errorOf(cause, sending.batch);
    // One answer that is damaged is no reason to stop; if all are, the setup is wrong.
    if (isRetryable(error) || error.code === 'RXF_HTTP_PROTOCOL') {
      this.#tryAgain(sending, error, 0);
      return;
    }
    sending.target.breaker.left();
    this.#reject(sending, error);
  }

  #tryAgain(sending: Sending, cause: RxflumeError, pauseMs: number): void {
    const { batch, target } = sending;
    const wasOpen = target.breaker.isOpen;
    target.failed(pauseMs);
    if (!wasOpen && target.breaker.isOpen) {
      const next = `${target.origin} fails again and again: all waits.`;
      const message = sentence(next, cause.message);
      this.#options.monitor.report({ what: cause.code, about: shownUrl(batch.to), message, addition: next, cause });
    }
    sending.failures += 1;
    sending.lastCause = cause;
    const { retry } = this.#options;
    if (sending.isStale) {
      this.#outcomes.dropped(this.#done(sending));
      return;
    }
    if (sending.isLate || sending.failures >= retry.maxAttempts) {
      this.#giveUp(sending, cause);
      return;
    }
    this.#outcomes.resending(batch);
    const delayMs = Math.max(pauseMs, backoffMs(sending.failures, retry));
    sending.life.add(
      timer(delayMs).subscribe(() => {
        target.add(sending, 'again');
        this.#dispatch();
      }),
    );
  }

  /** Its time is over while it waits for another attempt. */
  #late(sending: Sending): void {
    sending.isLate = true;
    if (sending.isTrying || sending.lastCause === undefined) return;
    this.#giveUp(sending, sending.lastCause);
    this.#dispatch();
  }

  #giveUp(sending: Sending, cause: RxflumeError): void {
    const { target } = sending;
    this.#reject(sending, cause);
    if (!target.breaker.isOpen) return;
    // Nothing gets through: what waits for it would wait for as long, one after the other.
    for (const waiting of target.takeAll()) if (!waiting.isSettled) this.#reject(waiting, cause);
  }

  #reject(sending: Sending, cause: RxflumeError): void {
    const batch = this.#done(sending);
    this.#outcomes.rejected(batch, cause, { about: shownUrl(batch.to), message: sentence(describeError(cause)) });
  }

  #heard(target: Target<Sending>): void {
    const wasOpen = target.breaker.isOpen;
    target.breaker.succeeded();
    if (wasOpen) this.#options.monitor.logEvent('info', 'http.resumed', `${target.origin} answers again.`);
  }
}

/** An error of ours, whatever was thrown. */
function errorOf(cause: unknown, { deliveries: [first] }: HttpPayload): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  return nackErrorOfCause(cause, { code: 'RXF_SINK_WRITE', what: 'send' }, first as NonNullable<typeof first>);
}

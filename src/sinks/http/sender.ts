import { timer } from 'rxjs';
import { backoffMs } from '../../core/backoff.js';
import { timeOfDayMs } from '../../core/clock.js';
import { isRetryable, RxflumeError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { refusalOf as refusalOfCause } from '../../core/refusal.js';
import { shownUrl } from '../../core/shown-url.js';
import type { HttpAnswer, HttpClient } from '../../ports/http-client.js';
import { Lane } from './lane.js';
import type { CheckedOptions } from './options.js';
import type { Parcel } from './parcel.js';
import { refusalOf } from './refusals.js';
import { requestOf, type Sent } from './request.js';
import { Target } from './target.js';
import { type Verdict, verdictOf } from './verdict.js';

/** What a sender tells the session it belongs to. */
export interface SenderReport {
  /** The server has said yes to it; how many bytes were sent. */
  taken(parcel: Parcel, bytes: number): void;
  /** It is given up. */
  refused(parcel: Parcel, cause: RxflumeError): void;
  /** It is sent again. */
  resending(parcel: Parcel): void;
  /** Its epoch is over. */
  dropped(parcel: Parcel): void;
  notice(level: 'info' | 'warn', what: string, message: string): void;
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
  readonly #lanes = new Map<string, Lane>();
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
    return this.#lanes.size === 0;
  }

  add(name: string, parcel: Parcel): void {
    const busy = this.#lanes.get(name);
    const lane = busy ?? new Lane(name);
    lane.add(parcel);
    if (busy !== undefined) return;
    this.#lanes.set(name, lane);
    this.#goOn(lane);
    this.#dispatch();
  }

  /** Drops what waits of an epoch that is over; what is under way of it is not sent again. */
  remove(isOver: (wanted: Parcel['wanted']) => boolean): void {
    const isOfIt = (parcel: Parcel) => isOver(parcel.wanted);
    for (const lane of [...this.#lanes.values()]) {
      for (const parcel of lane.remove(isOfIt)) this.#report.dropped(parcel);
      const { current } = lane;
      if (current === undefined || !isOfIt(current)) continue;
      if (lane.isTrying) lane.isVoid = true;
      else this.#report.dropped(this.#goOn(lane));
    }
    this.#dispatch();
  }

  /** Gives everything up; what was not taken. */
  close(): Parcel[] {
    this.#isOver = true;
    const left: Parcel[] = [];
    for (const lane of this.#lanes.values()) {
      lane.stop();
      if (lane.current !== undefined) left.push(lane.current);
      left.push(...lane.remove(() => true));
    }
    for (const target of this.#targets.values()) target.close();
    this.#lanes.clear();
    this.#inFlight = 0;
    this.#report.changed(0);
    return left;
  }

  /**
   * The lane's next parcel, if it has one, waits for its try; what it was at before. To be called before that one is
   * settled: a source may end its epoch, or bring more, within the call.
   */
  #goOn(lane: Lane): Parcel {
    const before = lane.current as Parcel;
    lane.target?.users.delete(lane);
    const parcel = lane.next();
    lane.target = parcel && this.#targetOf(parcel);
    if (lane.target === undefined) this.#lanes.delete(lane.name);
    else {
      lane.target.users.add(lane);
      lane.target.add(lane.ticket(), 'first');
    }
    return before;
  }

  #targetOf({ url }: Parcel): Target {
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
        const lane = target.take();
        if (lane === undefined) continue;
        hasBegun = true;
        this.#try(lane, target);
      }
    }
    for (const target of this.#targets.values()) if (target.isForgettable) this.#targets.delete(target.origin);
    this.#isDispatching = false;
    if (this.isIdle) this.#report.idle();
  }

  #try(lane: Lane, target: Target): void {
    const current = lane.current as Parcel;
    this.#inFlight += 1;
    lane.begin();
    lane.limit ??= timer(this.#options.retry.timeLimitMs).subscribe(() => this.#late(lane));
    target.began();
    this.#report.changed(this.#inFlight);
    const over = () => {
      this.#inFlight -= 1;
      lane.isTrying = false;
      this.#report.changed(this.#inFlight);
    };
    lane.waiting.add(
      requestOf(this.#client, current, this.#options).subscribe({
        next: (sent) => {
          over();
          this.#answered(lane, target, sent);
          this.#dispatch();
        },
        error: (cause: unknown) => {
          over();
          this.#failed(lane, target, cause);
          this.#dispatch();
        },
      }),
    );
  }

  #answered(lane: Lane, target: Target, { headers, bytes, answer }: Sent): void {
    const parcel = lane.current as Parcel;
    const { method } = this.#options;
    let verdict: Verdict;
    try {
      verdict = this.#judge(parcel, answer);
    } catch (cause) {
      target.answered();
      this.#refuse(lane, refusalOfPiece(cause, parcel));
      return;
    }
    if (verdict.what === 'again') {
      const { maxRetryAfterMs } = this.#options.retry;
      const cause = refusalOf(verdict, { method, parcel, headers, answer });
      this.#tryAgain(lane, target, cause, Math.min(verdict.afterMs, maxRetryAfterMs));
      return;
    }
    this.#heard(target);
    if (verdict.what === 'taken') this.#report.taken(this.#goOn(lane), bytes);
    else if (verdict.what === 'halve') {
      lane.halve();
      this.#goOn(lane);
    } else this.#refuse(lane, refusalOf(verdict, { method, parcel, headers, answer }));
  }

  #judge(parcel: Parcel, answer: HttpAnswer): Verdict {
    const { refuse, whyRefused, idempotencyHeader } = this.#options;
    const hasKey = idempotencyHeader !== null;
    return verdictOf(answer, { values: parcel.pieces.length, hasKey, refuse, whyRefused, now: timeOfDayMs() });
  }

  #failed(lane: Lane, target: Target, cause: unknown): void {
    const error = refusalOfPiece(cause, lane.current as Parcel);
    // One answer that is damaged is no reason to stop; if all are, the setup is wrong.
    if (isRetryable(error) || error.code === 'RXF_HTTP_PROTOCOL') {
      this.#tryAgain(lane, target, error, 0);
      return;
    }
    target.left();
    this.#refuse(lane, error);
  }

  #tryAgain(lane: Lane, target: Target, cause: RxflumeError, pauseMs: number): void {
    const wasOpen = target.isOpen;
    target.failed(pauseMs);
    if (!wasOpen && target.isOpen) {
      const next = `${target.origin} fails again and again: all waits.`;
      this.#report.report({
        what: cause.code,
        about: shownUrl((lane.current as Parcel).url),
        message: `${next} ${cause.message}`,
        addition: next,
        cause,
      });
    }
    lane.failures += 1;
    lane.lastCause = cause;
    const { retry } = this.#options;
    if (lane.isVoid) {
      this.#report.dropped(this.#goOn(lane));
      return;
    }
    if (lane.isLate || lane.failures > retry.attempts) {
      this.#giveUp(lane, target, cause);
      return;
    }
    this.#report.resending(lane.current as Parcel);
    const delayMs = Math.max(pauseMs, backoffMs(lane.failures, retry));
    lane.waiting.add(
      timer(delayMs).subscribe(() => {
        target.add(lane.ticket(), 'again');
        this.#dispatch();
      }),
    );
  }

  /** Its time is over while it waits for another try. */
  #late(lane: Lane): void {
    lane.isLate = true;
    if (lane.isTrying || lane.lastCause === undefined || lane.target === undefined) return;
    this.#giveUp(lane, lane.target, lane.lastCause);
    this.#dispatch();
  }

  #giveUp(lane: Lane, target: Target, cause: RxflumeError): void {
    this.#refuse(lane, cause);
    if (!target.isOpen) return;
    // Nothing gets through: who waits for it would wait for as long, one after the other.
    for (const ticket of target.takeAll()) if (ticket.lane.isValid(ticket)) this.#refuse(ticket.lane, cause);
  }

  #refuse(lane: Lane, cause: RxflumeError): void {
    this.#report.refused(this.#goOn(lane), cause);
  }

  #heard(target: Target): void {
    const wasOpen = target.isOpen;
    target.answered();
    if (wasOpen) this.#report.notice('info', 'http.resumed', `${target.origin} answers again.`);
  }
}

/** An error of ours, whatever was thrown. */
function refusalOfPiece(cause: unknown, parcel: Parcel): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  const [first] = parcel.pieces;
  return refusalOfCause(cause, { code: 'RXF_SINK_WRITE', what: 'send' }, first as NonNullable<typeof first>);
}

import { catchError, concat, defer, EMPTY, type Observable, ReplaySubject, Subscription, timer } from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';

/** Writes that fail in a row before the stream fails: at the default interval about two minutes. */
const MAX_FAILURES = 120;
/** The same trouble is reported again only after so long. */
const TELL_EVERY_MS = 10_000;
/** Writing takes at most this share of the time: a long file is written less often. */
const SHARE = 20;

/** Writes the position file, one write at a time: at an interval while something has changed, and when asked to. */
export class Saving {
  readonly #save: () => Observable<unknown>;
  readonly #intervalMs: number;
  readonly #monitor: Monitor;
  readonly #failed: (error: unknown) => void;
  readonly #life = new Subscription();
  #underWay: Observable<never> | undefined;
  #isDue = false;
  #isTimed = false;
  #tookMs = 0;
  #failures = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** `failed` is called when it has failed for too long. */
  constructor(save: () => Observable<unknown>, intervalMs: number, monitor: Monitor, failed: (error: unknown) => void) {
    this.#save = save;
    this.#intervalMs = intervalMs;
    this.#monitor = monitor;
    this.#failed = failed;
  }

  /** Something has changed that is to be written in time. */
  due(): void {
    this.#isDue = true;
    if (this.#isTimed || this.#life.closed) return;
    this.#isTimed = true;
    this.#life.add(timer(Math.max(this.#intervalMs, this.#tookMs * SHARE)).subscribe(() => this.#timeIsOver()));
  }

  /** Writes what there is at this moment, after the write that is under way. Fails as the write does. */
  now(save: () => Observable<unknown> = this.#save): Observable<never> {
    return defer(() => {
      if (this.#underWay === undefined) return this.#begin(save);
      return concat(this.#underWay.pipe(catchError(() => EMPTY)), this.now(save));
    });
  }

  end(): void {
    this.#life.unsubscribe();
  }

  #timeIsOver(): void {
    this.#isTimed = false;
    if (!this.#isDue) return;
    this.now().subscribe({
      error: (error: unknown) => {
        this.#failures += 1;
        if (this.#failures > MAX_FAILURES) {
          this.#failed(error);
          return;
        }
        if (monotonicMs() - this.#reportedAt >= TELL_EVERY_MS) {
          this.#reportedAt = monotonicMs();
          this.#monitor.logEvent('warn', 'RXF_TAIL_POSITION', sentence(describeError(error), 'It is tried again'));
        }
        this.due();
      },
      complete: () => {
        this.#failures = 0;
        this.#reportedAt = Number.NEGATIVE_INFINITY;
      },
    });
  }

  #begin(save: () => Observable<unknown>): Observable<never> {
    this.#isDue = false;
    const answer$ = new ReplaySubject<never>(1);
    const since = monotonicMs();
    this.#underWay = answer$;
    save().subscribe({
      error: (error: unknown) => {
        this.#underWay = undefined;
        answer$.error(error);
      },
      complete: () => {
        this.#underWay = undefined;
        this.#tookMs = monotonicMs() - since;
        answer$.complete();
      },
    });
    return answer$;
  }
}

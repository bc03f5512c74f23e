import { merge, NEVER, Observable, type Subscriber, type TeardownLogic } from 'rxjs';
import type { SourceTraits } from './traits.js';

/** What a source does at each subscription; `stop$` emits when it should drain: stop taking, settle, commit, complete. */
export type Connect<T> = (subscriber: Subscriber<T>, stop$: Observable<unknown>) => TeardownLogic;

/**
 * A cold Observable with two ways out: unsubscribing abandons at once (what is unsettled is redelivered); a stop signal,
 * given through `drainOn`, drains it, and then it completes.
 *
 * RxJS teardown is synchronous, so nothing that must be awaited can hide in it: that is why draining is a completion.
 *
 * ```ts
 * import { Source } from 'rxflume';
 * import { interval, takeUntil } from 'rxjs';
 *
 * export const ticks$ = new Source<number>((subscriber, stop$) =>
 *   interval(1_000).pipe(takeUntil(stop$)).subscribe(subscriber),
 * );
 * ```
 */
export class Source<T> extends Observable<T> {
  /** Undefined where the source says nothing of itself. */
  readonly traits: SourceTraits | undefined;
  readonly #connect: Connect<T>;

  constructor(connect: Connect<T>, traits?: SourceTraits) {
    super((subscriber) => connect(subscriber, NEVER));
    this.#connect = connect;
    this.traits = traits;
  }

  /** The same source, drained when `stop$` first emits. */
  drainedBy(stop$: Observable<unknown>): Source<T> {
    return new Source((subscriber, outerStop$) => this.#connect(subscriber, merge(stop$, outerStop$)), this.traits);
  }

  /** Another source made from this one by `project`, which is given it as it is to be subscribed to: with the stop signal. */
  through<U>(project: (source: Observable<T>) => Observable<U>): Source<U> {
    return new Source((subscriber, stop$) => project(this.drainedBy(stop$)).subscribe(subscriber), this.traits);
  }
}

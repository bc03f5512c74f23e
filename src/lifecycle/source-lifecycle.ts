import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  type Observable,
  type Subscriber,
  Subscription,
  take,
} from 'rxjs';

/** How one kind of source ends. */
export interface SourceEnding {
  /** Takes no more. Gives the steps of a drain in order; where one fails, the next begins, and the drain ends with its error. */
  drain(): readonly Observable<unknown>[];
  /** Leaves what it reads from. What this fails with changes nothing. */
  close(): Observable<unknown>;
  /** At once, and for good. Called once. */
  end(): void;
}

/**
 * One subscription of a source, from connecting to its end: it runs, drains, closes, and is over.
 *
 * ```
 * stop      ---x---------------------
 * stage     rrrrddddddddddddccc|          r: running, d: draining, c: closing
 * ```
 *
 * Fails: with the error of the stop signal, or what `fail` is given, at once; with the first error of a drain, at its end.
 */
export class SourceLifecycle {
  readonly #out: Pick<Subscriber<unknown>, 'complete' | 'error'>;
  readonly #source: SourceEnding;
  readonly #life = new Subscription();
  #stage: 'running' | 'draining' | 'closing' | 'over' = 'running';
  #error: unknown;

  constructor(out: Pick<Subscriber<unknown>, 'complete' | 'error'>, source: SourceEnding) {
    this.#out = out;
    this.#source = source;
  }

  /** Connects, unless it is stopped already. The answer ends it all when it is unsubscribed. */
  start(stop$: Observable<unknown>, connect: () => Subscription): Subscription {
    const stopped$ = stop$.pipe(take(1));
    this.#life.add(stopped$.subscribe({ next: () => this.drain(), error: (error: unknown) => this.fail(error) }));
    this.#life.add(() => this.#end());
    if (this.isRunning) this.#life.add(connect());
    return this.#life;
  }

  get isRunning(): boolean {
    return this.#stage === 'running';
  }

  get isDraining(): boolean {
    return this.#stage === 'draining';
  }

  /** Drains, closes, and then completes, or fails with `cause`, or what was noted first. */
  drain(cause?: unknown): void {
    this.note(cause);
    if (!this.isRunning) return;
    this.#stage = 'draining';
    const steps = this.#source.drain().map((step$) =>
      step$.pipe(
        ignoreElements(),
        catchError((error: unknown) => {
          this.note(error);
          return EMPTY;
        }),
      ),
    );
    const closed$ = defer(() => {
      this.#stage = 'closing';
      return this.#source.close();
    }).pipe(
      ignoreElements(),
      catchError(() => EMPTY),
    );
    this.#life.add(concat(...steps, closed$).subscribe({ complete: () => this.#drained() }));
  }

  /** What a drain is to end with, where nothing was noted before. */
  note(error: unknown): void {
    this.#error ??= error;
  }

  fail(error: unknown): void {
    if (this.#stage === 'over') return;
    this.#end();
    this.#out.error(error);
  }

  #drained(): void {
    this.#end();
    if (this.#error === undefined) this.#out.complete();
    else this.#out.error(this.#error);
  }

  #end(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#source.end();
    this.#life.unsubscribe();
  }
}

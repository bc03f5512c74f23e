import { Observable, type OperatorFunction, Subscriber, Subscription } from 'rxjs';
import { SinkError } from '../core/errors.js';
import { type StepCounts, stepCounts } from '../core/flow-scope.js';
import { MAX_WAITS, Pending } from '../core/pending.js';
import { Queue } from '../core/queue.js';
import type { Delivery } from '../delivery/delivery.js';
import { countingItself } from '../delivery/each-delivery.js';
import { FlushListeners } from '../delivery/flush-listeners.js';
import { NACKED, stoppedError } from '../delivery/nack-errors.js';
import { isOfRecord } from '../delivery/origin-position.js';

/** What is done for each delivery. */
export interface InOrder<A, B> {
  /** The delivery to pass on, what it must wait for, `NACKED`, or undefined where it was settled otherwise. */
  each(delivery: Delivery<A>): Delivery<B> | Pending | typeof NACKED | undefined;
  /** Settles a delivery whose wait has failed. */
  failed(delivery: Delivery<A>, cause: unknown): typeof NACKED | undefined;
}

/**
 * `eachDelivery` for a function that may have to wait: what waits holds up what follows it in its stream, and nothing else, so
 * that each stream keeps its order.
 *
 * Settles: nacks what waits when it is unsubscribed, when the source fails, and when the epoch of its stream is over.
 * Bounds: what waits is unreleased, so the source's window bounds it. One wait for each stream.
 */
export function eachInOrder<A, B>(
  what: InOrder<A, B>,
  counts: () => StepCounts = stepCounts,
): OperatorFunction<Delivery<A>, Delivery<B>> {
  return countingItself(
    (source) => new Observable((subscriber) => source.subscribe(new Each(subscriber, what, counts()))),
  );
}

/** The deliveries of one stream that wait, the first of them for something. */
class Line<A> {
  readonly queue = new Queue<Delivery<A>>();
  wait = new Subscription();
  /** The delivery that waits, and how often it has. */
  first: Delivery<A> | undefined;
  waits = 0;
}

class Each<A, B> extends Subscriber<Delivery<A>> {
  readonly #what: InOrder<A, B>;
  readonly #received = { value: 0 };
  readonly #emitted = { value: 0 };
  readonly #nacked: { value: number };
  readonly #lines = new Map<string, Line<A>>();
  readonly #listeners = new FlushListeners({
    asked: () => undefined,
    over: (isOver) => this.#drop(isOver),
  });
  #isComplete = false;

  constructor(destination: Subscriber<Delivery<B>>, what: InOrder<A, B>, step: StepCounts) {
    super(destination);
    this.#what = what;
    step.emitted ??= this.#emitted;
    step.received = this.#received;
    step.nacked ??= { value: 0 };
    this.#nacked = step.nacked;
    step.held = () => this.#held();
    step.holds = (stream, offset) =>
      this.#lines.get(stream)?.queue.some(({ origin }) => isOfRecord(origin, stream, offset)) ?? false;
  }

  protected override _next(delivery: Delivery<A>): void {
    this.#received.value += 1;
    try {
      if (this.#lines.size > 0) {
        const line = this.#lines.get(delivery.origin.stream);
        if (line !== undefined) {
          this.#add(line, delivery);
          return;
        }
      }
      const next = this.#what.each(delivery);
      if (next instanceof Pending) this.#begin(delivery, next);
      else this.#pass(next);
    } catch (error) {
      this._error(error);
    }
  }

  protected override _error(error: unknown): void {
    this.#end();
    super._error(error);
  }

  protected override _complete(): void {
    if (this.#lines.size > 0) this.#isComplete = true;
    else super._complete();
  }

  /** Leaves the source first: the nacks free its window, and more would come. */
  override unsubscribe(): void {
    if (this.closed) return;
    super.unsubscribe();
    // RxJS calls this from its constructor where the destination is closed already.
    if (#lines in this) this.#end();
  }

  #pass(next: Delivery<B> | typeof NACKED | undefined): void {
    if (next === undefined) return;
    if (next === NACKED) {
      this.#nacked.value += 1;
      return;
    }
    this.#emitted.value += 1;
    this.destination.next(next);
  }

  #held(): number {
    let held = 0;
    for (const { queue } of this.#lines.values()) held += queue.size;
    return held;
  }

  #nack(delivery: Delivery<A>): void {
    this.#nacked.value += 1;
    delivery.nack(stopped());
  }

  #begin(delivery: Delivery<A>, pending: Pending): void {
    const { stream } = delivery.origin;
    const line = new Line<A>();
    this.#lines.set(stream, line);
    this.#add(line, delivery);
    if (line.queue.size === 0) this.#done(stream);
    else if (this.#isReady(stream, line, delivery, pending)) this.#goOn(stream, line);
  }

  #add(line: Line<A>, delivery: Delivery<A>): void {
    if (this.#listeners.listen(delivery)) line.queue.add(delivery);
    else this.#nack(delivery);
  }

  /** Waits; true where there is nothing to wait for any more. In a loop, since a recursion would be as deep as the queue is long. */
  #isReady(stream: string, line: Line<A>, delivery: Delivery<A>, { until$ }: Pending): boolean {
    line.waits = line.first === delivery ? line.waits + 1 : 1;
    line.first = delivery;
    if (line.waits > MAX_WAITS) {
      this.#fail(line, neverError(delivery));
      return true;
    }
    let [isOver, isWaiting] = [false, false];
    const over = () => {
      isOver = true;
      if (isWaiting) this.#goOn(stream, line);
    };
    line.wait = new Subscription();
    line.wait.add(
      until$.subscribe({
        error: (cause: unknown) => {
          this.#fail(line, cause);
          over();
        },
        complete: over,
      }),
    );
    isWaiting = true;
    return isOver;
  }

  #fail({ first, queue }: Line<A>, cause: unknown): void {
    // Its epoch may have ended during the wait; then it is nacked already.
    if (first === undefined || queue.first !== first) return;
    queue.take();
    this.#pass(this.#what.failed(first, cause));
  }

  #goOn(stream: string, line: Line<A>): void {
    try {
      for (let first = line.queue.first; first !== undefined; first = line.queue.first) {
        if (this.closed) return;
        const next = this.#what.each(first);
        if (next instanceof Pending) {
          if (this.#isReady(stream, line, first, next)) continue;
          return;
        }
        // It stays first until here: what arrives meanwhile is behind it.
        line.queue.take();
        this.#pass(next);
      }
      this.#done(stream);
    } catch (error) {
      this._error(error);
    }
  }

  #done(stream: string): void {
    this.#lines.delete(stream);
    if (this.#lines.size > 0) return;
    this.#listeners.end();
    if (this.#isComplete) super._complete();
  }

  #drop(isOver: Parameters<ConstructorParameters<typeof FlushListeners>[0]['over']>[0]): void {
    for (const [stream, line] of [...this.#lines]) {
      const stale = line.queue.takeOut(({ acker }) => isOver(acker.flush$));
      for (const delivery of stale) this.#nack(delivery);
      if (line.queue.size > 0 || stale.length === 0) continue;
      line.wait.unsubscribe();
      this.#done(stream);
    }
  }

  #end(): void {
    this.#listeners.end();
    const lines = [...this.#lines.values()];
    this.#lines.clear();
    for (const line of lines) line.wait.unsubscribe();
    for (const line of lines) for (const delivery of line.queue.takeAll()) this.#nack(delivery);
  }
}

function stopped(): SinkError {
  return stoppedError('what the value waits for was there');
}

function neverError({ origin: { stream, offset } }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_OPERATOR_FAILED',
    `${stream} offset ${offset} has waited ${MAX_WAITS} times in a row for what it needs, and it was never there. If you wrote the ` +
      'decoder or encoder, let it return a result once `until$` has completed.',
    { retryable: false, details: { stream, offset } },
  );
}

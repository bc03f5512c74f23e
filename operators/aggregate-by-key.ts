import { Observable, timer } from 'rxjs';
import { timeOfDayMs } from '../src/core/clock.js';
import { countNacks, stepCounts } from '../src/core/flow-scope.js';
import { expectFunction, expectKnown, expectMs, expectOption, expectWhole } from '../src/core/options.js';
import { AckGroup } from '../src/delivery/ack-group.js';
import type { FlushSignal } from '../src/delivery/acker.js';
import type { Delivery } from '../src/delivery/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { FlushListeners } from '../src/delivery/flush-listeners.js';
import { deliveryOf } from '../src/delivery/join.js';
import { JoinedOrigin } from '../src/delivery/joined-origin.js';
import { NACKED, nackErrorOfThrown, resultFor, stoppedError } from '../src/delivery/nack-errors.js';
import { splitDelivery } from '../src/delivery/split.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface AggregateByKeyOptions<T, A> {
  /** The length of a window, in milliseconds. Windows begin at multiples of `slideMs` since 1970. */
  readonly windowMs: number;
  /**
   * The interval between window starts. Default `windowMs`: tumbling windows. Shorter: sliding windows, at most 100
   * overlapping.
   */
  readonly slideMs?: number;
  /** The initial value of a key's window. */
  readonly initial: () => A;
  /** Adds one value to the window's result. */
  readonly add: (before: A, value: T, delivery: Delivery<T>) => A;
  /** When open windows contain this many values, all of them are emitted as they are. Default 100,000. */
  readonly count?: number;
}

/** The result of one key in one window, or a part of it. */
export interface Aggregate<K, A> {
  readonly key: K;
  /** The window, [from, to), in milliseconds since 1970. */
  readonly from: number;
  readonly to: number;
  readonly value: A;
  /** The number of values in it. */
  readonly count: number;
  /** False if the window had not ended: another part with other values may follow; combine them downstream. */
  readonly isWhole: boolean;
}

/**
 * Aggregates the values of each key in windows of arrival time, and emits the result when a window ends: a delivery whose ack
 * acks all values in it. A value in several windows is acked when all of them are.
 *
 * ```
 * values  -a-b-----c---|
 *         aggregateByKey(() => 'all', { windowMs: 5, initial: () => '', add: (s, x) => s + x })
 * result  -----x----y--|     x = ab of [0, 5), y = c of [5, 10)
 * acks    ------(ab)-c--
 * ```
 *
 * Settles: nacks the deliveries it holds when it is unsubscribed or fails, and stale ones; nacks a delivery for which `key` or
 * `add` throws. Values of several streams or epochs are aggregated separately, so each result belongs to one.
 * Bounds: what `initial` and `add` keep for each key, for at most `windowMs`; `count` values, a bit each, or about 300 bytes
 * where windows overlap. Added values are released at once. Open windows are emitted as they are when their source asks for
 * settling or to catch up, and when the source completes. No ledger is kept downstream: redelivered values are aggregated
 * differently.
 */
export function aggregateByKey<T, K, A>(
  key: (value: T, delivery: Delivery<T>) => K,
  options: AggregateByKeyOptions<T, A>,
): DeliveryOperator<T, Aggregate<K, A>> {
  expectFunction('key', key);
  expectKnown('aggregateByKey options', options, ['windowMs', 'slideMs', 'initial', 'add', 'count']);
  const { windowMs, slideMs = windowMs, initial, add, count = 100_000 } = options;
  expectMs('windowMs', windowMs, 1);
  expectMs('slideMs', slideMs, 1);
  const isInRange = slideMs <= windowMs && windowMs / slideMs <= 100;
  expectOption('slideMs', slideMs, isInRange, 'at most `windowMs`, and at least a hundredth of it');
  expectFunction('initial', initial);
  expectFunction('add', add);
  expectWhole('count', count, 1);

  return deliveryOperator(
    'aggregateByKey',
    {
      because:
        '`aggregateByKey` aggregates redelivered values differently than before; remove it, or accept at least once',
    },
    (source) =>
      new Observable((subscriber) => {
        /** Open windows by start time. */
        const windows = new Map<number, Window<K, A>>();
        let open = 0;
        const nacked = countNacks();
        stepCounts().held = () => open;

        const emit = (pieces: readonly Piece<K, A>[], isWhole: boolean) => {
          for (const piece of pieces) {
            open -= piece.count;
            if (subscriber.closed) piece.parts.nack(stopped());
            else subscriber.next(piece.delivery(windowMs, isWhole));
          }
        };
        const takeAll = () => [...windows.values()].flatMap((window) => window.takeAll());
        const flushListeners = new FlushListeners({
          asked: (signal) => {
            // Added values are released already, so a full in-flight window is not ours to free.
            if (signal !== 'release') emit(takeAll(), false);
          },
          over: (isOver) => {
            for (const piece of [...windows.values()].flatMap((window) => window.takeOver(isOver))) {
              open -= piece.count;
              piece.parts.nack(stopped());
            }
          },
        });
        const windowAt = (from: number, now: number): Window<K, A> => {
          const known = windows.get(from);
          if (known !== undefined) return known;
          const window = new Window<K, A>();
          windows.set(from, window);
          subscriber.add(
            timer(from + windowMs - now).subscribe(() => {
              windows.delete(from);
              emit(window.takeAll(), true);
            }),
          );
          return window;
        };
        const take = (delivery: Delivery<T>) => {
          const of = resultFor('key of aggregateByKey', delivery, key, nacked);
          if (of === NACKED) return;
          if (!flushListeners.listen(delivery)) {
            delivery.nack(stopped());
            return;
          }
          const now = timeOfDayMs();
          const last = Math.floor(now / slideMs) * slideMs;
          const starts = [];
          for (let from = last; from + windowMs > now; from -= slideMs) starts.push(from);
          const parts = starts.length === 1 ? [delivery] : splitDelivery(delivery, starts);
          for (const [at, from] of starts.entries()) addTo(from, now, of, delivery, parts[at] as Delivery<unknown>);
          delivery.release();
          if (open >= count) emit(takeAll(), false);
        };
        const addTo = (from: number, now: number, of: K, delivery: Delivery<T>, part: Delivery<unknown>) => {
          const window = windowAt(from, now);
          const before = window.find(delivery.acker.flush$, of);
          try {
            const value = add(before === undefined ? initial() : before.value, delivery.value, delivery);
            if (before === undefined) window.add(new Piece(of, from, part, value));
            else before.add(part, value);
            open += 1;
          } catch (cause) {
            part.nack(nackErrorOfThrown('initial or add of aggregateByKey', cause, delivery));
          }
        };

        const takeFrom = subscribeOrdered(subscriber, () => {
          flushListeners.end();
          for (const piece of takeAll()) piece.parts.nack(stopped());
        });
        takeFrom(source, {
          next: take,
          complete: () => {
            emit(takeAll(), false);
            subscriber.complete();
          },
        });
      }),
  );
}

/** The pieces of one window: found by stream, epoch and key, and returned in the order in which they began. */
class Window<K, A> {
  #byFlush$ = new Map<Observable<FlushSignal>, Map<K, Piece<K, A>>>();
  #pieces: Piece<K, A>[] = [];

  find(flush$: Observable<FlushSignal>, key: K): Piece<K, A> | undefined {
    return this.#byFlush$.get(flush$)?.get(key);
  }

  add(piece: Piece<K, A>): void {
    this.#pieces.push(piece);
    const byKey = this.#byFlush$.get(piece.flush$);
    if (byKey === undefined) this.#byFlush$.set(piece.flush$, new Map([[piece.key, piece]]));
    else byKey.set(piece.key, piece);
  }

  takeAll(): Piece<K, A>[] {
    const all = this.#pieces;
    this.#pieces = [];
    this.#byFlush$ = new Map();
    return all;
  }

  /** Removes those of an epoch that has ended. */
  takeOver(isOver: (flush$: Observable<FlushSignal>) => boolean): Piece<K, A>[] {
    const ended = new Set([...this.#byFlush$.keys()].filter(isOver));
    if (ended.size === 0) return [];
    for (const flush$ of ended) this.#byFlush$.delete(flush$);
    const isOut = (piece: Piece<K, A>) => ended.has(piece.flush$);
    const out = this.#pieces.filter(isOut);
    this.#pieces = this.#pieces.filter((piece) => !isOut(piece));
    return out;
  }
}

/** The aggregate of one key, in one window, from one stream and epoch. */
class Piece<K, A> {
  readonly key: K;
  readonly from: number;
  readonly flush$: Observable<FlushSignal>;
  readonly parts = new AckGroup();
  readonly #origin: JoinedOrigin;
  #count = 1;
  #value: A;

  constructor(key: K, from: number, first: Delivery<unknown>, value: A) {
    this.key = key;
    this.from = from;
    this.flush$ = first.acker.flush$;
    this.parts.add(first);
    this.#origin = new JoinedOrigin(first.origin);
    this.#value = value;
  }

  get count(): number {
    return this.#count;
  }

  get value(): A {
    return this.#value;
  }

  add(part: Delivery<unknown>, value: A): void {
    this.parts.add(part);
    this.#origin.add(part.origin);
    this.#count += 1;
    this.#value = value;
  }

  delivery(windowMs: number, isWhole: boolean): Delivery<Aggregate<K, A>> {
    const { key, from, value, count } = this;
    const aggregate = { key, from, to: from + windowMs, value, count, isWhole };
    return deliveryOf(this.parts, aggregate, this.#origin.origin, 'hidden');
  }
}

function stopped(): unknown {
  return stoppedError('the window ended', 'its values are redelivered');
}

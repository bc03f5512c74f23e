import { asyncScheduler, type MonoTypeOperatorFunction, Observable, Subscription, timer } from 'rxjs';
import { Delivery } from '../src/core/delivery.js';
import type { Duty } from '../src/core/duty.js';
import { Wants } from '../src/core/epoch.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectKnown, expectMs, expectOption, expectText } from '../src/core/options.js';
import { takingFor } from '../src/core/taking.js';
import { Tally } from '../src/core/tally.js';

export interface TimeoutUnsettledOptions {
  /** What stands behind it, as the report is to name it. */
  readonly name: string;
  /** After how long without an ack or a nack a delivery is reported, in milliseconds. */
  readonly afterMs: number;
  /** Told of what is late, once in `afterMs` for each stream. */
  readonly monitor?: Monitor;
}

/**
 * Reports what has not been settled for so long: a notice that names what stands behind it, the stream, how many
 * deliveries are late, and how old the oldest is. It changes nothing.
 *
 * ```
 * values   -a-b------------|
 *          timeoutUnsettled({ name: 'post', afterMs: 8 })     b is acked after 1, a never
 * result   -a-b------------|
 * acks     ----b------------
 * notices  ---------n-------
 * ```
 *
 * Settles: nothing itself; whoever takes the deliveries does.
 * Bounds: four bytes for each delivery that is not settled. While there are some it looks four times in `afterMs`, so a report comes at most a
 * quarter of it late.
 */
export function timeoutUnsettled<T>(options: TimeoutUnsettledOptions): MonoTypeOperatorFunction<Delivery<T>> {
  expectKnown('timeoutUnsettled options', options, ['name', 'afterMs', 'monitor']);
  const { name, afterMs, monitor = defaultMonitor } = options;
  expectText('name', name);
  expectMs('afterMs', afterMs, 1);
  expectOption('monitor', monitor, typeof monitor?.notice === 'function', 'a Monitor');
  const everyMs = Math.max(1, afterMs / 4);

  return (source) =>
    new Observable((subscriber) => {
      const watched = new Map<Duty, WatchedDuty>();
      const wants = new Wants(
        () => undefined,
        (wanted) => {
          for (const duty of watched.keys()) if (duty.wanted === wanted) watched.delete(duty);
        },
      );
      let looking = Subscription.EMPTY;
      const look = () => {
        if ([...watched.values()].every(({ isEmpty }) => isEmpty)) looking.unsubscribe();
        const now = asyncScheduler.now();
        for (const duty of watched.values()) {
          const late = duty.lateAt(now, afterMs);
          if (late !== undefined)
            monitor.notice('warn', 'flow.unsettled', messageOf(name, duty.stream, late), { operator: name, ...late });
        }
      };
      const takeFrom = takingFor(subscriber, () => {
        looking.unsubscribe();
        wants.end();
      });
      takeFrom(source, {
        next: (delivery) => {
          let duty = watched.get(delivery.duty);
          if (duty === undefined) {
            duty = new WatchedDuty(delivery.duty, delivery.origin.stream, everyMs);
            watched.set(delivery.duty, duty);
            wants.listen(delivery);
          }
          duty.take(delivery.place, delivery.origin.offset, asyncScheduler.now());
          if (looking.closed) looking = timer(everyMs, everyMs).subscribe(look);
          subscriber.next(new Delivery(delivery.value, delivery.origin, duty, delivery.place));
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
    });
}

interface Late {
  readonly ageMs: number;
  readonly count: number;
  /** The oldest of them is this one, or one that came soon after it. */
  readonly offset: number;
}

/** What came within one look and is not settled. */
interface Generation {
  readonly at: number;
  readonly offset: number;
  readonly places: Tally;
}

class WatchedDuty implements Duty {
  readonly wanted;
  readonly replay;
  readonly isMixed;
  readonly stream: string;
  readonly #inner: Duty;
  readonly #everyMs: number;
  #generations: Generation[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(inner: Duty, stream: string, everyMs: number) {
    this.#inner = inner;
    this.stream = stream;
    this.#everyMs = everyMs;
    this.wanted = inner.wanted;
    this.replay = inner.replay;
    this.isMixed = inner.isMixed === true;
  }

  /** Whether all is settled. */
  get isEmpty(): boolean {
    return this.#generations.length === 0;
  }

  take(place: number, offset: number, now: number): void {
    let newest = this.#generations.at(-1);
    if (newest === undefined || now - newest.at >= this.#everyMs) {
      newest = { at: now, offset, places: new Tally(1) };
      this.#generations.push(newest);
    }
    newest.places.take(place);
  }

  /** What is late, where it was not told of lately. */
  lateAt(now: number, afterMs: number): Late | undefined {
    const late = this.#generations.filter(({ at }) => now - at >= afterMs);
    const [oldest] = late;
    if (oldest === undefined || now - this.#toldAt < afterMs) return undefined;
    this.#toldAt = now;
    const count = late.reduce((sum, { places }) => sum + places.open, 0);
    return { ageMs: now - oldest.at, count, offset: oldest.offset };
  }

  ack(first: number, next: number): void {
    this.#settled(first, next);
    this.#inner.ack(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    this.#settled(first, next);
    this.#inner.nack(first, next, cause);
  }

  release(first: number, next: number): void {
    this.#inner.release(first, next);
  }

  hold(first: number, next: number): void {
    this.#inner.hold(first, next);
  }

  #settled(first: number, next: number): void {
    for (const { places } of this.#generations) places.close(first, next);
    this.#generations = this.#generations.filter(({ places }) => !places.isEmpty);
  }
}

function messageOf(name: string, stream: string, { ageMs, count, offset }: Late): string {
  return (
    `${count} deliveries of ${stream} have been in ${name} for ${ageMs} ms and are not settled, the oldest about offset ` +
    `${offset}. See what waits there, or what drops deliveries without acking.`
  );
}

import { Observable, Subscription, timer } from 'rxjs';
import { monotonicMs } from '../src/core/clock.js';
import { Delivery } from '../src/core/delivery.js';
import { type DeliveryOperator, deliveryOperator } from '../src/core/delivery-operator.js';
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
export function timeoutUnsettled<T>(options: TimeoutUnsettledOptions): DeliveryOperator<T> {
  expectKnown('timeoutUnsettled options', options, ['name', 'afterMs', 'monitor']);
  const { name, afterMs, monitor = defaultMonitor } = options;
  expectText('name', name);
  expectMs('afterMs', afterMs, 1);
  expectOption('monitor', monitor, typeof monitor?.notice === 'function', 'a Monitor');
  const everyMs = Math.max(1, afterMs / 4);

  return deliveryOperator(
    'timeoutUnsettled',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        const duties = new WeakMap<Duty, WatchedDuty>();
        // Those with something unsettled: behind an operator that gives each delivery a duty of its own there are many.
        const open = new Set<WatchedDuty>();
        const wants = new Wants({
          asked: () => undefined,
          over: (isOver) => {
            for (const duty of open) if (isOver(duty.wanted)) open.delete(duty);
          },
        });
        let looking = Subscription.EMPTY;
        let toldAt = new Map<string, number>();
        const look = () => {
          if (open.size === 0) looking.unsubscribe();
          const now = monotonicMs();
          const late = lateByStream(open, now, afterMs);
          toldAt = new Map([...toldAt].filter(([stream, at]) => late.has(stream) && now - at < afterMs));
          for (const [stream, one] of late) {
            if (toldAt.has(stream)) continue;
            toldAt.set(stream, now);
            monitor.notice('warn', 'flow.unsettled', messageOf(name, stream, one), { operator: name, ...one });
          }
        };
        const takeFrom = takingFor(subscriber, () => {
          looking.unsubscribe();
          wants.end();
        });
        takeFrom(source, {
          next: (delivery) => {
            if (!wants.listen(delivery)) {
              // Nobody need settle it.
              subscriber.next(delivery);
              return;
            }
            let duty = duties.get(delivery.duty);
            if (duty === undefined) {
              duty = new WatchedDuty(delivery.duty, delivery.origin.stream, everyMs, open);
              duties.set(delivery.duty, duty);
            }
            duty.take(delivery.place, delivery.origin.offset, monotonicMs());
            if (looking.closed) looking = timer(everyMs, everyMs).subscribe(look);
            subscriber.next(new Delivery(delivery.value, delivery.origin, duty, delivery.place));
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => subscriber.complete(),
        });
      }),
  );
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
  readonly #open: Set<WatchedDuty>;
  #generations: Generation[] = [];

  /** `open`: where it stands while something is not settled. */
  constructor(inner: Duty, stream: string, everyMs: number, open: Set<WatchedDuty>) {
    this.#inner = inner;
    this.#open = open;
    this.stream = stream;
    this.#everyMs = everyMs;
    this.wanted = inner.wanted;
    this.replay = inner.replay;
    this.isMixed = inner.isMixed === true;
  }

  take(place: number, offset: number, now: number): void {
    let newest = this.#generations.at(-1);
    if (newest === undefined || now - newest.at >= this.#everyMs) {
      newest = { at: now, offset, places: new Tally(1) };
      this.#generations.push(newest);
    }
    newest.places.take(place);
    this.#open.add(this);
  }

  /** What is late. */
  lateAt(now: number, afterMs: number): Late | undefined {
    const late = this.#generations.filter(({ at }) => now - at >= afterMs);
    const [oldest] = late;
    if (oldest === undefined) return undefined;
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
    if (this.#generations.length === 0) this.#open.delete(this);
  }
}

/** What is late of each stream: how much, and the oldest of it. */
function lateByStream(open: ReadonlySet<WatchedDuty>, now: number, afterMs: number): Map<string, Late> {
  const late = new Map<string, Late>();
  for (const duty of open) {
    const one = duty.lateAt(now, afterMs);
    if (one === undefined) continue;
    const other = late.get(duty.stream);
    const oldest = other === undefined || one.ageMs > other.ageMs ? one : other;
    late.set(duty.stream, { ...oldest, count: one.count + (other?.count ?? 0) });
  }
  return late;
}

function messageOf(name: string, stream: string, { ageMs, count, offset }: Late): string {
  return (
    `${count} deliveries of ${stream} have been in ${name} for ${ageMs} ms and are not settled, the oldest about offset ` +
    `${offset}. See what waits there, or what drops deliveries without acking.`
  );
}

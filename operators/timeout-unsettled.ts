import { Observable, Subscription, timer } from 'rxjs';
import { monotonicMs } from '../src/core/clock.js';
import { defaultMonitor, type Monitor } from '../src/core/monitor.js';
import { expectKnown, expectMs, expectOption, expectText } from '../src/core/options.js';
import type { Acker } from '../src/delivery/acker.js';
import { type DeliveryOperator, deliveryOperator } from '../src/delivery/delivery-operator.js';
import { FanOutState } from '../src/delivery/fan-out-state.js';
import { FlushListeners } from '../src/delivery/flush-listeners.js';
import { ForwardingAcker, oncePerAcker } from '../src/delivery/forwarding-acker.js';
import { subscribeOrdered } from '../src/lifecycle/subscribe-ordered.js';

export interface TimeoutUnsettledOptions {
  /** The name of what follows it, for the report. */
  readonly name: string;
  /** How long a delivery may stay unsettled before it is reported, in milliseconds. */
  readonly afterMs: number;
  /** Notified of late deliveries, once in `afterMs` for each stream. */
  readonly monitor?: Monitor;
}

/**
 * Reports deliveries that stay unsettled too long: a log event with the name of what follows, the stream, the number of late
 * deliveries, and the age of the oldest. It changes nothing.
 *
 * ```
 * values     -a-b------------|
 *            timeoutUnsettled({ name: 'post', afterMs: 8 })     b is acked after 1, a never
 * result     -a-b------------|
 * acks       ----b------------
 * logEvents  ---------n-------
 * ```
 *
 * Settles: nothing itself; downstream does.
 * Bounds: four bytes for each unsettled delivery. It checks four times in `afterMs`, so a report is late by at most a quarter
 * of it.
 */
export function timeoutUnsettled<T>(options: TimeoutUnsettledOptions): DeliveryOperator<T> {
  expectKnown('timeoutUnsettled options', options, ['name', 'afterMs', 'monitor']);
  const { name, afterMs, monitor = defaultMonitor } = options;
  expectText('name', name);
  expectMs('afterMs', afterMs, 1);
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');
  const everyMs = Math.max(1, afterMs / 4);

  return deliveryOperator(
    'timeoutUnsettled',
    'kept',
    (source) =>
      new Observable((subscriber) => {
        // Those with something unsettled: after an operator that gives each delivery its own acker there are many.
        const open = new Set<WatchedAcker>();
        const ackerOf = oncePerAcker(({ acker, origin }) => new WatchedAcker(acker, origin.stream, everyMs, open));
        const flushListeners = new FlushListeners({
          asked: () => undefined,
          over: (isOver) => {
            for (const acker of open) if (isOver(acker.flush$)) open.delete(acker);
          },
        });
        let looking = Subscription.EMPTY;
        let reportedAt = new Map<string, number>();
        const look = () => {
          if (open.size === 0) looking.unsubscribe();
          const now = monotonicMs();
          const late = lateByStream(open, now, afterMs);
          reportedAt = new Map([...reportedAt].filter(([stream, at]) => late.has(stream) && now - at < afterMs));
          for (const [stream, one] of late) {
            if (reportedAt.has(stream)) continue;
            reportedAt.set(stream, now);
            monitor.logEvent('warn', 'flow.unsettled', messageOf(name, stream, one), { operator: name, ...one });
          }
        };
        const takeFrom = subscribeOrdered(subscriber, () => {
          looking.unsubscribe();
          flushListeners.end();
        });
        takeFrom(source, {
          next: (delivery) => {
            if (!flushListeners.listen(delivery)) {
              // Nobody need settle it.
              subscriber.next(delivery);
              return;
            }
            const acker = ackerOf(delivery);
            acker.take(delivery.seq, delivery.origin.offset, monotonicMs());
            if (looking.closed) looking = timer(everyMs, everyMs).subscribe(look);
            subscriber.next(acker.adopt(delivery));
          },
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

/** The unsettled deliveries that arrived within one check interval. */
interface Generation {
  readonly at: number;
  readonly offset: number;
  readonly seqs: FanOutState;
}

class WatchedAcker extends ForwardingAcker {
  readonly stream: string;
  readonly #everyMs: number;
  readonly #open: Set<WatchedAcker>;
  #generations: Generation[] = [];

  /** `open`: the set that contains it while something is unsettled. */
  constructor(inner: Acker, stream: string, everyMs: number, open: Set<WatchedAcker>) {
    super(inner);
    this.#open = open;
    this.stream = stream;
    this.#everyMs = everyMs;
  }

  take(seq: number, offset: number, now: number): void {
    let newest = this.#generations.at(-1);
    if (newest === undefined || now - newest.at >= this.#everyMs) {
      newest = { at: now, offset, seqs: new FanOutState(1) };
      this.#generations.push(newest);
    }
    newest.seqs.take(seq);
    this.#open.add(this);
  }

  /** What is late. */
  lateAt(now: number, afterMs: number): Late | undefined {
    const late = this.#generations.filter(({ at }) => now - at >= afterMs);
    const [oldest] = late;
    if (oldest === undefined) return undefined;
    const count = late.reduce((sum, { seqs }) => sum + seqs.open, 0);
    return { ageMs: now - oldest.at, count, offset: oldest.offset };
  }

  override ack(first: number, next: number): void {
    this.#settled(first, next);
    super.ack(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#settled(first, next);
    super.nack(first, next, cause);
  }

  #settled(first: number, next: number): void {
    for (const { seqs } of this.#generations) seqs.close(first, next);
    this.#generations = this.#generations.filter(({ seqs }) => !seqs.isEmpty);
    if (this.#generations.length === 0) this.#open.delete(this);
  }
}

/** The late deliveries of each stream: their count, and the oldest. */
function lateByStream(open: ReadonlySet<WatchedAcker>, now: number, afterMs: number): Map<string, Late> {
  const late = new Map<string, Late>();
  for (const acker of open) {
    const one = acker.lateAt(now, afterMs);
    if (one === undefined) continue;
    const other = late.get(acker.stream);
    const oldest = other === undefined || one.ageMs > other.ageMs ? one : other;
    late.set(acker.stream, { ...oldest, count: one.count + (other?.count ?? 0) });
  }
  return late;
}

function messageOf(name: string, stream: string, { ageMs, count, offset }: Late): string {
  return (
    `${count} deliveries of ${stream} have been unsettled in ${name} for ${ageMs} ms, the oldest near offset ` +
    `${offset}. Look for an operator that waits there, or drops deliveries without acking.`
  );
}

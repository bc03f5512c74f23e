import { map, type Observable } from 'rxjs';
import type { Acker } from '../../delivery/acker.js';
import { Delivery } from '../../delivery/delivery.js';
import type { Settlement } from '../recording-acker.js';

/**
 * Passes deliveries of any source on, and tells of each by its label when it is first acked, refused and released, before the
 * source's own acker hears of it.
 */
export function watched<T>(
  labelOf: (value: T) => string,
  report: (settlement: Settlement) => void,
): (source: Observable<Delivery<T>>) => Observable<Delivery<T>> {
  return (source) => {
    const ackers = new WeakMap<Acker, WatchedAcker>();
    return source.pipe(
      map(({ value, origin, acker, seq }) => {
        let own = ackers.get(acker);
        if (own === undefined) {
          own = new WatchedAcker(acker, report);
          ackers.set(acker, own);
        }
        own.labels.set(seq, labelOf(value));
        return new Delivery(value, origin, own, seq);
      }),
    );
  };
}

class WatchedAcker implements Acker {
  readonly labels = new Map<number, string>();
  readonly flush$;
  readonly resumeTracker;
  readonly isMixed;
  readonly #inner: Acker;
  readonly #report: (settlement: Settlement) => void;
  readonly #settled = new Set<number>();
  readonly #released = new Set<number>();

  constructor(inner: Acker, report: (settlement: Settlement) => void) {
    this.#inner = inner;
    this.#report = report;
    this.flush$ = inner.flush$;
    this.resumeTracker = inner.resumeTracker;
    this.isMixed = inner.isMixed === true;
  }

  ack(first: number, next: number): void {
    this.#note('ack', this.#settled, first, next);
    this.#inner.ack(first, next);
  }

  nack(first: number, next: number, cause: unknown): void {
    this.#note('nack', this.#settled, first, next);
    this.#inner.nack(first, next, cause);
  }

  release(first: number, next: number): void {
    this.#note('release', this.#released, first, next);
    this.#inner.release(first, next);
  }

  hold(first: number, next: number): void {
    this.#inner.hold(first, next);
  }

  #note(verb: 'ack' | 'nack' | 'release', done: Set<number>, first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) {
      const label = this.labels.get(seq);
      if (label === undefined || done.has(seq) || this.#settled.has(seq)) continue;
      done.add(seq);
      this.#report(`${verb} ${label}`);
    }
  }
}

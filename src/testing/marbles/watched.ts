import { map, type Observable } from 'rxjs';
import { Delivery } from '../../core/delivery.js';
import type { Duty } from '../../core/duty.js';
import type { Settlement } from '../recording-duty.js';

/**
 * Passes deliveries of any source on, and tells of each by its label when it is first acked, refused and released, before the
 * source's own duty hears of it.
 */
export function watched<T>(
  labelOf: (value: T) => string,
  report: (settlement: Settlement) => void,
): (source: Observable<Delivery<T>>) => Observable<Delivery<T>> {
  return (source) => {
    const duties = new WeakMap<Duty, WatchedDuty>();
    return source.pipe(
      map(({ value, origin, duty, place }) => {
        let own = duties.get(duty);
        if (own === undefined) {
          own = new WatchedDuty(duty, report);
          duties.set(duty, own);
        }
        own.labels.set(place, labelOf(value));
        return new Delivery(value, origin, own, place);
      }),
    );
  };
}

class WatchedDuty implements Duty {
  readonly labels = new Map<number, string>();
  readonly wanted;
  readonly replay;
  readonly isMixed;
  readonly #inner: Duty;
  readonly #report: (settlement: Settlement) => void;
  readonly #settled = new Set<number>();
  readonly #released = new Set<number>();

  constructor(inner: Duty, report: (settlement: Settlement) => void) {
    this.#inner = inner;
    this.#report = report;
    this.wanted = inner.wanted;
    this.replay = inner.replay;
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
    for (let place = first; place < next; place += 1) {
      const label = this.labels.get(place);
      if (label === undefined || done.has(place) || this.#settled.has(place)) continue;
      done.add(place);
      this.#report(`${verb} ${label}`);
    }
  }
}

import { map, type Observable } from 'rxjs';
import type { Acker } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { ForwardingAcker, oncePerAcker } from '../../delivery/forwarding-acker.js';
import type { Settlement } from '../recording-acker.js';

/**
 * Passes deliveries of any source on, and tells of each by its label when it is first acked, nacked and released, before the
 * source's own acker gets the call.
 */
export function watched<T>(
  labelOf: (value: T) => string,
  report: (settlement: Settlement) => void,
): (source: Observable<Delivery<T>>) => Observable<Delivery<T>> {
  return (source) => {
    const ackerOf = oncePerAcker(({ acker }) => new WatchedAcker(acker, report));
    return source.pipe(
      map((delivery) => {
        const acker = ackerOf(delivery);
        acker.labels.set(delivery.seq, labelOf(delivery.value));
        return acker.adopt(delivery);
      }),
    );
  };
}

class WatchedAcker extends ForwardingAcker {
  readonly labels = new Map<number, string>();
  readonly #report: (settlement: Settlement) => void;
  readonly #settled = new Set<number>();
  readonly #released = new Set<number>();

  constructor(inner: Acker, report: (settlement: Settlement) => void) {
    super(inner);
    this.#report = report;
  }

  override ack(first: number, next: number): void {
    this.#note('ack', this.#settled, first, next);
    super.ack(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#note('nack', this.#settled, first, next);
    super.nack(first, next, cause);
  }

  override release(first: number, next: number): void {
    this.#note('release', this.#released, first, next);
    super.release(first, next);
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

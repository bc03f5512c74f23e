import type { Observable } from 'rxjs';
import type { Delivery } from './delivery.js';
import type { Duty, Replay, Want } from './duty.js';
import { joinedWanted } from './epoch.js';
import { PlaceSet } from './place-set.js';

/**
 * Deliveries that are settled together, kept as places per duty and not as objects: a file of a million values holds a
 * million bits.
 *
 * Settles: whatever was added, once, on `ack` or `nack`; adding to a settled holding is a bug of the caller and throws.
 */
export class Holding {
  readonly #places = new Map<Duty, PlaceSet>();
  #lastDuty: Duty | undefined;
  #lastPlaces: PlaceSet | undefined;
  #size = 0;
  #isSettled = false;

  get size(): number {
    return this.#size;
  }

  add(delivery: Delivery<unknown>): void {
    if (this.#isSettled) throw new Error('Holding: add after settling');
    if (delivery.duty !== this.#lastDuty) this.#open(delivery.duty);
    if ((this.#lastPlaces as PlaceSet).add(delivery.place)) this.#size += 1;
  }

  ack(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const [duty, places] of this.#places) places.forEachRun((first, next) => duty.ack(first, next));
  }

  nack(cause: unknown): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    for (const [duty, places] of this.#places) places.forEachRun((first, next) => duty.nack(first, next, cause));
  }

  release(): void {
    for (const [duty, places] of this.#places) places.forEachRun((first, next) => duty.release(first, next));
  }

  /** Whether it is of several streams or epochs. */
  get isMixed(): boolean {
    const all = [...this.#places.keys()];
    return new Set(all.map((duty) => duty.wanted)).size > 1 || all.some((duty) => duty.isMixed === true);
  }

  hold(): void {
    for (const [duty, places] of this.#places) places.forEachRun((first, next) => duty.hold(first, next));
  }

  /** The replay that everything held so far shares, if it does. */
  get replay(): Replay | undefined {
    const all = new Set([...this.#places.keys()].map((duty) => duty.replay));
    const [only] = all;
    return all.size === 1 ? only : undefined;
  }

  /** What the sources of everything held so far ask for. */
  get wanted(): Observable<Want> {
    return joinedWanted([...this.#places.keys()].map((duty) => duty.wanted));
  }

  #open(duty: Duty): void {
    let places = this.#places.get(duty);
    if (places === undefined) {
      places = new PlaceSet();
      this.#places.set(duty, places);
    }
    this.#lastDuty = duty;
    this.#lastPlaces = places;
  }
}

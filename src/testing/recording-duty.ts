import { Subject } from 'rxjs';
import { Delivery, type Origin } from '../core/delivery.js';
import type { Duty, Want } from '../core/duty.js';
import { lazy } from './lazy.js';

/** What was done with one delivery, in order. */
export type Settlement = `ack ${string}` | `nack ${string}` | `release ${string}`;

/**
 * Makes deliveries and records what becomes of each, by its name: the duty of a source that is only a test.
 *
 * One-shot like any duty: only the first settling and the first release of a place are recorded.
 */
export class RecordingDuty implements Duty {
  readonly wanted = new Subject<Want>();
  /** `ack a`, `nack b`, `release a` … in order of happening. */
  readonly log: Settlement[] = [];
  /** The causes of nacks by name. */
  readonly causes: Record<string, unknown> = {};
  readonly stream: string;
  readonly #names: string[] = [];
  readonly #settled = new Set<number>();
  readonly #released = new Set<number>();
  readonly #report: (settlement: Settlement) => void;

  constructor(stream = 'test:stream', report: (settlement: Settlement) => void = () => undefined) {
    this.stream = stream;
    this.#report = report;
  }

  /** A new delivery, its origin as lazy as those of real drivers; its name defaults to the value as text. */
  deliver<T>(value: T, origin: Partial<Origin> = {}, name = String(value)): Delivery<T> {
    const place = this.#names.push(name) - 1;
    const byteLength = value instanceof Uint8Array ? value.length : Buffer.byteLength(String(value));
    const facts: Origin = { stream: this.stream, offset: place, epoch: 1, byteLength, ...origin };
    return new Delivery(value, lazy(facts), this, place);
  }

  get acks(): string[] {
    return this.#of('ack ');
  }

  get nacks(): string[] {
    return this.#of('nack ');
  }

  get releases(): string[] {
    return this.#of('release ');
  }

  /** Names of what is not settled. */
  get unsettled(): string[] {
    return this.#names.filter((_, place) => !this.#settled.has(place));
  }

  ack(first: number, next: number): void {
    for (let place = first; place < next; place += 1) this.#settle('ack', place);
  }

  nack(first: number, next: number, cause: unknown): void {
    for (let place = first; place < next; place += 1) {
      if (!this.#settled.has(place)) this.causes[this.#names[place] as string] = cause;
      this.#settle('nack', place);
    }
  }

  release(first: number, next: number): void {
    for (let place = first; place < next; place += 1) {
      if (this.#released.has(place) || this.#settled.has(place)) continue;
      this.#released.add(place);
      this.#record(`release ${this.#names[place]}`);
    }
  }

  hold(): void {}

  #settle(how: 'ack' | 'nack', place: number): void {
    if (this.#settled.has(place)) return;
    this.#settled.add(place);
    this.#record(`${how} ${this.#names[place]}`);
  }

  #record(settlement: Settlement): void {
    this.log.push(settlement);
    this.#report(settlement);
  }

  #of(prefix: string): string[] {
    return this.log.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  }
}

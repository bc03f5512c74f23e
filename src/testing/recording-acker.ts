import { Subject } from 'rxjs';
import type { Acker, FlushSignal } from '../delivery/acker.js';
import { Delivery, type Origin } from '../delivery/delivery.js';
import { lazy } from './memory/memory-record-view.js';

/** What was done with one delivery, in order. */
export type Settlement = `ack ${string}` | `nack ${string}` | `release ${string}`;

/**
 * Makes deliveries and records what becomes of each, by its name: the acker of a source that is only a test.
 *
 * One-shot like any acker: only the first settling and the first release of a sequence number are recorded.
 *
 * ```ts
 * import { RecordingAcker } from 'rxflume/testing';
 *
 * const acker = new RecordingAcker();
 * acker.deliver('a').ack();
 * acker.deliver('b').nack(new Error('full'));
 * acker.log; // → ['ack a', 'nack b']
 * ```
 */
export class RecordingAcker implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
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
    const seq = this.#names.push(name) - 1;
    const byteLength = value instanceof Uint8Array ? value.length : Buffer.byteLength(String(value));
    const facts: Origin = { stream: this.stream, offset: seq, epoch: 1, byteLength, ...origin };
    return new Delivery(value, lazy(facts), this, seq);
  }

  /** The name of the delivery with that sequence number. */
  nameOf(seq: number): string | undefined {
    return this.#names[seq];
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
    return this.#names.filter((_, seq) => !this.#settled.has(seq));
  }

  ack(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) this.#settle('ack', seq);
  }

  nack(first: number, next: number, cause: unknown): void {
    for (let seq = first; seq < next; seq += 1) {
      if (!this.#settled.has(seq)) this.causes[this.#names[seq] as string] = cause;
      this.#settle('nack', seq);
    }
  }

  release(first: number, next: number): void {
    for (let seq = first; seq < next; seq += 1) {
      if (this.#released.has(seq) || this.#settled.has(seq)) continue;
      this.#released.add(seq);
      this.#record(`release ${this.#names[seq]}`);
    }
  }

  hold(): void {}

  #settle(how: 'ack' | 'nack', seq: number): void {
    if (this.#settled.has(seq)) return;
    this.#settled.add(seq);
    this.#record(`${how} ${this.#names[seq]}`);
  }

  #record(settlement: Settlement): void {
    this.log.push(settlement);
    this.#report(settlement);
  }

  #of(prefix: string): string[] {
    return this.log.filter((line) => line.startsWith(prefix)).map((line) => line.slice(prefix.length));
  }
}

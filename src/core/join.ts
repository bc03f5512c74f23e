import type { Observable } from 'rxjs';
import { Delivery } from './delivery.js';
import type { Duty, Replay, Want } from './duty.js';
import { Holding } from './holding.js';

/**
 * Joins deliveries into one of all their values: settling or releasing it does the same to every part. Its origin is
 * the first part's, with the size of all. There must be at least one.
 */
export function joinDeliveries<T>(parts: readonly Delivery<T>[]): Delivery<T[]> {
  const first = parts[0];
  if (first === undefined) throw new Error('joinDeliveries: no deliveries');
  return new Delivery(
    parts.map((part) => part.value),
    {
      ...first.origin,
      byteLength: parts.reduce((sum, part) => sum + part.origin.byteLength, 0),
      lastOffset: Math.max(...parts.map(({ origin }) => origin.lastOffset ?? origin.offset)),
    },
    new WholeDuty(parts),
    0,
  );
}

class WholeDuty implements Duty {
  readonly wanted: Observable<Want>;
  readonly replay: Replay | undefined;
  readonly isMixed: boolean;
  readonly #parts = new Holding();

  constructor(parts: readonly Delivery<unknown>[]) {
    for (const part of parts) this.#parts.add(part);
    this.wanted = this.#parts.wanted;
    this.replay = this.#parts.replay;
    this.isMixed = this.#parts.isMixed;
  }

  ack(): void {
    this.#parts.ack();
  }

  nack(_first: number, _next: number, cause: unknown): void {
    this.#parts.nack(cause);
  }

  release(): void {
    this.#parts.release();
  }

  hold(): void {
    this.#parts.hold();
  }
}

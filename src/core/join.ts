import type { Observable } from 'rxjs';
import { Delivery, type Origin } from './delivery.js';
import type { Duty, Replay, Want } from './duty.js';
import { Holding } from './holding.js';

/**
 * Joins deliveries into one of all their values: settling or releasing it does the same to every part. Its origin is
 * the first part's, with the size of all. There must be at least one.
 */
export function joinDeliveries<T>(parts: readonly Delivery<T>[]): Delivery<T[]> {
  const first = parts[0];
  if (first === undefined) throw new Error('joinDeliveries: no deliveries');
  const holding = new Holding();
  for (const part of parts) holding.add(part);
  return deliveryOf(
    holding,
    parts.map((part) => part.value),
    {
      ...first.origin,
      byteLength: parts.reduce((sum, part) => sum + part.origin.byteLength, 0),
      lastOffset: Math.max(...parts.map(({ origin }) => origin.lastOffset ?? origin.offset)),
    },
  );
}

/**
 * One delivery for all that is held: settling or releasing it does the same to every part. `hidden`: no ledger may count
 * on it.
 */
export function deliveryOf<T>(
  parts: Holding,
  value: T,
  origin: Origin,
  replay: 'shown' | 'hidden' = 'shown',
): Delivery<T> {
  return new Delivery(value, origin, new WholeDuty(parts, replay === 'shown' ? parts.replay : undefined), 0);
}

class WholeDuty implements Duty {
  readonly wanted: Observable<Want>;
  readonly replay: Replay | undefined;
  readonly isMixed: boolean;
  readonly #parts: Holding;

  constructor(parts: Holding, replay: Replay | undefined) {
    this.#parts = parts;
    this.wanted = parts.wanted;
    this.replay = replay;
    this.isMixed = parts.isMixed;
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
    if (this.replay !== undefined) this.#parts.hold();
  }
}

import type { Observable } from 'rxjs';
import { Delivery, type Origin } from './delivery.js';
import type { Duty, Replay, Want } from './duty.js';
import { Holding } from './holding.js';
import { JoinedOrigin } from './joined-origin.js';

/**
 * Joins deliveries into one of all their values: settling or releasing it does the same to every part. Its origin is
 * the first part's, with the size of all, see `JoinedOrigin`. There must be at least one.
 */
export function joinDeliveries<T>(parts: readonly Delivery<T>[]): Delivery<T[]> {
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('joinDeliveries: no deliveries');
  const holding = new Holding();
  holding.add(first);
  const joined = new JoinedOrigin(first.origin);
  for (const part of others) {
    holding.add(part);
    joined.add(part.origin);
  }
  return deliveryOf(
    holding,
    parts.map((part) => part.value),
    joined.origin,
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

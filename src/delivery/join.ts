import type { Observable } from 'rxjs';
import { AckGroup } from './ack-group.js';
import type { Acker, FlushSignal, ResumeTracker } from './acker.js';
import { Delivery, type Origin } from './delivery.js';
import { JoinedOrigin } from './joined-origin.js';

/**
 * Joins deliveries into one of all their values: settling or releasing it does the same to every part. Its origin is
 * the first part's, with the size of all, see `JoinedOrigin`. There must be at least one.
 *
 * ```ts
 * import { joinDeliveries } from 'rxflume';
 * import { RecordingAcker } from 'rxflume/testing';
 *
 * const acker = new RecordingAcker();
 * const joined = joinDeliveries([acker.deliver('a'), acker.deliver('b')]);
 * joined.value; // → ['a', 'b']
 * joined.ack();
 * acker.acks; // → ['a', 'b']
 * ```
 */
export function joinDeliveries<T>(parts: readonly Delivery<T>[]): Delivery<T[]> {
  const [first, ...others] = parts;
  if (first === undefined) throw new Error('joinDeliveries: no deliveries');
  const ackGroup = new AckGroup();
  ackGroup.add(first);
  const joined = new JoinedOrigin(first.origin);
  for (const part of others) {
    ackGroup.add(part);
    joined.add(part.origin);
  }
  return deliveryOf(
    ackGroup,
    parts.map((part) => part.value),
    joined.origin,
  );
}

/**
 * One delivery for all that is held: settling or releasing it does the same to every part. `hidden`: no ledger may count
 * on it.
 */
export function deliveryOf<T>(
  parts: AckGroup,
  value: T,
  origin: Origin,
  resumeTracker: 'shown' | 'hidden' = 'shown',
): Delivery<T> {
  return new Delivery(
    value,
    origin,
    new WholeAcker(parts, resumeTracker === 'shown' ? parts.resumeTracker : undefined),
    0,
  );
}

class WholeAcker implements Acker {
  readonly flush$: Observable<FlushSignal>;
  readonly resumeTracker: ResumeTracker | undefined;
  readonly isMixed: boolean;
  readonly #parts: AckGroup;

  constructor(parts: AckGroup, resumeTracker: ResumeTracker | undefined) {
    this.#parts = parts;
    this.flush$ = parts.flush$;
    this.resumeTracker = resumeTracker;
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
    if (this.resumeTracker !== undefined) this.#parts.hold();
  }
}

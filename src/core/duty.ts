import type { Observable } from 'rxjs';

/**
 * What a source asks of everyone who holds its deliveries:
 * `release`: its window is full of bytes that someone holds back; hand them over.
 * `settle`: it cannot go on, or is about to leave; make durable what you hold, and settle it.
 */
export type Want = 'release' | 'settle';

/**
 * The account in which the deliveries of one stream and assignment epoch are settled. A place is the order of arrival
 * within it, dense from 0, so a holder of a million deliveries keeps a bit for each instead of the objects.
 *
 * Each verb takes the run of places [first, next), is one-shot for each place (later calls are no-ops) and never
 * throws. Acks and nacks after the epoch has ended are void; releases are not, since they speak of memory.
 */
export interface Duty {
  ack(first: number, next: number): void;
  nack(first: number, next: number, cause: unknown): void;
  release(first: number, next: number): void;
  /**
   * Emits what the source asks of the holders; completes when the epoch is over and what is held is void. The same
   * object for all deliveries of one stream and epoch, so that holders can tell epochs apart by it.
   */
  readonly wanted: Observable<Want>;
}

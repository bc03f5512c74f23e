import { type Observable, type Subscription, timer } from 'rxjs';
import { AckGroup } from '../delivery/ack-group.js';
import type { FlushSignal } from '../delivery/acker.js';
import type { Delivery } from '../delivery/delivery.js';
import { DeliveryBatch } from '../delivery/delivery-batch.js';
import { FlushListeners } from '../delivery/flush-listeners.js';
import { staleError } from '../delivery/nack-errors.js';

/** When a batch is closed: at whichever of these comes first. */
export interface BatchLimits {
  /** At this number of values. */
  readonly count: number;
  /** Before it exceeds this number of bytes; a larger value goes alone. */
  readonly bytes: number;
  /** This long after its first value, in milliseconds. */
  readonly maxWaitMs: number;
}

/** What becomes of a value for which a batch is open: it joins it, joins and fills it, or the batch is closed first. Pure. */
export function placeOf(
  open: { readonly size: number; readonly bytes: number },
  bytes: number,
  limits: Pick<BatchLimits, 'count' | 'bytes'>,
): 'joins' | 'fills' | 'begins' {
  if (open.size > 0 && open.bytes + bytes > limits.bytes) return 'begins';
  return open.size + 1 >= limits.count || open.bytes + bytes >= limits.bytes ? 'fills' : 'joins';
}

export interface BatcherParts<V> {
  readonly limits: BatchLimits;
  /** What one batch may hold: values of one epoch and one destination, or `all`. */
  readonly holds: 'one epoch' | 'all';
  /** Takes a batch that was closed, and the queue that it was gathered for. */
  readonly send: (batch: DeliveryBatch<V>, queue: string) => void;
  /** An epoch is over: what was sent of it before is stale too. */
  readonly over: (isOver: (flush$: Observable<FlushSignal>) => boolean) => void;
}

interface Open<V> {
  readonly batch: DeliveryBatch<V>;
  readonly waiting: Subscription;
}

/**
 * Gathers deliveries into batches, one open batch a queue.
 *
 * ```
 * values    -a-b-c-------d----e
 *           limits: count 2, maxWaitMs 5
 * asked     ---------------r-----     r: release
 * sent      ---x------y----z------w   x = [a b], y = [c], z = [d], w = [e]
 * ```
 *
 * A batch is closed when it is full (`BatchLimits`), before a value of another epoch or destination, when a source asks for
 * anything, and by `close` and `closeAll`, as at the end. The values of an epoch that is over leave it.
 *
 * Settles: nacks the deliveries of an epoch that is over, even if it ended before they arrived.
 * Bounds: for each queue one batch of `count` values and `bytes`, or one larger value, for at most `maxWaitMs`.
 */
export class Batcher<V> {
  readonly #parts: BatcherParts<V>;
  readonly #open = new Map<string, Open<V>>();
  readonly #flushListeners: FlushListeners;

  constructor(parts: BatcherParts<V>) {
    this.#parts = parts;
    this.#flushListeners = new FlushListeners({ asked: () => this.closeAll(), over: (isOver) => this.#over(isOver) });
  }

  get isEmpty(): boolean {
    return this.#open.size === 0;
  }

  /** Adds a delivery with the value that is sent for it, the bytes of that, and its destination. */
  take(queue: string, delivery: Delivery<unknown>, value: V, bytes: number, to = ''): void {
    if (!this.#flushListeners.listen(delivery)) {
      delivery.nack(staleError(delivery.origin.stream));
      return;
    }
    const { batch } = this.#open.get(queue) ?? this.#begin(queue, to);
    const place = this.#isOther(batch, delivery, to) ? 'begins' : placeOf(batch, bytes, this.#parts.limits);
    if (place === 'begins') {
      this.close(queue);
      this.take(queue, delivery, value, bytes, to);
      return;
    }
    batch.add(delivery, value, bytes);
    if (place === 'fills') this.close(queue);
  }

  /** Closes the batch of a queue, if one is open. */
  close(queue: string): void {
    const open = this.#open.get(queue);
    if (open === undefined) return;
    this.#forget(queue, open);
    this.#parts.send(open.batch, queue);
  }

  closeAll(): void {
    for (const queue of [...this.#open.keys()]) this.close(queue);
  }

  /** Ends; returns the open batches. */
  end(): DeliveryBatch<V>[] {
    this.#flushListeners.end();
    const all = [...this.#open.values()];
    for (const { waiting } of all) waiting.unsubscribe();
    this.#open.clear();
    return all.map(({ batch }) => batch);
  }

  #begin(queue: string, to: string): Open<V> {
    const waiting = timer(this.#parts.limits.maxWaitMs).subscribe(() => this.close(queue));
    const open = { batch: new DeliveryBatch<V>(to), waiting };
    this.#open.set(queue, open);
    return open;
  }

  #isOther(batch: DeliveryBatch<V>, { acker }: Delivery<unknown>, to: string): boolean {
    if (this.#parts.holds === 'all' || batch.size === 0) return false;
    return batch.flush$ !== acker.flush$ || batch.to !== to;
  }

  #forget(queue: string, { waiting }: Open<V>): void {
    this.#open.delete(queue);
    waiting.unsubscribe();
  }

  #over(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    const stale: Delivery<unknown>[] = [];
    for (const [queue, open] of this.#open) {
      stale.push(...open.batch.takeOut(({ acker }) => isOver(acker.flush$)));
      if (open.batch.size === 0) this.#forget(queue, open);
    }
    const [first] = stale;
    if (first !== undefined) AckGroup.of(stale).nack(staleError(first.origin.stream));
    this.#parts.over(isOver);
  }
}

import { type Subscription, timer } from 'rxjs';
import { AckGroup } from '../../delivery/ack-group.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Receipt } from '../../delivery/receipt.js';

/** Acked when so many are confirmed. */
const MAX_CONFIRMED = 500;
/** So long after the first of them, in milliseconds. */
const LINGER_MS = 5;

interface Group {
  readonly ackGroup: AckGroup;
  readonly stream: string;
  readonly firstOffset: number;
  lastOffset: number;
  bytes: number;
}

/**
 * What the broker has confirmed and is not acked yet: gathered for a short time, so that a run of confirms is one
 * ack and one receipt.
 *
 * Bounds: 500 confirmed messages, as sequence numbers.
 */
export class Confirmed {
  readonly #target: string;
  readonly #emit: (receipt: Receipt) => void;
  readonly #groups = new Map<string, Group>();
  #count = 0;
  #waiting: Subscription | undefined;

  /** `emit` is given a receipt for what was acked. */
  constructor(target: string, emit: (receipt: Receipt) => void) {
    this.#target = target;
    this.#emit = emit;
  }

  add(delivery: Delivery<unknown>, bytes: number): void {
    const { stream, offset, lastOffset = offset } = delivery.origin;
    let group = this.#groups.get(stream);
    if (group === undefined) {
      group = { ackGroup: new AckGroup(), stream, firstOffset: offset, lastOffset, bytes: 0 };
      this.#groups.set(stream, group);
    }
    group.ackGroup.add(delivery);
    group.lastOffset = Math.max(group.lastOffset, lastOffset);
    group.bytes += bytes;
    this.#count += 1;
    if (this.#count >= MAX_CONFIRMED) this.flush();
    else this.#waiting ??= timer(LINGER_MS).subscribe(() => this.flush());
  }

  /** Acks all of it. */
  flush(): void {
    this.#waiting?.unsubscribe();
    this.#waiting = undefined;
    this.#count = 0;
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    for (const { ackGroup, stream, firstOffset, lastOffset, bytes } of groups) {
      const values = ackGroup.size;
      ackGroup.ack();
      this.#emit({ sink: 'amqp', target: this.#target, values, bytes, stream, firstOffset, lastOffset });
    }
  }
}

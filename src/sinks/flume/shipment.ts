import type { Observable } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Want } from '../../core/duty.js';
import type { FlumeEvent } from '../../core/flume.js';
import { Holding } from '../../core/holding.js';

/** The events of one stream that go to an agent together, and what is to be settled when it has answered. */
export class Shipment {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Duty.wanted`. */
  readonly wanted: Observable<Want>;
  readonly events: FlumeEvent[] = [];
  readonly holding = new Holding();
  readonly firstOffset: number;
  lastOffset: number;
  bytes = 0;
  /** How often it was sent without an answer. */
  losses = 0;
  /** Its epoch is over: it comes again by itself. */
  isVoid = false;

  constructor({ origin, duty }: Delivery<FlumeEvent>) {
    this.stream = origin.stream;
    this.wanted = duty.wanted;
    this.firstOffset = origin.offset;
    this.lastOffset = origin.lastOffset ?? origin.offset;
  }

  add(delivery: Delivery<FlumeEvent>, bytes: number): void {
    this.events.push(delivery.value);
    this.holding.add(delivery);
    const { offset, lastOffset = offset } = delivery.origin;
    this.lastOffset = lastOffset;
    this.bytes += bytes;
  }
}

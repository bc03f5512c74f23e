import type { Observable } from 'rxjs';
import { AckGroup } from '../../delivery/ack-group.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { type FlumeEvent, flumeEventBytes } from '../../formats/flume-event.js';
import type { BatchSearch } from './batch-search.js';

/** The events of one stream that go to an agent together, and what is to be settled when it has answered. */
export class OutgoingBatch {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Acker.wanted`. */
  readonly flush$: Observable<FlushSignal>;
  readonly events: FlumeEvent[] = [];
  readonly firstOffset: number;
  lastOffset: number;
  bytes = 0;
  /** How often it was sent without an answer. */
  losses = 0;
  /** Its epoch is over: it is redelivered by itself. */
  isVoid = false;
  /** The search that it is a part of. */
  search: BatchSearch | undefined;
  readonly #deliveries: Delivery<FlumeEvent>[] = [];

  constructor({ origin, acker }: Delivery<FlumeEvent>) {
    this.stream = origin.stream;
    this.flush$ = acker.flush$;
    this.firstOffset = origin.offset;
    this.lastOffset = origin.lastOffset ?? origin.offset;
  }

  add(delivery: Delivery<FlumeEvent>, bytes: number): void {
    this.events.push(delivery.value);
    this.#deliveries.push(delivery);
    const { offset, lastOffset = offset } = delivery.origin;
    this.lastOffset = lastOffset;
    this.bytes += bytes;
  }

  /** Its events from one place up to another, to be sent apart. */
  part(from: number, to: number): OutgoingBatch {
    const [first, ...others] = this.#deliveries.slice(from, to) as [Delivery<FlumeEvent>, ...Delivery<FlumeEvent>[]];
    const part = new OutgoingBatch(first);
    for (const delivery of [first, ...others]) part.add(delivery, flumeEventBytes(delivery.value));
    part.search = this.search;
    part.isVoid = this.isVoid;
    return part;
  }

  ack(): void {
    this.#held.ack();
  }

  nack(cause: unknown): void {
    this.#held.nack(cause);
  }

  /** Together, so that a source hears of them once. */
  get #held(): AckGroup {
    const ackGroup = new AckGroup();
    for (const delivery of this.#deliveries) ackGroup.add(delivery);
    return ackGroup;
  }
}

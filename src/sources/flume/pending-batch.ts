import type { FlumeEvent } from '../../formats/flume-event.js';
import { SeqSet } from '../../offsets/seq-set.js';
import type { FlumeBatch, FlumeStatus } from '../../ports/flume-rpc.js';

/**
 * A client's batch from when its first event goes out to its answer: which of its sequence numbers are acked.
 *
 * Bounds: the events that have not gone out, and a bit for each that was acked out of order.
 */
export class PendingBatch {
  /** The client, for messages. */
  readonly client: string;
  /** How many events it has. */
  readonly count: number;
  /** The sequence number of its first event; those of the others follow without a gap. */
  readonly first: number;
  /** When it was made, in milliseconds since 1970, and when its first event went out, by a monotonic clock. */
  readonly time: number;
  readonly sentAt: number;
  /** When its holders are next to be asked to settle. */
  askAt: number;
  readonly #reply: (status: FlumeStatus) => boolean;
  /** Not the batch, which would keep every event in memory until the answer. */
  readonly #events: (FlumeEvent | undefined)[];
  #emitted = 0;
  #acked: SeqSet | undefined;
  #ackedCount = 0;

  constructor(
    batch: FlumeBatch,
    first: number,
    askAt: number,
    at: { readonly time: number; readonly sentAt: number } = { time: 0, sentAt: 0 },
  ) {
    this.client = batch.client;
    this.count = batch.events.length;
    this.first = first;
    this.askAt = askAt;
    this.time = at.time;
    this.sentAt = at.sentAt;
    this.#reply = batch.reply;
    this.#events = [...batch.events];
  }

  /** The sequence number behind its last event. */
  get next(): number {
    return this.first + this.count;
  }

  /** How many of its events have not gone out. */
  get waiting(): number {
    return this.count - this.#emitted;
  }

  get isWhole(): boolean {
    return this.#emitted === this.count;
  }

  /** The next event to go out. */
  take(): FlumeEvent {
    const event = this.#events[this.#emitted] as FlumeEvent;
    this.#events[this.#emitted] = undefined;
    this.#emitted += 1;
    if (this.isWhole) this.#events.length = 0;
    return event;
  }

  /** Answers the client; false where it has gone. */
  reply(status: FlumeStatus): boolean {
    return this.#reply(status);
  }

  /** Acks its sequence numbers in [first, next); true when all of them are. */
  ack(first: number, next: number): boolean {
    if (first <= this.first && next >= this.next) return true;
    this.#acked ??= new SeqSet();
    for (let seq = Math.max(first, this.first); seq < Math.min(next, this.next); seq += 1) {
      if (this.#acked.add(seq)) this.#ackedCount += 1;
    }
    return this.#ackedCount === this.count;
  }

  isAcked(seq: number): boolean {
    return this.#acked?.has(seq) ?? false;
  }
}

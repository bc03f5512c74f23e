import { type Subscription, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { Delivery } from '../../delivery/delivery.js';
import { FlushListeners } from '../../delivery/flush-listeners.js';
import { nackErrorOfThrown, staleError } from '../../delivery/nack-errors.js';
import { encodeWith, frameOf } from './http-body.js';
import type { CheckedOptions } from './options.js';
import { OutgoingBatch, sizeOf } from './outgoing-batch.js';
import { urlProblem } from './request-parts.js';

/** A parcel that is being filled, and the time until it is sent as it is. */
interface OpenBatch {
  readonly outgoing: OutgoingBatch;
  readonly waiting: Subscription;
}

/** What is told of what is gathered. */
export interface BatcherReport {
  /** It is full, or its time is over. */
  ship(sendQueue: string, outgoing: OutgoingBatch): void;
  /** The epoch of it is over. */
  dropped(outgoing: OutgoingBatch): void;
  /** An epoch is over: what was shipped of it before is stale too. */
  over(isOver: (flush$: OutgoingBatch['flush$']) => boolean): void;
}

/**
 * Gathers encoded values into parcels, one for each lane: a stream, or the keys of a stream that fall together.
 *
 * Bounds: a parcel of `batch.bytes` for each stream, and with `order: 'key'` for each of `concurrency` lanes of it.
 */
export class Batcher<T> {
  readonly #options: CheckedOptions<T>;
  readonly #report: BatcherReport;
  readonly #gathered = new Map<string, OpenBatch>();
  readonly #flushListeners: FlushListeners;
  readonly #frame;
  #shipped = 0;

  constructor(options: CheckedOptions<T>, report: BatcherReport) {
    this.#options = options;
    this.#report = report;
    this.#frame = frameOf(options.body);
    this.#flushListeners = new FlushListeners({ asked: () => this.shipAll(), over: (isOver) => this.#over(isOver) });
  }

  get isEmpty(): boolean {
    return this.#gathered.size === 0;
  }

  /** Takes one; refuses it alone where it cannot be encoded, or its URL or key not be told. */
  take(delivery: Delivery<T>): void {
    let sendQueue: string;
    let url: string;
    let piece: Delivery<string | Uint8Array>;
    let step = 'key';
    try {
      sendQueue = this.#laneOf(delivery);
      step = 'url';
      url = this.#urlOf(delivery);
      step = 'body.encode';
      piece = delivery.with(encodeWith(this.#options.body, delivery.value));
    } catch (cause) {
      delivery.nack(nackErrorOfThrown(`${step} of httpSink`, cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    if (!this.#flushListeners.listen(delivery)) {
      delivery.nack(staleError(delivery.origin.stream));
    } else if (delivery.acker.isMixed === true) {
      // Of several streams or epochs: it goes alone.
      this.#ship(sendQueue);
      this.#hand(sendQueue, new OutgoingBatch(url, piece));
    } else this.#gather(sendQueue, url, piece);
  }

  shipAll(): void {
    for (const sendQueue of [...this.#gathered.keys()]) this.#ship(sendQueue);
  }

  /** Ends; what was gathered. */
  close(): OutgoingBatch[] {
    this.#flushListeners.end();
    const left = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const { waiting } of left) waiting.unsubscribe();
    return left.map(({ outgoing }) => outgoing);
  }

  #gather(sendQueue: string, url: string, piece: Delivery<string | Uint8Array>): void {
    const { batch } = this.#options;
    let openBatch = this.#gathered.get(sendQueue);
    const isOther =
      openBatch !== undefined && (openBatch.outgoing.flush$ !== piece.acker.flush$ || openBatch.outgoing.url !== url);
    if (openBatch !== undefined && (isOther || this.#sizeWith(openBatch.outgoing, sizeOf(piece.value)) > batch.bytes)) {
      this.#ship(sendQueue);
      openBatch = undefined;
    }
    if (openBatch === undefined) {
      const waiting = timer(batch.maxWaitMs).subscribe(() => this.#ship(sendQueue));
      openBatch = { outgoing: new OutgoingBatch(url, piece), waiting };
      this.#gathered.set(sendQueue, openBatch);
    } else openBatch.outgoing.add(piece);
    const { outgoing } = openBatch;
    if (outgoing.pieces.length >= batch.count || this.#sizeWith(outgoing) >= batch.bytes) this.#ship(sendQueue);
  }

  /** The size of the body that the parcel makes, with one more piece of so many bytes. */
  #sizeWith(outgoing: OutgoingBatch, more?: number): number {
    const { ends, between } = this.#frame;
    const joints = outgoing.pieces.length - (more === undefined ? 1 : 0);
    return outgoing.bytes + (more ?? 0) + ends + joints * between;
  }

  #ship(sendQueue: string): void {
    const openBatch = this.#gathered.get(sendQueue);
    if (openBatch === undefined) return;
    this.#gathered.delete(sendQueue);
    openBatch.waiting.unsubscribe();
    this.#hand(sendQueue, openBatch.outgoing);
  }

  #hand(sendQueue: string, outgoing: OutgoingBatch): void {
    this.#shipped += 1;
    // Without an order each has a lane of its own.
    this.#report.ship(this.#options.order === 'none' ? `${this.#shipped}` : sendQueue, outgoing);
  }

  #over(isOver: (flush$: OutgoingBatch['flush$']) => boolean): void {
    for (const [sendQueue, { outgoing, waiting }] of [...this.#gathered]) {
      if (!isOver(outgoing.flush$)) continue;
      this.#gathered.delete(sendQueue);
      waiting.unsubscribe();
      this.#report.dropped(outgoing);
    }
    this.#report.over(isOver);
  }

  #laneOf(delivery: Delivery<T>): string {
    const { stream, offset } = delivery.origin;
    if (this.#options.order !== 'key') return stream;
    const key = this.#options.key(delivery);
    // What has no key has no order: spread by its offset.
    const number = key === undefined || key === null ? offset : hashOf(String(key));
    return `${stream} ${number % this.#options.concurrency}`;
  }

  #urlOf(delivery: Delivery<T>): string {
    const { url } = this.#options;
    if (typeof url === 'string') return url;
    const given = url(delivery);
    const problem = urlProblem(given);
    if (problem === undefined) return given;
    const { stream, offset } = delivery.origin;
    throw new SinkError('RXF_SINK_FORMAT', `\`url\` gave no usable URL for ${stream} offset ${offset}: ${problem}.`);
  }
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

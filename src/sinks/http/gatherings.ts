import { type Subscription, timer } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import { Wants } from '../../core/epoch.js';
import { SinkError } from '../../core/errors.js';
import { thrownFor } from '../../core/refusal.js';
import { encodeWith, frameOf } from './http-body.js';
import type { CheckedOptions } from './options.js';
import { Parcel, sizeOf } from './parcel.js';
import { urlProblem } from './request-parts.js';

/** A parcel that is being filled, and the time until it is sent as it is. */
interface Gathering {
  readonly parcel: Parcel;
  readonly waiting: Subscription;
}

/** What is told of what is gathered. */
export interface GatheringReport {
  /** It is full, or its time is over. */
  ship(lane: string, parcel: Parcel): void;
  /** The epoch of it is over. */
  dropped(parcel: Parcel): void;
  /** An epoch is over: what was shipped of it before is stale too. */
  over(isOver: (wanted: Parcel['wanted']) => boolean): void;
}

/**
 * Gathers encoded values into parcels, one for each lane: a stream, or the keys of a stream that fall together.
 *
 * Bounds: a parcel of `batch.bytes` for each stream, and with `order: 'key'` for each of `concurrency` lanes of it.
 */
export class Gatherings<T> {
  readonly #options: CheckedOptions<T>;
  readonly #report: GatheringReport;
  readonly #gathered = new Map<string, Gathering>();
  readonly #wants: Wants;
  readonly #frame;
  #shipped = 0;

  constructor(options: CheckedOptions<T>, report: GatheringReport) {
    this.#options = options;
    this.#report = report;
    this.#frame = frameOf(options.body);
    this.#wants = new Wants({ asked: () => this.shipAll(), over: (isOver) => this.#over(isOver) });
  }

  get isEmpty(): boolean {
    return this.#gathered.size === 0;
  }

  /** Takes one; refuses it alone where it cannot be encoded, or its URL or key not be told. */
  take(delivery: Delivery<T>): void {
    let lane: string;
    let url: string;
    let piece: Delivery<string | Uint8Array>;
    let step = 'key';
    try {
      lane = this.#laneOf(delivery);
      step = 'url';
      url = this.#urlOf(delivery);
      step = 'body.encode';
      piece = delivery.with(encodeWith(this.#options.body, delivery.value));
    } catch (cause) {
      delivery.nack(thrownFor(`${step} of httpSink`, cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    if (!this.#wants.listen(delivery)) {
      delivery.nack(
        new SinkError('RXF_SINK_STOPPED', `${delivery.origin.stream} is read anew; its values come again.`),
      );
    } else if (delivery.duty.isMixed === true) {
      // Of several streams or epochs: it goes alone.
      this.#ship(lane);
      this.#hand(lane, new Parcel(url, piece));
    } else this.#gather(lane, url, piece);
  }

  shipAll(): void {
    for (const lane of [...this.#gathered.keys()]) this.#ship(lane);
  }

  /** Ends; what was gathered. */
  close(): Parcel[] {
    this.#wants.end();
    const left = [...this.#gathered.values()];
    this.#gathered.clear();
    for (const { waiting } of left) waiting.unsubscribe();
    return left.map(({ parcel }) => parcel);
  }

  #gather(lane: string, url: string, piece: Delivery<string | Uint8Array>): void {
    const { batch } = this.#options;
    let gathering = this.#gathered.get(lane);
    const isOther =
      gathering !== undefined && (gathering.parcel.wanted !== piece.duty.wanted || gathering.parcel.url !== url);
    if (gathering !== undefined && (isOther || this.#sizeWith(gathering.parcel, sizeOf(piece.value)) > batch.bytes)) {
      this.#ship(lane);
      gathering = undefined;
    }
    if (gathering === undefined) {
      const waiting = timer(batch.maxWaitMs).subscribe(() => this.#ship(lane));
      gathering = { parcel: new Parcel(url, piece), waiting };
      this.#gathered.set(lane, gathering);
    } else gathering.parcel.add(piece);
    const { parcel } = gathering;
    if (parcel.pieces.length >= batch.count || this.#sizeWith(parcel) >= batch.bytes) this.#ship(lane);
  }

  /** The size of the body that the parcel makes, with one more piece of so many bytes. */
  #sizeWith(parcel: Parcel, more?: number): number {
    const { ends, between } = this.#frame;
    const joints = parcel.pieces.length - (more === undefined ? 1 : 0);
    return parcel.bytes + (more ?? 0) + ends + joints * between;
  }

  #ship(lane: string): void {
    const gathering = this.#gathered.get(lane);
    if (gathering === undefined) return;
    this.#gathered.delete(lane);
    gathering.waiting.unsubscribe();
    this.#hand(lane, gathering.parcel);
  }

  #hand(lane: string, parcel: Parcel): void {
    this.#shipped += 1;
    // Without an order each has a lane of its own.
    this.#report.ship(this.#options.order === 'none' ? `${this.#shipped}` : lane, parcel);
  }

  #over(isOver: (wanted: Parcel['wanted']) => boolean): void {
    for (const [lane, { parcel, waiting }] of [...this.#gathered]) {
      if (!isOver(parcel.wanted)) continue;
      this.#gathered.delete(lane);
      waiting.unsubscribe();
      this.#report.dropped(parcel);
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

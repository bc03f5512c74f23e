import type { Observable } from 'rxjs';
import { AckGroup } from '../../delivery/ack-group.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { batchId } from './batch-id.js';

/** What goes in one request, as the functions among the options see it. */
export interface HttpBatch {
  readonly stream: string;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** How many values it holds. */
  readonly values: number;
  /** Names these values, such as `kafka:chat/3+120-219`: the same whenever they are sent together. */
  readonly id: string;
}

type Piece = Delivery<string | Uint8Array>;

/** Encoded values of one stream that go in one request, and what is to be settled when it is answered. */
export class OutgoingBatch {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Acker.wanted`. */
  readonly flush$: Observable<FlushSignal>;
  readonly url: string;
  readonly pieces: Piece[];
  /** The size of its pieces. */
  bytes = 0;

  constructor(url: string, first: Piece, others: readonly Piece[] = []) {
    this.stream = first.origin.stream;
    this.flush$ = first.acker.flush$;
    this.url = url;
    this.pieces = [first, ...others];
    for (const { value } of this.pieces) this.bytes += sizeOf(value);
  }

  add(piece: Piece): void {
    this.pieces.push(piece);
    this.bytes += sizeOf(piece.value);
  }

  get batch(): HttpBatch {
    const first = (this.pieces[0] as Piece).origin;
    const last = (this.pieces.at(-1) as Piece).origin;
    const lastOffset = last.lastOffset ?? last.offset;
    const id = batchId(
      this.stream,
      this.pieces.map(({ origin }) => origin),
    );
    return { stream: this.stream, firstOffset: first.offset, lastOffset, values: this.pieces.length, id };
  }

  /** Itself as two of about the same count. Of one value there are no halves. */
  halves(): [OutgoingBatch, OutgoingBatch] {
    const middle = Math.ceil(this.pieces.length / 2);
    const half = ([first, ...others]: Piece[]) => new OutgoingBatch(this.url, first as Piece, others);
    return [half(this.pieces.slice(0, middle)), half(this.pieces.slice(middle))];
  }

  ack(): void {
    this.#ackGroup().ack();
  }

  nack(cause: unknown): void {
    this.#ackGroup().nack(cause);
  }

  #ackGroup(): AckGroup {
    const ackGroup = new AckGroup();
    for (const piece of this.pieces) ackGroup.add(piece);
    return ackGroup;
  }
}

export function sizeOf(piece: string | Uint8Array): number {
  return Buffer.byteLength(piece);
}

import type { HeaderList, HeaderMap } from '../core/headers.js';
import type { Acker } from './acker.js';

/** Where a value comes from, as far as its source knows. */
export interface Origin {
  /** The ordered, replayable sequence it belongs to, such as `kafka:chat/3`. */
  readonly stream: string;
  /** Its offset in the stream, a safe integer. */
  readonly offset: number;
  /**
   * Where the offset is counted by the source and not given by a broker: names the subscription that counted. Another, of this
   * process or not, may count the same offset for another value.
   */
  readonly run?: string | undefined;
  /** The highest of the offsets behind it, where it was joined from several of its stream. */
  readonly lastOffset?: number | undefined;
  /** Which part of the value at that offset it is, from `0` (`1.0` of a part that was split again); undefined for all of it. */
  readonly part?: string | undefined;
  /**
   * Tells what was joined from others that were with the same first and last offset: which values are in it, of which
   * streams. Undefined where that is every offset from the first to the last.
   */
  readonly digest?: string | undefined;
  /** Which assignment of the stream it came with; settling in a later epoch is stale. */
  readonly epoch: number;
  /** Its size as received, in bytes: what the in-flight window counts. */
  readonly byteLength: number;
  /** Milliseconds since 1970, as the source has it. */
  readonly timestamp?: number | undefined;
  readonly key?: Uint8Array | null | undefined;
  /** By name, a list where a name is repeated; null where a header is null. */
  readonly headers?: HeaderMap | undefined;
  /** The same headers in their order, repeated names and nulls included; who copies them takes these where they are. */
  readonly headerList?: HeaderList | undefined;
  /** The dead letter that this is a replay of; undefined where it is none. */
  readonly replayOf?: ReplayedLetter | undefined;
}

/** A dead letter that is replayed, as far as one that it may become has to tell. */
export interface ReplayedLetter {
  /** Where the letter is, such as `dt=2026-03-02/kafka+chat~3+….jsonl#12`. */
  readonly letter: string;
  /** Where its record was first read. */
  readonly stream: string;
  readonly offset: number;
  readonly part: string | null;
  readonly attempt: number;
}

/**
 * A value with the acker to settle it once: `ack` when it is durable downstream, `nack` when it failed. Later calls
 * are no-ops and settling never throws. `release` says that its bytes have left this process's memory; it frees the
 * source's window and promises nothing. Settling releases too.
 *
 * ```ts
 * import type { Delivery } from 'rxflume';
 * import { RecordingAcker } from 'rxflume/testing';
 *
 * const acker = new RecordingAcker();
 * const delivery: Delivery<string> = acker.deliver('a');
 * delivery.with(delivery.value.toUpperCase()).ack(); // the same acker, another value
 * delivery.nack(new Error('too late')); // already settled: a no-op
 * acker.log; // → ['ack a']
 * ```
 */
export class Delivery<out T> {
  readonly #value: T;
  readonly origin: Origin;
  /** The account it is settled in, for holders that settle many at once; see `AckGroup`. */
  readonly acker: Acker;
  readonly seq: number;

  constructor(value: T, origin: Origin, acker: Acker, seq: number) {
    this.#value = value;
    this.origin = origin;
    this.acker = acker;
    this.seq = seq;
  }

  get value(): T {
    return this.#value;
  }

  ack(): void {
    this.acker.ack(this.seq, this.seq + 1);
  }

  nack(cause: unknown): void {
    this.acker.nack(this.seq, this.seq + 1, cause);
  }

  release(): void {
    this.acker.release(this.seq, this.seq + 1);
  }

  /** The same acker with another value. Use one of the two afterwards: settling either settles both. */
  with<U>(value: U): Delivery<U> {
    return new Delivery(value, this.origin, this.acker, this.seq);
  }
}

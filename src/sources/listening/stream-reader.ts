import { describeError } from '../../core/errors.js';
import type { SocketPeer, SocketReader } from '../../ports/socket-server.js';
import type { Frame, Framer } from './frames.js';
import type { PartialBytes } from './partial-bytes.js';

/** What a reader tells the intake it belongs to. */
export interface StreamReaderHost {
  readonly partial: PartialBytes;
  /** What one reading has brought. */
  frames(frames: readonly Frame[], client: string, byteLength: number): void;
  /** Something a client sent cannot be read, and its connection is closed. */
  lost(count: number, why: string): void;
}

/** Reads the frames that one client of a stream sends, and answers nothing. */
export class StreamReader implements SocketReader {
  readonly #peer: SocketPeer;
  readonly #framer: Framer;
  readonly #maxBytes: number;
  readonly #host: StreamReaderHost;
  #frames = 0;
  #isOver = false;

  constructor(peer: SocketPeer, framer: Framer, maxBytes: number, host: StreamReaderHost) {
    this.#peer = peer;
    this.#framer = framer;
    this.#maxBytes = maxBytes;
    this.#host = host;
  }

  get unfinished(): number {
    return this.#framer.pending === 0 ? 0 : this.#frames + 1;
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    const frames: Frame[] = [];
    let problem: string | undefined;
    this.#framer.push(bytes);
    try {
      for (let frame = this.#framer.next(); frame !== undefined; frame = this.#framer.next()) frames.push(frame);
    } catch (error) {
      problem = describeError(error);
    }
    this.#frames += frames.length;
    const held = Math.min(this.#framer.pending, this.#maxBytes);
    const mayHold = this.#host.partial.set(this, held);
    if (frames.length > 0) this.#host.frames(frames, this.#peer.client, bytes.length);
    if (problem !== undefined) this.#drop(`${this.#peer.client} sent what cannot be read: ${problem}`);
    else if (!mayHold) this.#drop(`${this.#peer.client} began a message while too much had begun (maxBufferedBytes)`);
  }

  /** A last line needs no end. */
  ended(): void {
    this.#host.partial.set(this, 0);
    if (this.#isOver) return;
    this.#isOver = true;
    const last = this.#framer.end();
    if (last !== undefined && last.bytes.length > 0) this.#host.frames([last], this.#peer.client, last.bytes.length);
  }

  closing(): void {
    this.#peer.end();
  }

  #drop(why: string): void {
    this.#isOver = true;
    this.#host.partial.set(this, 0);
    this.#host.lost(1, why);
    this.#peer.end();
  }
}

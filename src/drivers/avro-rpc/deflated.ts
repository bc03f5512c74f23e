import { Duplex } from 'node:stream';
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib';

/**
 * A connection whose bytes are deflated on the wire, both ways: one zlib stream each way, flushed after each write, so
 * that what was written can be read at once.
 *
 * Bounds: zlib's own buffers, and one chunk each way; it is read no faster than it is taken.
 * Source: Netty's `JZlibEncoder` and `JZlibDecoder`, which Flume puts into its pipeline; RFC 1950.
 */
export class Deflated extends Duplex {
  readonly #wire: Duplex;
  readonly #deflate: Deflate;
  readonly #inflate: Inflate;

  constructor(wire: Duplex, level: number) {
    super({ allowHalfOpen: false });
    this.#wire = wire;
    this.#deflate = createDeflate({ level, flush: constants.Z_SYNC_FLUSH });
    // A connection ends without zlib's trailer; that is no damage.
    this.#inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
    this.#inflate.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#inflate.pause();
    });
    this.#inflate.on('end', () => this.push(null));
    this.#inflate.pause();
    this.#deflate.on('data', (chunk: Buffer) => {
      if (!wire.destroyed && !wire.write(chunk)) this.#deflate.pause();
    });
    this.#deflate.on('end', () => wire.end());
    wire.on('drain', () => this.#deflate.resume());
    wire.on('data', (chunk: Buffer) => {
      if (!this.#inflate.write(chunk)) wire.pause();
    });
    this.#inflate.on('drain', () => wire.resume());
    wire.on('end', () => this.#inflate.end());
    for (const part of [wire, this.#deflate, this.#inflate]) part.on('error', (error) => this.destroy(error));
    // Not `destroy`: what came last may still be inflating.
    wire.on('close', () => {
      this.#inflate.end();
      this.#deflate.resume();
    });
  }

  override _read(): void {
    this.#inflate.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#deflate.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#deflate.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.destroy();
    this.#deflate.destroy();
    this.#inflate.destroy();
    done(error);
  }
}

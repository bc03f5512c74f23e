import { Readable } from 'node:stream';
import type { PackageRequest } from './package.js';

/**
 * The bytes of one upload, as a stream that the package can pipe: it takes its input from nothing else. It pipes twice,
 * first into the request to the NameNode, which it leaves at once, then into the one to the DataNode, which it keeps to
 * itself: `uploading` is called with that, so that its answer can be seen and it can be cut off.
 * Bounds: the chunk that was written last, and one in the connection; both are copies.
 */
export class Body extends Readable {
  readonly #uploading: (request: PackageRequest) => void;
  #pipes = 0;
  #taken: (() => void) | undefined;

  constructor(uploading: (request: PackageRequest) => void) {
    super({ highWaterMark: 1 });
    this.#uploading = uploading;
  }

  /** Calls back when the chunk is in the connection, or nobody waits for it any more. */
  add(chunk: Uint8Array, taken: () => void): void {
    this.#taken = taken;
    // The caller may change the chunk once it has answered, and the connection may have it still.
    this.push(Buffer.from(chunk));
  }

  end(): void {
    this.push(null);
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override pipe<T extends NodeJS.WritableStream>(destination: T): T {
    this.#pipes += 1;
    if (this.#pipes === 2) this.#uploading(destination as unknown as PackageRequest);
    return super.pipe(destination);
  }
}

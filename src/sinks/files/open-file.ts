import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  from,
  map,
  type Observable,
  of,
  ReplaySubject,
  type Subscription,
  throwError,
  timer,
} from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import { SinkError } from '../../core/errors.js';
import { Holding } from '../../core/holding.js';
import type { Encoder } from '../../formats/format.js';
import type { FileSystem, FileWriter } from '../../ports/file-system.js';
import { ChunkWriter } from './chunk-writer.js';
import type { CheckedOptions } from './options.js';
import { removedError, retryWhereRemoved } from './removed.js';

/** A file as it was closed: whole, and still at its temporary path. */
export interface ClosedFile {
  readonly temporary: string;
  readonly bucket: string;
  readonly values: number;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/**
 * One file while it is written: values are encoded into a chunk, chunks are compressed side by side and written one
 * after the other, and each releases its deliveries once the storage has taken it.
 *
 * Bounds: one chunk being filled; what is handed over and not written is unreleased, so the source's window bounds it.
 */
export class OpenFile<T> {
  readonly bucket: string;
  readonly #path: string;
  readonly #options: CheckedOptions<T>;
  readonly #fs: FileSystem;
  readonly #encoder: Encoder<T>;
  readonly #writer: FileWriter;
  readonly #chunks: ChunkWriter;
  readonly #written$ = new ReplaySubject<never>(1);
  #parts = new Holding();
  #linger: Subscription | undefined;
  #isAborted = false;
  #values = 0;
  #first = -1;
  #last = -1;
  /** Bytes the storage has taken. */
  #stored = 0;

  constructor(fs: FileSystem, options: CheckedOptions<T>, bucket: string, path: string, report: FileReport) {
    this.#fs = fs;
    this.#options = options;
    this.bucket = bucket;
    this.#path = path;
    this.#encoder = options.format.encoder();
    this.#writer = fs.create(path);
    this.#chunks = new ChunkWriter(this.#writer, {
      stored: ({ parts }, bytes) => {
        this.#stored += bytes;
        parts.release();
        if (this.#stored >= options.roll.bytes) report.full();
      },
      ended: () => this.#written$.complete(),
      failed: (cause) => {
        const error = removedError(path, cause);
        this.#written$.error(error);
        report.failed(error);
      },
    });
  }

  /** Adds a value; true where the chunk is full, to be handed over. Throws what the encoder throws, and then nothing was added. */
  add(delivery: Delivery<T>): boolean {
    const size = this.#encoder.add(delivery.value);
    this.#parts.add(delivery);
    const { offset, lastOffset = offset } = delivery.origin;
    if (this.#first < 0 || offset < this.#first) this.#first = offset;
    if (lastOffset > this.#last) this.#last = lastOffset;
    this.#values += 1;
    if (size >= this.#options.chunkBytes) return true;
    if (this.#linger === undefined) this.#lingerOn();
    return false;
  }

  /** Hands the chunk that is being filled to the storage. */
  handOver(): void {
    this.#linger?.unsubscribe();
    this.#linger = undefined;
    if (this.#parts.size === 0) return;
    const { compression } = this.#options.format;
    const taken = this.#encoder.take();
    const bytes = compression.name === 'none' ? taken : compression.compress(taken);
    const parts = this.#parts;
    this.#parts = new Holding();
    this.#chunks.push({ bytes, parts });
  }

  /** Writes what is left and closes the file; compares the length stored with the length sent. */
  close(): Observable<ClosedFile> {
    this.handOver();
    this.#chunks.end();
    return concat(
      this.#written$,
      defer(() => from(this.#writer.close())).pipe(
        retryWhereRemoved(this.#path),
        concatMap(({ bytes }) => (bytes === this.#stored ? of(bytes) : throwError(() => this.#lengthError(bytes)))),
        map((bytes) => ({
          temporary: this.#path,
          bucket: this.bucket,
          values: this.#values,
          bytes,
          first: this.#first,
          last: this.#last,
        })),
      ),
    );
  }

  /** Gives up: stops writing, and removes the temporary file where it may, as far as the storage answers. */
  abort(mayRemove: boolean): void {
    if (this.#isAborted) return;
    this.#isAborted = true;
    this.#linger?.unsubscribe();
    this.#chunks.abort();
    this.#writer.abort();
    if (!mayRemove) return;
    defer(() => from(this.#fs.remove(this.#path)))
      .pipe(catchError(() => EMPTY))
      .subscribe();
  }

  /** Apart, since a closure in `add` would cost 40 bytes for every value. */
  #lingerOn(): void {
    this.#linger = timer(this.#options.lingerMs).subscribe(() => this.handOver());
  }

  #lengthError(bytes: number): SinkError {
    return new SinkError(
      'RXF_FILES_LENGTH',
      `${this.#fs.name} stored ${bytes} bytes of ${this.#path}, ${this.#stored} were sent. The file is given up and its ` +
        'values come again.',
      { details: { path: this.#path, stored: bytes, sent: this.#stored } },
    );
  }
}

/** What a file tells the stream it belongs to. */
export interface FileReport {
  full(): void;
  failed(error: unknown): void;
}

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
import { describeError, SinkError } from '../../../core/errors.js';
import { AckGroup } from '../../../delivery/ack-group.js';
import type { Delivery } from '../../../delivery/delivery.js';
import type { Encoder } from '../../../formats/format.js';
import type { CallTimer } from '../../../lifecycle/call-timer.js';
import type { FileSystem, FileWriter } from '../../../ports/file-system.js';
import { bucketError } from '../buckets/bucket.js';
import { one, removedError, retryWhereRemoved } from '../file-calls.js';
import type { StoredFile } from '../ledger/entry.js';
import { isForGood } from '../ledger/publish.js';
import type { CheckedOptions } from '../options.js';
import type { ChunkBudget, HoldsChunk } from './chunk-budget.js';
import { type Chunk, type ChunkReport, ChunkWriter } from './chunk-writer.js';

/** A file as it was closed: whole, and still at its temporary path. */
export interface ClosedFile extends Omit<StoredFile, 'final'> {
  readonly bucket: string;
  /** Its number in the segment. */
  readonly number: number;
}

/**
 * One file while it is written: values are encoded into a chunk, chunks are compressed side by side and written one
 * after the other, and each releases its deliveries once the storage has taken it.
 *
 * Nothing is passed on before the folder of the file is made. Where that folder can never be made, what the file holds
 * is still in memory, and is nacked alone.
 *
 * Bounds: one chunk being filled; what is passed on and not written is unreleased, so the source's window bounds it.
 */
export class OpenFile<T> implements HoldsChunk {
  readonly bucket: string;
  readonly #stream: string;
  readonly #number: number;
  readonly #path: string;
  readonly #options: CheckedOptions<T>;
  readonly #fs: FileSystem;
  readonly #report: FileReport;
  /** Of a format that gathers a lot in its chunks. */
  readonly #budget: ChunkBudget | undefined;
  /** When a chunk is full. */
  readonly #chunkBytes: number;
  readonly #chunkCount: number;
  readonly #encoder: Encoder<T>;
  readonly #writer: FileWriter;
  readonly #chunks: ChunkWriter;
  readonly #written$ = new ReplaySubject<never>(1);
  /** Chunks that wait for the folder; undefined once it is made. */
  #early: Chunk[] | undefined = [];
  #folder: Subscription | undefined;
  #rejection: SinkError | undefined;
  #isEnding = false;
  #parts = new AckGroup();
  #linger: Subscription | undefined;
  #isAborted = false;
  #values = 0;
  #first = -1;
  #last = -1;
  /** Bytes the storage has taken. */
  #stored = 0;
  #heldBytes = 0;

  constructor(
    fs: FileSystem,
    options: CheckedOptions<T>,
    of: FileOf,
    report: FileReport,
    budget: ChunkBudget | undefined,
  ) {
    this.#fs = fs;
    this.#options = options;
    this.#report = report;
    this.#budget = budget;
    this.#chunkBytes = options.format.chunk?.bytes ?? options.chunk.bytes;
    this.#chunkCount = options.format.chunk?.count ?? Number.POSITIVE_INFINITY;
    this.#stream = of.stream;
    this.bucket = of.bucket;
    this.#path = of.path;
    this.#number = of.number;
    this.#encoder = options.format.encoder();
    this.#writer = fs.create(of.path);
    const chunkReport: ChunkReport = {
      stored: ({ parts }, bytes) => {
        this.#stored += bytes;
        parts.release();
        if (this.#stored >= options.roll.bytes) report.full();
      },
      ended: () => this.#written$.complete(),
      failed: (cause) => this.#fail(removedError(of.path, cause)),
    };
    this.#chunks = new ChunkWriter(this.#writer, chunkReport, report.writes);
    budget?.opened(this);
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Makes its folder. The root itself is there with the first temporary file. */
  makeFolder(): void {
    if (this.bucket === '') {
      this.#begin();
      return;
    }
    const folder = `${this.#options.root}/${this.bucket}`;
    this.#folder = one(() => this.#fs.makeFolder(folder)).subscribe({
      error: (error: unknown) => (isForGood(error) ? this.#reject(error) : this.#fail(error)),
      complete: () => this.#begin(),
    });
  }

  /** Why it takes no values: its folder can never be made. */
  get rejection(): SinkError | undefined {
    return this.#rejection;
  }

  /** Adds a value; true where the chunk is full, to be passed on. Throws what the encoder throws, and then nothing was added. */
  add(delivery: Delivery<T>): boolean {
    const size = this.#encoder.add(delivery.value);
    this.#parts.add(delivery);
    const { offset, lastOffset = offset } = delivery.origin;
    if (this.#first < 0 || offset < this.#first) this.#first = offset;
    if (lastOffset > this.#last) this.#last = lastOffset;
    this.#values += 1;
    if (this.#budget !== undefined) this.#holds(size, this.#budget);
    if (size >= this.#chunkBytes || this.#parts.size >= this.#chunkCount) return true;
    if (this.#linger === undefined) this.#lingerOn();
    return false;
  }

  /** Hands the chunk that is being filled to the storage. */
  handOver(): void {
    this.#linger?.unsubscribe();
    this.#linger = undefined;
    if (this.#parts.size === 0) return;
    const bytes = this.#taken();
    if (this.#budget !== undefined) this.#holds(0, this.#budget);
    const parts = this.#parts;
    this.#parts = new AckGroup();
    this.#push({ bytes, parts });
  }

  /** Writes what is left and closes the file; compares the length stored with the length sent. Empty where its folder can never be made. */
  close(): Observable<ClosedFile> {
    this.handOver();
    this.#leaveBudget();
    if (this.#values > 0) this.#finish();
    this.#isEnding = true;
    if (this.#early === undefined) this.#chunks.end();
    return concat(
      this.#written$,
      defer(() => (this.#rejection === undefined ? from(this.#writer.close()) : EMPTY)).pipe(
        retryWhereRemoved(this.#path),
        concatMap(({ bytes }) => (bytes === this.#stored ? of(bytes) : throwError(() => this.#lengthError(bytes)))),
        map((bytes) => ({
          temporary: this.#path,
          bucket: this.bucket,
          number: this.#number,
          bytes,
          values: this.#values,
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
    this.#leaveBudget();
    this.#linger?.unsubscribe();
    this.#folder?.unsubscribe();
    this.#chunks.abort();
    this.#writer.abort();
    if (!mayRemove) return;
    defer(() => from(this.#fs.remove(this.#path)))
      .pipe(catchError(() => EMPTY))
      .subscribe();
  }

  #taken(): Chunk['bytes'] {
    if (this.#encoder.takeLater !== undefined) return this.#encoder.takeLater();
    const { compression } = this.#options.format;
    const taken = this.#encoder.take();
    return compression.name === 'none' ? taken : compression.compress(taken);
  }

  /** Passes on what ends the file, of a format that has such. */
  #finish(): void {
    const [stream, values, firstOffset, lastOffset] = [this.#stream, this.#values, this.#first, this.#last];
    const bytes = this.#encoder.finish?.({ stream, values, firstOffset, lastOffset });
    if (bytes !== undefined) this.#push({ bytes, parts: new AckGroup() });
  }

  #push(chunk: Chunk): void {
    if (this.#early === undefined) this.#chunks.push(chunk);
    else this.#early.push(chunk);
  }

  #leaveBudget(): void {
    if (this.#budget === undefined) return;
    this.#holds(0, this.#budget);
    this.#budget.closed(this);
  }

  #holds(bytes: number, budget: ChunkBudget): void {
    budget.changed(bytes - this.#heldBytes);
    this.#heldBytes = bytes;
  }

  /** The folder exists: what waited for it is passed on. */
  #begin(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const chunk of early) this.#chunks.push(chunk);
    if (this.#isEnding) this.#chunks.end();
    this.#report.decided();
  }

  #reject(cause: SinkError): void {
    const { root } = this.#options;
    this.#linger?.unsubscribe();
    this.#rejection = bucketError(
      this.bucket,
      `its folder cannot be made below ${root} (${describeError(cause)})`,
      cause,
    );
    const ackGroups = [...(this.#early ?? []).map(({ parts }) => parts), this.#parts];
    this.#early = [];
    this.#values = 0;
    this.#leaveBudget();
    this.#writer.abort();
    this.#written$.complete();
    for (const parts of ackGroups) parts.nack(this.#rejection);
    this.#report.decided();
  }

  #fail(error: unknown): void {
    this.#written$.error(error);
    this.#report.failed(error);
  }

  /** Apart, since a closure in `add` would cost 40 bytes for every value. */
  #lingerOn(): void {
    const { maxWaitMs } = this.#options.format.chunk ?? this.#options.chunk;
    this.#linger = timer(maxWaitMs).subscribe(() => this.handOver());
  }

  #lengthError(bytes: number): SinkError {
    return new SinkError(
      'RXF_FILES_LENGTH',
      `${this.#fs.name} stored ${bytes} bytes of ${this.#path}, ${this.#stored} were sent. The file is given up and its ` +
        'values are redelivered.',
      { details: { path: this.#path, stored: bytes, sent: this.#stored } },
    );
  }
}

/** Whose file it is, and where. */
export interface FileOf {
  readonly stream: string;
  readonly bucket: string;
  readonly path: string;
  readonly number: number;
}

/** What a file tells the stream it belongs to. */
export interface FileReport {
  readonly writes: CallTimer;
  /** Its folder is made; or can never be made, and then what it held is nacked. */
  decided(): void;
  full(): void;
  failed(error: unknown): void;
}

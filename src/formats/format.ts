import type { ObservableInput } from 'rxjs';
import type { Compression } from './compression.js';

/** How values become the bytes of a file. */
export interface Format<T> {
  /** The file names' ending without the dot, the compression's included: `jsonl.gz`. */
  readonly extension: string;
  readonly compression: Compression;
  /** How large its chunks are, where that is up to the format; otherwise the sink's `chunk` says it. */
  readonly chunk?: FormatChunk;
  /**
   * The types of its columns, by path, where it has such: the sink's ledger keeps them, so that a flow whose column has another type than
   * the files before does not start.
   */
  readonly columns?: ColumnTypes;
  /** A fresh encoder for one file. */
  encoder(): Encoder<T>;
}

/** Such as `{ id: 'int64', tags: 'list', 'tags.element': 'string' }`. */
export type ColumnTypes = Readonly<Record<string, string>>;

/** When a chunk is passed on; whichever comes first. */
export interface FormatChunk {
  /** When it has so many values. */
  readonly count: number;
  /** When it has so many encoded bytes. */
  readonly bytes: number;
  /** The longest its first value waits. */
  readonly maxWaitMs: number;
  /** When all open files of a sink together have so many encoded bytes: then the largest chunk is passed on. */
  readonly totalBytes: number;
}

/** Encodes the values of one file, many to a chunk. */
export interface Encoder<T> {
  /**
   * Adds one value to the chunk; returns the chunk's size so far, in bytes (for text in characters, at least a third of its
   * bytes). Throws a `SinkError` (`RXF_SINK_FORMAT`) for a value it cannot encode; then nothing is added.
   */
  add(value: T): number;
  /** Takes the chunk, and starts the next. Empty where nothing was added. */
  take(): Uint8Array;
  /**
   * The same for bytes that are not there at once, called instead of `take` where it is given. What it returns is subscribed to when
   * the chunks before are written, and emits once. The format's `compression` is `none`.
   */
  takeLater?(): ObservableInput<Uint8Array>;
  /** What ends a file that has values, behind its last chunk: called once, and subscribed to when that is written. */
  finish?(facts: FileFacts): ObservableInput<Uint8Array>;
}

/** What a file holds. */
export interface FileFacts {
  readonly stream: string;
  readonly values: number;
  /** The offsets of its first and last value. */
  readonly firstOffset: number;
  readonly lastOffset: number;
}

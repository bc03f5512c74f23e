import type { Compression } from './compression.js';

/** How values become the bytes of a file. */
export interface Format<T> {
  /** The file names' ending without the dot, the compression's included: `jsonl.gz`. */
  readonly extension: string;
  readonly compression: Compression;
  /** A fresh encoder for one file. */
  encoder(): Encoder<T>;
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
}

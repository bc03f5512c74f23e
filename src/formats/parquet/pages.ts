import { ByteWriter } from 'hyparquet-writer';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { Leaf, LeafPages } from './leaf.js';
import type { PageCodec } from './page-codec.js';

/** A leaf of a row group as it is written: a page of values, and of the words of the dictionary where it has one. */
export interface PagedLeaf {
  readonly leaf: Leaf;
  readonly bounds: LeafPages['bounds'];
  /** Which lists values repeat, and how much of their paths is there. */
  readonly repetitions: Uint8Array;
  readonly definitions: Uint8Array;
  readonly dictionary: { readonly words: number; readonly page: Page } | undefined;
  readonly values: Page;
}

export interface Page {
  readonly plainBytes: number;
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

type MaybePromise<T> = T | Promise<T>;

/** Makes the pages of a leaf; a promise where the codec works in the thread pool. */
export function pagesOf(leaf: Leaf, codec: PageCodec): MaybePromise<PagedLeaf> {
  const { bytes, dictionary, bounds } = leaf.pages();
  const { repetition, definition } = leaf.place;
  const facts = {
    leaf,
    bounds,
    repetitions: runs(leaf.repetitions, repetition),
    definitions: runs(leaf.definitions, definition),
  };
  if (dictionary === undefined) {
    return after(compressed(bytes, codec), (values) => ({ ...facts, dictionary: undefined, values }));
  }
  const { words, indexes } = dictionary;
  const width = bitsOf(words - 1);
  const values = compressed(Buffer.concat([Uint8Array.of(width), runs(indexes, words - 1)]), codec);
  return after(compressed(bytes, codec), (page) =>
    after(values, (whole) => ({ ...facts, dictionary: { words, page }, values: whole })),
  );
}

/** Whole numbers of up to `most` in runs. Source: Apache Parquet format, `Encodings.md`, "RLE/Bit-Packing Hybrid". */
function runs(numbers: Uint8Array | Uint32Array | undefined, most: number): Uint8Array {
  if (numbers === undefined) return new Uint8Array();
  const writer = new ByteWriter();
  writeRleBitPackedHybrid(writer, numbers, bitsOf(most));
  return writer.getBytes();
}

function bitsOf(most: number): number {
  return 32 - Math.clz32(most);
}

function compressed(bytes: Uint8Array, codec: PageCodec): MaybePromise<Page> {
  // Readers disagree on what a codec makes of nothing.
  if (bytes.length === 0 || codec.name === 'UNCOMPRESSED') {
    return { plainBytes: bytes.length, bytes, isCompressed: false };
  }
  return after(codec.compress(bytes), (smaller) => ({
    plainBytes: bytes.length,
    bytes: smaller,
    isCompressed: true,
  }));
}

/** At once where there is nothing to wait for: in virtual time no promise ever resolves. */
function after<T, R>(value: MaybePromise<T>, then: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

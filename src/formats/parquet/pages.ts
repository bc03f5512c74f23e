import { ByteWriter } from 'hyparquet-writer';
import { writeRleBitPackedHybrid } from 'hyparquet-writer/src/encoding.js';
import type { Leaf, LeafPages } from './leaf.js';
import type { PageCodec } from './page-codec.js';
import type { Work } from './slices.js';

/** A leaf of a row group as it is written: a page of values, and of the words of the dictionary where it has one. */
export interface PagedLeaf {
  /** Not the leaf itself, whose values would be held until the pages are written. */
  readonly leaf: Pick<Leaf, 'place' | 'entries' | 'rows' | 'nulls'>;
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

/** Comparing values for their bounds takes as long as compressing so many bytes of each. */
const BYTES_TO_COMPARE = 16;

/** Makes the pages of all leaves; a promise where the codec works in the thread pool. */
export function* pagesOf(leaves: readonly Leaf[], codec: PageCodec): Work<MaybePromise<PagedLeaf[]>> {
  const paged: MaybePromise<PagedLeaf>[] = [];
  for (const leaf of leaves) paged.push(yield* pagesOfLeaf(leaf, codec));
  if (paged.every(isThere)) return paged;
  const all = Promise.all(paged.map((page) => Promise.resolve(page)));
  // It may fail before it is subscribed to.
  all.catch(() => {});
  return all;
}

/** In virtual time no promise ever resolves: what is there is taken at once. */
export function isThere<T>(value: MaybePromise<T>): value is T {
  return !(value instanceof Promise);
}

function* pagesOfLeaf(leaf: Leaf, codec: PageCodec): Work<MaybePromise<PagedLeaf>> {
  const { bytes, dictionary, bounds } = leaf.pages();
  yield BYTES_TO_COMPARE * leaf.entries;
  const { place, entries, rows, nulls } = leaf;
  const { repetition, definition } = place;
  const facts = {
    leaf: { place, entries, rows, nulls },
    bounds,
    repetitions: runs(leaf.repetitions, repetition),
    definitions: runs(leaf.definitions, definition),
  };
  if (dictionary === undefined) {
    const page = yield* compressed(bytes, codec);
    return after(page, (values) => ({ ...facts, dictionary: undefined, values }));
  }
  const { words, indexes } = dictionary;
  const width = bitsOf(words - 1);
  const values = yield* compressed(Buffer.concat([Uint8Array.of(width), runs(indexes, words - 1)]), codec);
  const wordsPage = yield* compressed(bytes, codec);
  return after(wordsPage, (page) =>
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

function* compressed(bytes: Uint8Array, codec: PageCodec): Work<MaybePromise<Page>> {
  // Readers disagree on what a codec makes of nothing.
  if (bytes.length === 0 || codec.name === 'UNCOMPRESSED') {
    return { plainBytes: bytes.length, bytes, isCompressed: false };
  }
  const smaller = yield* codec.compress(bytes);
  return after(smaller, (whole) => ({ plainBytes: bytes.length, bytes: whole, isCompressed: true }));
}

/** At once where there is nothing to wait for: in virtual time no promise ever resolves. */
function after<T, R>(value: MaybePromise<T>, then: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(then) : then(value);
}

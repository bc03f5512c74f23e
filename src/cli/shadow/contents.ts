import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { firstValueFrom, from, type ObservableInput } from 'rxjs';
import type { ComparedFile } from './committed-range.js';
import type { BucketDifference, BucketPair } from './compare.js';

/** Reads a whole file of a root, given from there. */
export type ReadFile = (path: string, maxBytes: number) => ObservableInput<Uint8Array>;

const MAX_FILE_BYTES = 64 * 1_048_576;
const MAX_INFLATED_BYTES = 1_024 * 1_048_576;
/** Formats whose files, one behind the other, are one file of it. */
const OF_LINES = /\.(jsonl|txt)(\.gz)?$/;

/**
 * Whether the lines of both flows in a bucket are the same, in the order of their offsets, however they are cut into files.
 *
 * Bounds: one file in memory, of at most 64 MiB as it is stored and 1 GiB inflated; a bucket with a larger one, or of another format, is
 * not compared.
 * Fails: as reading does.
 */
export async function compareContents(
  pair: BucketPair,
  readOld: ReadFile,
  readNew: ReadFile,
): Promise<BucketDifference['content']> {
  const all = [...pair.old, ...pair.new];
  if (pair.old.length === 0 || pair.new.length === 0) return 'not compared';
  if (!all.every(({ path, bytes }) => OF_LINES.test(path) && bytes <= MAX_FILE_BYTES)) return 'not compared';
  const [old, fresh] = [await hashOf(pair.old, readOld), await hashOf(pair.new, readNew)];
  return old === fresh ? 'equal' : 'different';
}

async function hashOf(files: readonly ComparedFile[], read: ReadFile): Promise<string> {
  const hash = createHash('sha256');
  for (const { path } of files) {
    const bytes = await firstValueFrom(from(read(path, MAX_FILE_BYTES)));
    hash.update(path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MAX_INFLATED_BYTES }) : bytes);
  }
  return hash.digest('hex');
}

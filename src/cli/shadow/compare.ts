import type { ComparedFile } from './committed-range.js';

/** The files of one bucket. */
export interface BucketSide {
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
}

/** What one stream has in one bucket, by the old flow and by the new one. */
export interface BucketDifference {
  readonly stream: string;
  /** The folder from the root; empty for the root itself. */
  readonly bucket: string;
  readonly old: BucketSide;
  readonly new: BucketSide;
  readonly content: 'equal' | 'different' | 'not compared';
  readonly isEqual: boolean;
}

/** The files of both flows in one bucket of one stream. */
export interface BucketPair {
  readonly stream: string;
  readonly bucket: string;
  readonly old: readonly ComparedFile[];
  readonly new: readonly ComparedFile[];
}

/** Brings what both flows have of the same bucket together, in the order of streams and buckets. */
export function bucketPairs(
  old: ReadonlyMap<string, readonly ComparedFile[]>,
  fresh: ReadonlyMap<string, readonly ComparedFile[]>,
): BucketPair[] {
  const streams = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return streams.flatMap((stream) => {
    const [before, after] = [byBucket(old.get(stream)), byBucket(fresh.get(stream))];
    const buckets = [...new Set([...before.keys(), ...after.keys()])].sort();
    return buckets.map((bucket) => ({
      ...{ stream, bucket },
      old: before.get(bucket) ?? [],
      new: after.get(bucket) ?? [],
    }));
  });
}

function byBucket(files: readonly ComparedFile[] = []): Map<string, ComparedFile[]> {
  const buckets = new Map<string, ComparedFile[]>();
  for (const file of [...files].sort((a, b) => a.first - b.first)) {
    const bucket = file.path.includes('/') ? file.path.slice(0, file.path.lastIndexOf('/')) : '';
    buckets.set(bucket, [...(buckets.get(bucket) ?? []), file]);
  }
  return buckets;
}

/**
 * Whether a bucket holds the same: as many rows, and the same content, or, where that was not compared, bytes that differ by no more
 * than so many percent. The number of files does not count: it is of when they rolled.
 */
export function difference(
  pair: BucketPair,
  content: BucketDifference['content'],
  bytesWithinPercent: number,
): BucketDifference {
  const [old, fresh] = [sideOf(pair.old), sideOf(pair.new)];
  const isNear = Math.abs(fresh.bytes - old.bytes) <= (old.bytes * bytesWithinPercent) / 100;
  const isSame = content === 'equal' || (content === 'not compared' && isNear);
  const { stream, bucket } = pair;
  return { stream, bucket, old, new: fresh, content, isEqual: old.rows === fresh.rows && isSame };
}

function sideOf(files: readonly ComparedFile[]): BucketSide {
  const sum = (of: (file: ComparedFile) => number) => files.reduce((total, file) => total + of(file), 0);
  return { files: files.length, rows: sum(({ rows }) => rows), bytes: sum(({ bytes }) => bytes) };
}

import type { Delivery } from '../../../delivery/delivery.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { MAX_NAME_BYTES } from '../../../ports/path-problem.js';
import { bucketError, checkBucket } from './bucket.js';
import { timePattern } from './time-pattern.js';
import { type Now, type TimeOptions, timeOf } from './value-time.js';

/**
 * The bucket of a value. `at()` is the source's time of the value, or the time of arrival where it has none (Kafka's −1); it throws
 * `RXF_SINK_TIME` for a time that `times` does not allow.
 */
export type PathOf<T> = (value: T, delivery: Delivery<T>, at: () => Date) => string;

/** The bucket of a delivery, checked. Throws. */
export type BucketOf<T> = (delivery: Delivery<T>, now: Now) => string;

/** Checks a bucket, and that the store can hold files in it. Throws `RXF_SINK_BUCKET`. */
export type Judge = (bucket: unknown) => asserts bucket is string;

/** Instead of a file's name: as long as the longest. */
const LONGEST_NAME = 'n'.repeat(MAX_NAME_BYTES);

export function judge(fs: FileSystem, root: string): Judge {
  return (bucket) => {
    checkBucket(bucket);
    const problem = fs.pathProblem(bucket === '' ? `${root}/${LONGEST_NAME}` : `${root}/${bucket}/${LONGEST_NAME}`);
    if (problem !== null) throw bucketError(bucket, `${fs.name} cannot hold files there, for ${problem}`);
  };
}

export function bucketByTime<T>(pattern: string, times: Required<TimeOptions>, judged: Judge): BucketOf<T> {
  const bucketAt = timePattern(pattern);
  judged(bucketAt(0));
  if (!pattern.includes('{')) return () => pattern;
  return (delivery, now) => bucketAt(timeOf(delivery.origin, times, now));
}

/** The buckets seen last are known to be safe; beyond so many they are checked anew. */
const MAX_KNOWN_BUCKETS = 10_000;

export function bucketByValue<T>(path: PathOf<T>, times: Required<TimeOptions>, judged: Judge): BucketOf<T> {
  const known = new Set<string>();
  return (delivery, now) => {
    // Judged only where `path` asks for it: a bucket by language is none of the clock's business.
    const at = () => new Date(timeOf(delivery.origin, times, now));
    const bucket: unknown = path(delivery.value, delivery, at);
    if (known.has(bucket as string)) return bucket as string;
    judged(bucket);
    if (known.size >= MAX_KNOWN_BUCKETS) known.clear();
    known.add(bucket);
    return bucket;
  };
}

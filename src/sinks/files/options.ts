import type { Delivery } from '../../core/delivery.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectMs, expectOption, expectWhole, groupWithDefaults, withDefaults } from '../../core/options.js';
import { KiB, MiB } from '../../core/units.js';
import type { Format } from '../../formats/format.js';
import { checkBucket } from './bucket.js';
import { timePattern } from './time-pattern.js';

/** When open files are closed and made visible; whichever comes first. All files of one stream roll together. */
export interface RollOptions {
  /** When one file has so many stored bytes. Default 128 MiB. */
  readonly bytes?: number;
  /** When the files of a stream have so many values together. Default: no limit. */
  readonly count?: number;
  /** So long after the first value, in milliseconds. Default 300,000. */
  readonly intervalMs?: number;
  /** When nothing came for so long, in milliseconds (noticed within twice that). Default 60,000. */
  readonly idleMs?: number;
}

/** What a bucket may be made from. */
export interface BucketContext<T> {
  readonly value: T;
  /** The source's time of the value, or now where it has none. */
  readonly at: Date;
  readonly delivery: Delivery<T>;
}

export interface FileSinkOptions<T> {
  /** The folder that everything stays in: an absolute path. */
  readonly root: string;
  /**
   * The bucket of a value: a function, or a pattern of its time in UTC such as `dt={yyyy}-{MM}-{dd}/hour={HH}`. Default:
   * the root itself.
   */
  readonly path?: string | ((context: BucketContext<T>) => string);
  readonly format: Format<T>;
  readonly roll?: RollOptions;
  /** The most files open at once; beyond it the stream that was opened first rolls. Default 128. */
  readonly maxOpenFiles?: number;
  /** How many encoded bytes are handed over at once. Default 256 KiB. */
  readonly chunkBytes?: number;
  /** The longest a value waits in a chunk that is not full, in milliseconds. Default 1,000. */
  readonly lingerMs?: number;
  readonly monitor?: Monitor;
}

export const FILE_SINK_DEFAULTS = {
  path: '',
  roll: { bytes: 128 * MiB, count: Number.MAX_SAFE_INTEGER, intervalMs: 300_000, idleMs: 60_000 },
  maxOpenFiles: 128,
  chunkBytes: 256 * KiB,
  lingerMs: 1_000,
  monitor: defaultMonitor,
} as const;

export interface CheckedOptions<T> {
  readonly root: string;
  /** The bucket of a delivery, checked. Throws. */
  readonly bucketOf: (delivery: Delivery<T>, now: () => number) => string;
  readonly format: Format<T>;
  readonly roll: Required<RollOptions>;
  readonly maxOpenFiles: number;
  readonly chunkBytes: number;
  readonly lingerMs: number;
  readonly monitor: Monitor;
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: FileSinkOptions<T>): CheckedOptions<T> {
  const options = {
    ...withDefaults('fileSink options', FILE_SINK_DEFAULTS, given, ['root', 'format']),
    roll: groupWithDefaults('roll', FILE_SINK_DEFAULTS.roll, given.roll),
  };
  const { root, path, format, roll } = options;
  const isAbsolute = typeof root === 'string' && /^\/[^\0]*$/.test(root) && !root.split('/').includes('..');
  expectOption('root', root, isAbsolute, 'an absolute path without `..`');
  expectOption('path', path, typeof path === 'string' || typeof path === 'function', 'a function or a pattern of time');
  expectOption('format', format, typeof format?.encoder === 'function', 'a format such as jsonLines()');
  expectWhole('roll.bytes', roll.bytes, 1);
  expectWhole('roll.count', roll.count, 1);
  expectMs('roll.intervalMs', roll.intervalMs, 1);
  expectMs('roll.idleMs', roll.idleMs, 1);
  expectWhole('maxOpenFiles', options.maxOpenFiles, 1, 10_000);
  expectWhole('chunkBytes', options.chunkBytes, 1, 64 * MiB);
  expectMs('lingerMs', options.lingerMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.figure === 'function', 'a Monitor');
  const { maxOpenFiles, chunkBytes, lingerMs, monitor } = options;
  return {
    root: root.replace(/\/+$/, ''),
    bucketOf: typeof path === 'string' ? bucketByTime(path) : bucketByValue(path),
    format,
    roll,
    maxOpenFiles,
    chunkBytes,
    lingerMs,
    monitor,
  };
}

function bucketByTime<T>(pattern: string): CheckedOptions<T>['bucketOf'] {
  const bucketAt = timePattern(pattern);
  checkBucket(bucketAt(0));
  if (!pattern.includes('{')) return () => pattern;
  return (delivery, now) => bucketAt(delivery.origin.timestamp ?? now());
}

/** The buckets seen last are known to be safe; beyond so many they are checked anew. */
const MOST_KNOWN_BUCKETS = 10_000;

function bucketByValue<T>(path: (context: BucketContext<T>) => string): CheckedOptions<T>['bucketOf'] {
  const known = new Set<string>();
  return (delivery, now) => {
    const bucket = path({ value: delivery.value, at: new Date(delivery.origin.timestamp ?? now()), delivery });
    if (known.has(bucket)) return bucket;
    checkBucket(bucket);
    if (known.size >= MOST_KNOWN_BUCKETS) known.clear();
    known.add(bucket);
    return bucket;
  };
}

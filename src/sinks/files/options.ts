import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectMs, expectOption, expectWhole, groupWithDefaults, withDefaults } from '../../core/options.js';
import { KiB, MiB } from '../../core/units.js';
import type { Format } from '../../formats/format.js';
import type { FileSystem } from '../../ports/file-system.js';
import { bucketByTime, bucketByValue, judge, type PathOf } from './buckets/bucket-of.js';
import type { TimeOptions } from './buckets/value-time.js';
import { longestOwnPath } from './names.js';

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

/** When the encoded values of an open file are passed to the file system; whichever comes first. */
export interface ChunkOptions {
  /** When it has so many encoded bytes. Default 256 KiB. */
  readonly bytes?: number;
  /** The longest its first value waits, in milliseconds. Default 1,000. */
  readonly maxWaitMs?: number;
}

export interface FileSinkOptions<T> {
  /** The folder that everything stays in: an absolute path. */
  readonly root: string;
  /**
   * The bucket of a value: a function, or a pattern of its time in UTC such as `dt={yyyy}-{MM}-{dd}/hour={HH}`. Default:
   * the root itself.
   */
  readonly path?: string | PathOf<T>;
  /** Which times `path` may make buckets of; a value of another time is nacked alone. */
  readonly times?: TimeOptions;
  readonly format: Format<T>;
  readonly roll?: RollOptions;
  /** The most files open at once; beyond it the stream that was opened first rolls. Default 128. */
  readonly maxOpenFiles?: number;
  readonly chunk?: ChunkOptions;
  readonly monitor?: Monitor;
}

/** The defaults of `fileSink`. */
export const FILE_SINK_DEFAULTS = {
  path: '',
  times: { earliestMs: 0, latestMs: Date.UTC(9999, 11, 31, 23, 59, 59, 999) },
  roll: { bytes: 128 * MiB, count: Number.MAX_SAFE_INTEGER, intervalMs: 300_000, idleMs: 60_000 },
  maxOpenFiles: 128,
  chunk: { bytes: 256 * KiB, maxWaitMs: 1_000 },
  monitor: defaultMonitor,
} as const;

export type CheckedOptions<T> = ReturnType<typeof checkOptions<T>>;

/** What goes unchanged into a file's name: a `:` or a `/` would end it, or make it invalid. */
const EXTENSION = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]{0,63})?$/;
/** The most milliseconds that a `Date` takes. */
const MAX_TIME_MS = 8_640_000_000_000_000;

function expectTime(name: string, value: unknown): void {
  const holds = Number.isInteger(value) && Math.abs(value as number) <= MAX_TIME_MS;
  expectOption(name, value, holds, 'a time in whole milliseconds since 1970');
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(fs: FileSystem, given: FileSinkOptions<T>) {
  const options = {
    ...withDefaults('fileSink options', FILE_SINK_DEFAULTS, given, ['root', 'format']),
    roll: groupWithDefaults('roll', FILE_SINK_DEFAULTS.roll, given.roll),
    chunk: groupWithDefaults('chunk', FILE_SINK_DEFAULTS.chunk, given.chunk),
    times: groupWithDefaults('times', FILE_SINK_DEFAULTS.times, given.times),
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
  expectWhole('chunk.bytes', options.chunk.bytes, 1, 64 * MiB);
  expectMs('chunk.maxWaitMs', options.chunk.maxWaitMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  const { times, maxOpenFiles, chunk, monitor } = options;
  expectTime('times.earliestMs', times.earliestMs);
  expectTime('times.latestMs', times.latestMs);
  expectOption(
    'times.latestMs',
    times.latestMs,
    times.latestMs >= times.earliestMs,
    'no earlier than `times.earliestMs`',
  );
  const { extension } = format;
  expectOption(
    'format.extension',
    extension,
    typeof extension === 'string' && EXTENSION.test(extension),
    'at most 64 letters, digits, `.`, `_` and `-`',
  );
  const bare = root.replace(/\/+$/, '');
  const problem = fs.pathProblem(longestOwnPath(bare));
  expectOption(
    'root',
    root,
    problem === null,
    `a folder below which ${fs.name} can hold the sink's files (${problem})`,
  );
  return {
    root: bare,
    bucketOf:
      typeof path === 'string'
        ? bucketByTime(path, times, judge(fs, bare))
        : bucketByValue(path, times, judge(fs, bare)),
    format,
    roll,
    maxOpenFiles,
    chunk,
    monitor,
  };
}

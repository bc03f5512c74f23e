import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { DeadLetter } from '../../delivery/dead-letter.js';
import type { Sink } from '../../delivery/receipt.js';
import type { LineEnd } from '../../formats/lines.js';
import type { RedeliverOptions } from '../../offsets/nack-policy.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import { globProblem } from './glob.js';

/** Which lines of a file are one value, such as an error with its stack trace. */
export interface MultilineOptions {
  /** A line that matches begins a value. Default: none, so that a value ends only by time or by its limits. */
  readonly start?: RegExp;
  /** How long after the file last grew the value at its end is complete. Default 1,000. */
  readonly maxWaitMs?: number;
  /** The most lines of one value; what has more is several. Default 1,000. */
  readonly maxLines?: number;
}

export interface TailSourceOptions {
  /**
   * Absolute paths, of which each name may be a pattern: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any folders. Let them match the names that
   * rotated files get too, so that these are found again after a restart.
   */
  readonly paths: readonly string[];
  /** Patterns of the same form for what is not read. Default: the endings of compressed files, such as `*.gz`. */
  readonly exclude?: readonly string[];
  /** A file of this source's own, in which it keeps which files there are and how far they are acked; no two sources share one. */
  readonly positionFile: string;
  /**
   * The position file of a TAILDIR source of Flume, which has stopped: reading begins where it ended. Read only while there is no
   * `positionFile` yet, so it may stay here.
   */
  readonly importPositions?: string;
  /** In the names of the streams, `tail:<name>/…`. Default: the host's name. */
  readonly name?: string;
  /** Where to start in the files that are there when the position file is first made. Default `beginning`. */
  readonly startAt?: 'beginning' | 'end';
  /** Believed instead of the position file. `lake.offsetStore` of the file sink that the flow ends in makes its files exactly-once. */
  readonly resumeFrom?: OffsetStore;
  /** The most bytes of a line, or of the lines of one value together. Default 1 MiB. */
  readonly maxRecordBytes?: number;
  /** Of a line that is longer: `error` stops the source; `cut` gives it in pieces; `deadLetter` sets its beginning aside. Default `error`. */
  readonly tooLong?: 'error' | 'cut' | 'deadLetter';
  /** Where lines that are too long are set aside, for `tooLong: 'deadLetter'`. */
  readonly deadLetter?: Sink<DeadLetter>;
  /** How lines end: `lf`, with or without a carriage return, or that of UTF-16. Default `lf`. */
  readonly lineEnd?: LineEnd;
  /** A last line without an end: `wait` for it, or give it as it is once the file has not grown for `idleMs`. Default `wait`. */
  readonly lastLine?: 'wait' | 'deliver';
  /** Default 5,000. */
  readonly idleMs?: number;
  /** Default: each line is a value. */
  readonly multiline?: MultilineOptions;
  /** The most that is out and not released. Default 100,000 lines and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** The most lines that would be redelivered after a crash; reaching it asks the sinks to settle. Default 5,000,000. */
  readonly maxUnacked?: number;
  /** Default 10 times in a row, from 1,000 ms to 30,000 ms apart. */
  readonly redeliver?: Partial<RedeliverOptions>;
  /** How often folders are looked through for new and renamed files. Default 1,000. */
  readonly scanIntervalMs?: number;
  /** How soon a file that has grown is read again; doubled while it does not grow, up to `scanIntervalMs`. Default 100. */
  readonly pollIntervalMs?: number;
  /** How long a file that no path leads to is still followed after it last grew. Default 60,000. */
  readonly goneAfterMs?: number;
  /** The most files that are open at once, and as many that no path leads to any more. Default 512. */
  readonly maxOpenFiles?: number;
  /** The most files that are followed; of more, those beyond are reported and not read. Default 10,000. */
  readonly maxFiles?: number;
  /** How often the position file is written while something is acked. Default 1,000. */
  readonly saveIntervalMs?: number;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults of `tailSource`. */
export const TAIL_SOURCE_DEFAULTS = {
  exclude: ['**/*.gz', '**/*.bz2', '**/*.xz', '**/*.zst', '**/*.lz4', '**/*.zip'],
  startAt: 'beginning',
  maxRecordBytes: MiB,
  tooLong: 'error',
  lineEnd: 'lf',
  lastLine: 'wait',
  idleMs: 5_000,
  window: { count: 100_000, bytes: 64 * MiB },
  maxUnacked: 5_000_000,
  redeliver: { maxAttempts: 10, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  scanIntervalMs: 1_000,
  pollIntervalMs: 100,
  goneAfterMs: 60_000,
  maxOpenFiles: 512,
  maxFiles: 10_000,
  saveIntervalMs: 1_000,
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<TailSourceOptions>;

/** The defaults of `multiline` of `tailSource`. */
export const MULTILINE_DEFAULTS = { maxWaitMs: 1_000, maxLines: 1_000 } as const satisfies MultilineOptions;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: TailSourceOptions) {
  const others = ['paths', 'positionFile', 'importPositions', 'name', 'resumeFrom', 'deadLetter', 'multiline'];
  const options = {
    ...withDefaults('tailSource options', TAIL_SOURCE_DEFAULTS, given, others),
    window: groupWithDefaults('window', TAIL_SOURCE_DEFAULTS.window, given.window),
    redeliver: groupWithDefaults('redeliver', TAIL_SOURCE_DEFAULTS.redeliver, given.redeliver),
    multiline: given.multiline === undefined ? undefined : checkedMultiline(given.multiline),
  };
  const { paths, exclude, positionFile, importPositions, name, resumeFrom, deadLetter, tooLong } = options;
  expectOption('paths', paths, Array.isArray(paths) && paths.length > 0, 'a list of at least one path or pattern');
  for (const [which, patterns] of Object.entries({ paths, exclude })) {
    for (const pattern of patterns) {
      const problem = globProblem(pattern, which === 'paths');
      expectOption(which, pattern, problem === null, problem ?? '');
    }
  }
  const isFile = (path: unknown) => typeof path === 'string' && /^(\/|[A-Za-z]:[\\/]).*[^\\/]$/s.test(path);
  expectOption('positionFile', positionFile, isFile(positionFile), 'an absolute path of a file');
  if (importPositions !== undefined) {
    const isOther = isFile(importPositions) && importPositions !== positionFile && options.lineEnd === 'lf';
    const rule = 'an absolute path of a file other than `positionFile`, of lines that end in a line feed';
    expectOption('importPositions', importPositions, isOther, rule);
  }
  if (name !== undefined) expectText('name', name);
  if (resumeFrom !== undefined) expectFunction('resumeFrom', resumeFrom);
  expectOneOf('startAt', options.startAt, ['beginning', 'end']);
  expectWhole('maxRecordBytes', options.maxRecordBytes, 16, 2 ** 28);
  expectOneOf('tooLong', tooLong, ['error', 'cut', 'deadLetter']);
  if (deadLetter !== undefined) expectFunction('deadLetter', deadLetter);
  const areLettersSent = (tooLong === 'deadLetter') === (deadLetter !== undefined);
  expectOption('deadLetter', deadLetter, areLettersSent, "a sink where `tooLong` is 'deadLetter', and else left out");
  expectOneOf('lineEnd', options.lineEnd, ['lf', 'utf-16le', 'utf-16be']);
  expectOneOf('lastLine', options.lastLine, ['wait', 'deliver']);
  expectMs('idleMs', options.idleMs);
  expectWhole('window.count', options.window.count, 1);
  expectWhole('window.bytes', options.window.bytes, 1);
  expectWhole('maxUnacked', options.maxUnacked, 1, 2 ** 31 - 1);
  expectWhole('redeliver.maxAttempts', options.redeliver.maxAttempts, 0);
  expectMs('redeliver.firstDelayMs', options.redeliver.firstDelayMs);
  expectMs('redeliver.maxDelayMs', options.redeliver.maxDelayMs);
  expectMs('scanIntervalMs', options.scanIntervalMs, 1);
  expectMs('pollIntervalMs', options.pollIntervalMs, 1);
  expectMs('goneAfterMs', options.goneAfterMs);
  expectWhole('maxOpenFiles', options.maxOpenFiles, 1);
  expectWhole('maxFiles', options.maxFiles, 1);
  expectMs('saveIntervalMs', options.saveIntervalMs, 1);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
  return options;
}

function checkedMultiline(given: MultilineOptions) {
  const multiline = withDefaults('multiline', MULTILINE_DEFAULTS, given, ['start']);
  const { start, maxWaitMs, maxLines } = multiline;
  if (start !== undefined) expectOption('multiline.start', start, start instanceof RegExp, 'a pattern');
  expectMs('multiline.maxWaitMs', maxWaitMs, 1);
  expectWhole('multiline.maxLines', maxLines, 1);
  return multiline;
}

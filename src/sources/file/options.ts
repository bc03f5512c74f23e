import type { WindowLimits } from '../../backpressure/in-flight-window.js';
import { defaultMonitor, type Monitor } from '../../core/monitor.js';
import { expectFunction, expectMs, expectOption, expectText, expectWhole } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import type { RedeliverOptions } from '../../offsets/nack-policy.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { FileInput } from '../../ports/file-input.js';
import type { Catalogue } from './catalogue.js';
import type { FileRecords, RandomAccessRecords } from './record-reader.js';

/** What the sources of files have in common. */
export interface FileReadingOptions<T> {
  /** Names the streams, with the kind of source before it, and with them the files and metrics made of them. */
  readonly name: string;
  /** How files become records. */
  readonly records: FileRecords<T> | RandomAccessRecords<T>;
  /**
   * Asked for each file before it is read: `lake.offsetStore` of the file sink that the flow ends in makes its files exactly-once.
   * Default: each file is read from its first record.
   */
  readonly resumeFrom?: OffsetStore;
  /** The most that is out and not released. Default 100,000 records and 64 MiB. */
  readonly window?: Partial<WindowLimits>;
  /** The most records that are out and not acked; reaching it asks the sinks to settle. Default 20,000,000. */
  readonly maxUnacked?: number;
  /** The most files that were begun and are not finished. Default 64. */
  readonly maxOpenFiles?: number;
  /** How a nacked record, or a file that cannot be read for now, is tried again. Default 10 times in a row, from 1,000 ms to 30,000 ms apart. */
  readonly redeliver?: Partial<RedeliverOptions>;
  /** The longest a drain waits for what is out. Default 30,000. */
  readonly drainTimeoutMs?: number;
  readonly monitor?: Monitor;
}

/** The defaults that the sources of files have in common. */
export const FILE_READING_DEFAULTS = {
  window: { count: 100_000, bytes: 64 * MiB },
  maxUnacked: 20_000_000,
  maxOpenFiles: 64,
  redeliver: { maxAttempts: 10, firstDelayMs: 1_000, maxDelayMs: 30_000 },
  drainTimeoutMs: 30_000,
  monitor: defaultMonitor,
} as const satisfies Partial<FileReadingOptions<unknown>>;

/** What a session needs, checked. */
export interface CheckedReading<T> {
  readonly name: string;
  readonly records: FileRecords<T> | RandomAccessRecords<T>;
  readonly resumeFrom: OffsetStore | undefined;
  readonly window: WindowLimits;
  readonly maxUnacked: number;
  readonly maxOpenFiles: number;
  readonly redeliver: RedeliverOptions;
  readonly drainTimeoutMs: number;
  readonly monitor: Monitor;
}

/** What differs between the sources of files. */
export interface FileSessionParts<T> {
  /** Such as `spool`. */
  readonly kind: string;
  readonly input: FileInput;
  readonly catalogue: Catalogue;
  readonly options: CheckedReading<T>;
  /** What becomes of a file that cannot be read: `skip` leaves it behind, `fail` ends the source. */
  readonly badFile: 'skip' | 'fail';
  /** The most bytes that one file may decompress to. */
  readonly maxFileBytes: number;
}

/** Checks what the sources of files have in common. Throws `OptionError`. */
export function expectReading<T>(options: CheckedReading<T>): void {
  expectText('name', options.name);
  const { records } = options;
  if (typeof records === 'object' && records !== null && 'openAt' in records)
    expectFunction('records.openAt', records.openAt);
  else expectFunction('records.open', records?.open);
  if (options.resumeFrom !== undefined) expectFunction('resumeFrom', options.resumeFrom);
  expectWhole('window.count', options.window.count, 1);
  expectWhole('window.bytes', options.window.bytes, 1);
  expectWhole('maxUnacked', options.maxUnacked, 1, 2 ** 31 - 1);
  expectWhole('maxOpenFiles', options.maxOpenFiles, 1, 10_000);
  expectWhole('redeliver.maxAttempts', options.redeliver.maxAttempts, 0);
  expectMs('redeliver.firstDelayMs', options.redeliver.firstDelayMs);
  expectMs('redeliver.maxDelayMs', options.redeliver.maxDelayMs);
  expectMs('drainTimeoutMs', options.drainTimeoutMs, 1);
  expectOption('monitor', options.monitor, typeof options.monitor?.metric === 'function', 'a Monitor');
}

/** Throws where the driver cannot read files. */
export function expectInput(input: FileInput): void {
  expectFunction('input.scan', input?.scan);
  expectFunction('input.look', input.look);
  expectFunction('input.readAt', input.readAt);
}

/** A path of the store, as it is given: absolute, and without steps that lead elsewhere. */
export function expectPath(name: string, path: unknown): void {
  const isPath =
    typeof path === 'string' && path.startsWith('/') && !path.split('/').some((part) => part === '..' || part === '.');
  expectOption(name, path, isPath, 'an absolute path without `.` and `..`');
}

import {
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { GiB } from '../../core/units.js';
import { expectPath, expectReading, FILE_READING_DEFAULTS, type FileReadingOptions } from '../file/options.js';

export interface SpoolSourceOptions<T> extends FileReadingOptions<T> {
  /** The folder that files are placed in. */
  readonly folder: string;
  /** Whether its subfolders are read too. Default false. */
  readonly isRecursive?: boolean;
  /** Only files with such names are read. Default all but those that begin with a dot or end in `.tmp`, which are never read. */
  readonly include?: RegExp;
  /** In which order: by path, or by the time of the last change. Default `oldest`. */
  readonly order?: 'name' | 'oldest' | 'newest';
  /**
   * What becomes of a file that is durable: `rename` appends `suffix` to its name, `move` moves it to `doneFolder`, `delete` removes it.
   * Default `rename`.
   */
  readonly whenDone?: 'rename' | 'move' | 'delete';
  /** Default `.COMPLETED`. */
  readonly suffix?: string;
  /** Required for `move`; on the same file system, and not below `folder`. */
  readonly doneFolder?: string;
  /** How often the folder is looked at, in milliseconds. Default 500. */
  readonly pollIntervalMs?: number;
  /** For how long a file must not have changed before it is read, in milliseconds. Default 1,000. */
  readonly unchangedForMs?: number;
  /** The most bytes that one file may decompress to. Default 16 GiB. */
  readonly maxFileBytes?: number;
}

/** The defaults of `spoolSource`. */
export const SPOOL_SOURCE_DEFAULTS = {
  ...FILE_READING_DEFAULTS,
  isRecursive: false,
  order: 'oldest',
  whenDone: 'rename',
  suffix: '.COMPLETED',
  pollIntervalMs: 500,
  unchangedForMs: 1_000,
  maxFileBytes: 16 * GiB,
} as const satisfies Partial<SpoolSourceOptions<unknown>>;

export type CheckedSpool<T> = ReturnType<typeof checkOptions<T>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: SpoolSourceOptions<T>) {
  const own = ['name', 'records', 'resumeFrom', 'folder', 'include', 'doneFolder'];
  const options = {
    ...withDefaults('spoolSource options', SPOOL_SOURCE_DEFAULTS, given, own),
    resumeFrom: given.resumeFrom,
    window: groupWithDefaults('window', SPOOL_SOURCE_DEFAULTS.window, given.window),
    redeliver: groupWithDefaults('redeliver', SPOOL_SOURCE_DEFAULTS.redeliver, given.redeliver),
  };
  expectReading(options);
  const { folder, include, suffix, whenDone, doneFolder } = options;
  expectPath('folder', folder);
  expectOption('isRecursive', options.isRecursive, typeof options.isRecursive === 'boolean', 'true or false');
  if (include !== undefined) expectOption('include', include, include instanceof RegExp, 'a pattern');
  expectOneOf('order', options.order, ['name', 'oldest', 'newest']);
  expectOneOf('whenDone', whenDone, ['rename', 'move', 'delete']);
  expectText('suffix', suffix);
  expectOption('suffix', suffix, !suffix.includes('/'), 'a text without `/`');
  if (whenDone === 'move' || doneFolder !== undefined) {
    expectPath('doneFolder', doneFolder);
    const isApart = `${doneFolder}/` !== `${folder}/` && !`${doneFolder}/`.startsWith(`${folder.replace(/\/+$/, '')}/`);
    expectOption('doneFolder', doneFolder, isApart, 'a folder that is not below `folder`');
  }
  expectMs('pollIntervalMs', options.pollIntervalMs, 1);
  expectMs('unchangedForMs', options.unchangedForMs);
  expectWhole('maxFileBytes', options.maxFileBytes, 1);
  return options;
}

import { expectOneOf, expectOption, expectWhole, groupWithDefaults, withDefaults } from '../../core/options.js';
import { GiB } from '../../core/units.js';
import { expectPath, expectReading, FILE_READING_DEFAULTS, type FileReadingOptions } from './options.js';

export interface FileSourceOptions<T> extends FileReadingOptions<T> {
  /** Paths, or patterns: `*` and `?` within a name, `**` for any number of folders. Read in order of the list, then of their paths. */
  readonly files: readonly string[];
  /** What becomes of a file that cannot be read: `fail` ends the source before it is done, `skip` reports it and goes on. Default `fail`. */
  readonly badFile?: 'fail' | 'skip';
  /** The most bytes that one file may decompress to. Default 1,024 GiB. */
  readonly maxFileBytes?: number;
}

/** The defaults of `fileSource`. */
export const FILE_SOURCE_DEFAULTS = {
  ...FILE_READING_DEFAULTS,
  badFile: 'fail',
  maxFileBytes: 1_024 * GiB,
} as const satisfies Partial<FileSourceOptions<unknown>>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions<T>(given: FileSourceOptions<T>) {
  const options = {
    ...withDefaults('fileSource options', FILE_SOURCE_DEFAULTS, given, ['name', 'records', 'resumeFrom', 'files']),
    resumeFrom: given.resumeFrom,
    window: groupWithDefaults('window', FILE_SOURCE_DEFAULTS.window, given.window),
    redeliver: groupWithDefaults('redeliver', FILE_SOURCE_DEFAULTS.redeliver, given.redeliver),
  };
  expectReading(options);
  const { files, badFile } = options;
  expectOption('files', files, Array.isArray(files) && files.length > 0, 'a list of paths or patterns');
  for (const file of files) expectPath('files', file);
  expectOneOf('badFile', badFile, ['fail', 'skip']);
  expectWhole('maxFileBytes', options.maxFileBytes, 1);
  return options;
}

import { isAbsolute } from 'node:path';
import { expectOneOf, expectOption, withDefaults } from '../../core/options.js';

export interface LocalDiskOptions {
  /** The folder that stands for `/`; made when first written to. Nothing outside of it is touched. Default `/`. */
  readonly root?: string;
  /** `always`: a close and a rename answer when they outlast a power cut. `never`: when the system has them. Default `always`. */
  readonly fsync?: 'always' | 'never';
}

/** The defaults of `localDisk`. */
export const LOCAL_DISK_DEFAULTS = { root: '/', fsync: 'always' } as const satisfies LocalDiskOptions;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: LocalDiskOptions): Required<LocalDiskOptions> {
  const options = withDefaults('localDisk options', LOCAL_DISK_DEFAULTS, given);
  const { root } = options;
  expectOption('root', root, typeof root === 'string' && isAbsolute(root), 'an absolute path of a folder');
  expectOneOf('fsync', options.fsync, ['always', 'never']);
  return options;
}

/**
 * Files on a local disk.
 *
 * @packageDocumentation
 */
export { localDisk } from './local-disk.js';
export { localFiles } from './local-files.js';
export { LOCAL_DISK_DEFAULTS, type LocalDiskOptions } from './options.js';

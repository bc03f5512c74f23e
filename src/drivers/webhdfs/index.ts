/**
 * HDFS over WebHDFS, with no package but Node.
 *
 * @packageDocumentation
 */
export { type RetryOptions, WEBHDFS_DEFAULTS, type WebHdfsOptions } from './options.js';
export { webhdfs } from './webhdfs.js';

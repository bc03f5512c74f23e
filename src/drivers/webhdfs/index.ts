export { type RetryOptions, WEBHDFS_DEFAULTS, type WebHdfsOptions } from './options.js';
export { webhdfs } from './webhdfs.js';

export { type RetryOptions, WEBHDFS_DEFAULTS, type WebHdfsOptions } from './options.js';
export type { WebHdfsTls } from './request.js';
export { webhdfs } from './webhdfs.js';

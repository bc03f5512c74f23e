export { type EmbeddedLog, embeddedLog } from './embedded-log.js';
export { EMBEDDED_LOG_DEFAULTS, type EmbeddedLogOptions } from './options.js';

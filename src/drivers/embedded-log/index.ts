/**
 * A log on the local disk in place of Kafka, for trying things out.
 *
 * @packageDocumentation
 */
export { type EmbeddedLog, embeddedLog } from './embedded-log.js';
export { EMBEDDED_LOG_DEFAULTS, type EmbeddedLogOptions } from './options.js';

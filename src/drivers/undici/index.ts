/**
 * HTTP servers, through the package undici.
 *
 * @packageDocumentation
 */
export { UNDICI_DEFAULTS, type UndiciOptions, type UndiciTls } from './options.js';
export { undici } from './undici.js';

/**
 * HTTP servers, through the package undici.
 *
 * @packageDocumentation
 */
export { UNDICI_DEFAULTS, type UndiciOptions } from './options.js';
export { undici } from './undici.js';

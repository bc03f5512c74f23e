/**
 * Standard output and standard error, for `consoleSink`.
 *
 * @packageDocumentation
 */
export { STDIO_DEFAULTS, type StdioOptions, stdio } from './stdio.js';

export { STDIO_DEFAULTS, type StdioOptions, stdio } from './stdio.js';

export { CSV_DEFAULTS, type CsvOptions, csv } from './csv.js';
export type { CsvColumn, CsvColumns, CsvRow, CsvTypes } from './csv-columns.js';
export type { Encoder, Format } from './format.js';

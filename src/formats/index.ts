export { CSV_DEFAULTS, type CsvOptions, csv } from './csv.js';
export type { CsvColumn, CsvColumns, CsvRow, CsvTypes } from './csv-columns.js';
export type { Encoder, Format } from './format.js';
export type { SequenceField } from './sequence-field.js';
export { SEQUENCE_FILE_DEFAULTS, type SequenceFileOptions, sequenceFile } from './sequence-file.js';

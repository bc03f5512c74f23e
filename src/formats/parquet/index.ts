/**
 * Parquet files. Needs the package hyparquet-writer 0.17.0.
 *
 * @packageDocumentation
 */
export type { ColumnTypes, Encoder, FileFacts, Format, FormatChunk } from '../format.js';
export { column, type ParquetColumn, type ParquetRow, type ParquetSchema } from './column.js';
export type { ParquetCompression } from './page-codec.js';
export { PARQUET_DEFAULTS, type ParquetOptions, parquet, type RowGroupOptions } from './parquet.js';
export { type ParquetSchemaOf, parquetSchemaOf } from './schema-of.js';

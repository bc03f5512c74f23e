/**
 * Parquet files as records of `fileSource` and `spoolSource`. Needs the package hyparquet 1.31.5.
 *
 * @packageDocumentation
 */
export {
  PARQUET_RECORDS_DEFAULTS,
  type ParquetRecordsOptions,
  type ParquetValues,
  parquetRecords,
} from '../../sources/file/parquet-records.js';

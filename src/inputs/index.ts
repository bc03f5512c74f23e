/**
 * Sources beside Kafka, RabbitMQ and Flume: what an application has at hand, files that others write, and what listens: HTTP,
 * syslog, sockets.
 *
 * @packageDocumentation
 */

export { execSource } from '../sources/exec/exec-source.js';
export { EXEC_SOURCE_DEFAULTS, type ExecOptions, type RestartOptions } from '../sources/exec/options.js';
export { AVRO_RECORDS_DEFAULTS, type AvroRecordsOptions, avroRecords } from '../sources/file/avro-records.js';
export { CSV_RECORDS_DEFAULTS, type CsvRecordsOptions, csvRecords } from '../sources/file/csv-records.js';
export { FILE_SOURCE_DEFAULTS, type FileSourceOptions } from '../sources/file/file-options.js';
export { fileSource } from '../sources/file/file-source.js';
export { LINE_RECORDS_DEFAULTS, type LineRecordsOptions, lineRecords } from '../sources/file/line-records.js';
export type { FileReadingOptions } from '../sources/file/options.js';
export type {
  FileRecord,
  FileRecords,
  RandomAccessFile,
  RandomAccessRecords,
  RecordBatch,
  RecordInput,
  RecordReader,
} from '../sources/file/record-reader.js';
export { WHOLE_FILE_DEFAULTS, type WholeFileOptions, wholeFile } from '../sources/file/whole-file.js';
export type { CallbackConnection, CallbackListener, ConnectCallback } from '../sources/from/callback-connection.js';
export { fromCallback } from '../sources/from/from-callback.js';
export { fromObservable$ } from '../sources/from/from-observable.js';
export { fromReadable, type ReadableInput } from '../sources/from/from-readable.js';
export { FROM_DEFAULTS, type FromOptions, type OverflowPolicy, type ValueFacts } from '../sources/from/options.js';
export { generateSource } from '../sources/generate/generate-source.js';
export { GENERATE_SOURCE_DEFAULTS, type GenerateOptions, type GenerateRecord } from '../sources/generate/options.js';
export { httpSource } from '../sources/http/http-source.js';
export { HTTP_SOURCE_DEFAULTS, type HttpBodyKind, type HttpSourceOptions } from '../sources/http/options.js';
export type { ListeningOptions } from '../sources/listening/options.js';
export { netSource } from '../sources/net/net-source.js';
export { NET_SOURCE_DEFAULTS, type NetFraming, type NetSourceOptions } from '../sources/net/options.js';
export { SPOOL_SOURCE_DEFAULTS, type SpoolSourceOptions } from '../sources/spool/options.js';
export { spoolSource } from '../sources/spool/spool-source.js';
export { SYSLOG_SOURCE_DEFAULTS, type SyslogSourceOptions } from '../sources/syslog/options.js';
export type { SyslogFraming } from '../sources/syslog/syslog-framer.js';
export type { SyslogMessage } from '../sources/syslog/syslog-message.js';
export { syslogSource } from '../sources/syslog/syslog-source.js';
export type { TailOrigin } from '../sources/tail/file-stream.js';
export {
  MULTILINE_DEFAULTS,
  type MultilineOptions,
  TAIL_SOURCE_DEFAULTS,
  type TailSourceOptions,
} from '../sources/tail/options.js';
export { tailSource } from '../sources/tail/tail-source.js';

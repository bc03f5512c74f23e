/**
 * Formats that most flows do without: of files Avro, SequenceFile, CSV; of values Avro.
 *
 * @packageDocumentation
 */
export type { RawJson } from '../core/raw-json.js';
export { type AvroOptions, avro } from './avro.js';
export type { AvroCodec } from './avro-container.js';
export type { AvroDecoded } from './avro-decoded.js';
export { AVRO_FILE_DEFAULTS, type AvroFileOptions, avroFile } from './avro-file.js';
export type { AvroSchema, AvroSchemaObject, AvroValue } from './avro-schema.js';
export { type AvroSchemaOfOptions, avroSchemaOf, type IoTsCodec } from './avro-schema-of.js';
export { CSV_DEFAULTS, type CsvOptions, csv } from './csv.js';
export type { CsvColumn, CsvColumns, CsvDecodedRow, CsvRow, CsvTypes } from './csv-columns.js';
export { CSV_ROW_DEFAULTS, type CsvRowOptions, csvRow } from './csv-row.js';
export { DECOMPRESS_DEFAULTS, type DecompressOptions, decompress } from './decompress.js';
export type { ColumnTypes, Encoder, FileFacts, Format, FormatChunk } from './format.js';
export {
  MESSAGE_PACK_DEFAULTS,
  type MessagePackExtension,
  type MessagePackOptions,
  messagePack,
} from './message-pack.js';
export { rawJson } from './raw-json.js';
export { secretField } from './secret-field.js';
export type { SequenceField } from './sequence-field.js';
export { SEQUENCE_FILE_DEFAULTS, type SequenceFileOptions, sequenceFile } from './sequence-file.js';
export { TEXT_DECODER_DEFAULTS, type TextDecoderOptions, textDecoder } from './text-decoder.js';

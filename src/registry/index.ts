/**
 * Schema registries: values of Kafka whose schemas a registry has.
 *
 * @packageDocumentation
 */
export type { RecordHeaders } from '../core/headers.js';
export { Pending } from '../core/pending.js';
export type { WaitingDecoder } from '../formats/decoder.js';
export type {
  PayloadReader,
  PayloadWriter,
  RegisteredSchema,
  SchemaEncoder,
  SchemaFormat,
  SchemaReference,
  SchemaType,
} from '../formats/schema-format.js';
export { avroSchema } from './avro-schema.js';
export {
  REGISTRY_DEFAULTS,
  type RegistryAuth,
  type RegistryOptions,
  type RegistryRetryOptions,
} from './options.js';
export { type Registry, registry } from './registry.js';
export { REGISTRY_ENCODER_DEFAULTS, type RegistryEncoderOptions } from './registry-encoder.js';
export type { SubjectVersion } from './schemas.js';

import type { Observable } from 'rxjs';
import { expectFunction, expectText } from '../core/options.js';
import type { WaitingDecoder } from '../formats/decoder.js';
import type { RegisteredSchema, SchemaEncoder, SchemaFormat } from '../formats/schema-format.js';
import { checkOptions, type RegistryOptions } from './options.js';
import { registryProbe } from './probe.js';
import { RegistryClient } from './registry-client.js';
import { type KnownSchemas, RegistryDecoder } from './registry-decoder.js';
import { RegistryEncoder, type RegistryEncoderOptions } from './registry-encoder.js';
import { SchemaCache } from './schema-cache.js';
import { type SchemaId, Schemas, type SubjectVersion } from './schemas.js';

/** A schema registry: what reads and writes values whose schemas it has. */
export interface Registry {
  /**
   * A decoder for `decode`: reads the id or GUID of each value's schema, fetches the schema once, and decodes the value.
   *
   * Bounds: the readers of `maxSchemas` schemas. What waits for a schema is bounded by the source's window.
   * Fails: `RXF_DECODE_EMPTY`, `RXF_DECODE_SYNTAX` and `RXF_DECODE_SHAPE` for the value; `RXF_DECODE_SCHEMA` where the registry does not have
   * its schema, or it cannot be read as yours; `RXF_REGISTRY_UNREACHABLE`, `…_DENIED` and `…_PROTOCOL`, which `decode` never turns into dead
   * letters.
   */
  decoder<A>(format: SchemaFormat<A, never>): WaitingDecoder<Uint8Array | null, A>;
  /**
   * An encoder for `encode` of `kafkaSink`: registers the schema, or finds it, at the first value of each topic.
   *
   * Fails: `RXF_SINK_FORMAT` with the path for a value that does not fit; `RXF_SCHEMA_REJECTED` with the difference for a schema that is
   * not compatible with its subject; the connection's errors as with `decoder`.
   */
  encoder<T>(format: SchemaFormat<unknown, T>, options?: RegistryEncoderOptions): SchemaEncoder<T>;
  /** The newest version of a subject, with what its schema refers to. Cold: asks at each subscription. */
  latest(subject: string): Observable<SubjectVersion>;
}

/**
 * A schema registry with Confluent's API (Confluent, Apicurio's `/apis/ccompat/v7`, Karapace, Redpanda).
 *
 * ```ts
 * import { decode } from 'rxflume/operators';
 * import { avroSchema, registry } from 'rxflume/registry';
 *
 * const schemas = registry({
 *   url: ['http://registry1:8081', 'http://registry2:8081'],
 *   auth: { username: 'flume', password: () => process.env.REGISTRY_PASSWORD ?? '' },
 * });
 * export const decoded = decode(schemas.decoder(avroSchema()));
 * ```
 *
 * Bounds: `maxSchemas` schemas; one request for each id, however many values wait for it.
 * Fails: `OptionError` at the call.
 * Source: Confluent's Schema Registry API, v7, and its wire format, in headers since 8.0.
 */
export function registry(options: RegistryOptions): Registry {
  const checked = checkOptions(options);
  const { maxSchemas, unknownAgeMs } = checked;
  const schemas = new Schemas(new RegistryClient(checked));
  const known: KnownSchemas = {
    byId: new SchemaCache<number, RegisteredSchema>(maxSchemas, unknownAgeMs),
    byGuid: new SchemaCache<string, RegisteredSchema>(maxSchemas, unknownAgeMs),
  };
  const probe = registryProbe(checked);
  const ids = new SchemaCache<string, SchemaId>(maxSchemas, unknownAgeMs);
  return {
    decoder(format) {
      expectFunction('format.readerOf', format?.readerOf);
      return Object.assign(new RegistryDecoder(format, schemas, known, maxSchemas), { probe });
    },
    encoder(format, encoderOptions = {}) {
      expectFunction('format.readerOf', format?.readerOf);
      return Object.assign(new RegistryEncoder(format, encoderOptions, schemas, ids), { probe });
    },
    latest(subject) {
      expectText('subject', subject);
      return schemas.latest(subject);
    },
  };
}

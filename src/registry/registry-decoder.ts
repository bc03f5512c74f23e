import { DecodeError, type RxflumeError } from '../core/errors.js';
import type { RecordHeaders } from '../core/headers.js';
import { Pending } from '../core/pending.js';
import type { WaitingDecoder } from '../formats/decoder.js';
import type { PayloadReader, RegisteredSchema, SchemaFormat } from '../formats/schema-format.js';
import type { SchemaCache } from './schema-cache.js';
import type { Schemas } from './schemas.js';
import { Frame } from './wire-format.js';

/** The schemas that were fetched, by id and by GUID; shared by all decoders of a registry. */
export interface KnownSchemas {
  readonly byId: SchemaCache<number, RegisteredSchema>;
  readonly byGuid: SchemaCache<string, RegisteredSchema>;
}

/**
 * Reads framed values: makes a reader for each schema once, and waits where a schema is not known.
 *
 * Bounds: `maxReaders`, of which the oldest is forgotten first.
 */
export class RegistryDecoder<A> implements WaitingDecoder<Uint8Array | null, A> {
  readonly #format: SchemaFormat<A, never>;
  readonly #schemas: Schemas;
  readonly #known: KnownSchemas;
  readonly #maxReaders: number;
  readonly #frame = new Frame();
  readonly #readers = new Map<number | string, PayloadReader<A> | RxflumeError>();

  constructor(format: SchemaFormat<A, never>, schemas: Schemas, known: KnownSchemas, maxReaders: number) {
    this.#format = format;
    this.#schemas = schemas;
    this.#known = known;
    this.#maxReaders = maxReaders;
  }

  decodeWith(value: Uint8Array | null, origin: RecordHeaders): A | Pending {
    const frame = this.#frame;
    frame.read(value, origin, this.#format.type === 'PROTOBUF');
    const { id, guid } = frame;
    const reader = this.#readers.get(id ?? guid);
    if (typeof reader === 'function') return reader(frame.payload, frame.indexes);
    if (reader !== undefined) throw reader;
    const schema = id === undefined ? this.#known.byGuid.get(guid) : this.#known.byId.get(id);
    if (schema === undefined) return this.#fetch(id, guid);
    return this.#made(id ?? guid, schema)(frame.payload, frame.indexes);
  }

  #fetch(id: number | undefined, guid: string): Pending {
    if (id !== undefined) return new Pending(this.#known.byId.fetch(id, () => this.#schemas.byId(id)));
    return new Pending(this.#known.byGuid.fetch(guid, () => this.#schemas.byGuid(guid)));
  }

  #made(key: number | string, schema: RegisteredSchema): PayloadReader<A> {
    let made: PayloadReader<A> | RxflumeError;
    try {
      made = this.#readerOf(key, schema);
    } catch (cause) {
      // Each value of this schema would fail in the same way.
      if (!(cause instanceof DecodeError)) throw cause;
      made = cause;
    }
    this.#readers.set(key, made);
    for (const oldest of this.#readers.keys()) {
      if (this.#readers.size <= this.#maxReaders) break;
      this.#readers.delete(oldest);
    }
    if (typeof made !== 'function') throw made;
    return made;
  }

  #readerOf(key: number | string, schema: RegisteredSchema): PayloadReader<A> {
    if (schema.type === this.#format.type) return this.#format.readerOf(schema);
    throw new DecodeError(
      'RXF_DECODE_SCHEMA',
      `The schema with ${typeof key === 'number' ? 'id' : 'GUID'} ${key} is one of ${schema.type}, not of ${this.#format.type}. Take the ` +
        'decoder of its language, or check that the topic is the right one.',
      { details: { schema: key, type: schema.type } },
    );
  }
}

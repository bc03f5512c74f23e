import { OptionError } from '../core/errors.js';
import { expectFunction, expectOneOf, expectOption, withDefaults } from '../core/options.js';
import { Pending } from '../core/pending.js';
import type { PayloadWriter, SchemaEncoder, SchemaFormat } from '../formats/schema-format.js';
import type { SchemaCache } from './schema-cache.js';
import type { SchemaId, Schemas } from './schemas.js';
import { frameHeader, framePrefix, VALUE_SCHEMA_HEADER } from './wire-format.js';

export interface RegistryEncoderOptions {
  /**
   * The subject that the schema belongs to: by the `topic` (`chat-value`), by the `record`'s full name, by both
   * (`topic-record`: `chat-com.acme.Chat`), or as a function of yours has it. Default `topic`.
   */
  readonly subject?: 'topic' | 'record' | 'topic-record' | ((topic: string, recordName: string) => string);
  /** Whether the schema is registered if it is not yet; otherwise it must be. Default true. */
  readonly register?: boolean;
  /** Where the schema is named: before each `value`, or in a `header`, by the GUID where the registry gives one. Default `value`. */
  readonly framing?: 'value' | 'header';
}

/** The defaults of the encoders of `registry`. */
export const REGISTRY_ENCODER_DEFAULTS = {
  subject: 'topic',
  register: true,
  framing: 'value',
} as const satisfies RegistryEncoderOptions;

/** Then what is known of topics is looked up in the cache again. */
const MAX_TOPICS = 10_000;

/** What is known of one topic. */
interface Known {
  readonly prefix: Buffer;
  readonly header: readonly [string, Uint8Array];
}

/** Writes framed values: asks for the id of its schema at the first value of each topic. */
export class RegistryEncoder<T> implements SchemaEncoder<T> {
  readonly #schemas: Schemas;
  readonly #ids: SchemaCache<string, SchemaId>;
  readonly #writer: PayloadWriter<T>;
  readonly #options: Required<RegistryEncoderOptions>;
  readonly #known = new Map<string, Known>();

  constructor(
    format: SchemaFormat<unknown, T>,
    options: RegistryEncoderOptions,
    schemas: Schemas,
    ids: SchemaCache<string, SchemaId>,
  ) {
    this.#options = checkEncoder(options);
    if (format.writer === undefined) {
      throw new OptionError(
        'RXF_OPTION_INVALID',
        'Expected `format` to have a schema to write with, got one without. Give `avroSchema` your schema.',
        { details: { option: 'format' } },
      );
    }
    this.#writer = format.writer;
    this.#schemas = schemas;
    this.#ids = ids;
  }

  pending(topic: string): Pending | undefined {
    if (this.#known.has(topic)) return undefined;
    const { subject: by, register, framing } = this.#options;
    const { registered, recordName, indexes } = this.#writer;
    const subject = subjectOf(by, topic, recordName);
    const key = JSON.stringify([subject, register, registered]);
    const found = this.#ids.get(key);
    if (found === undefined) {
      const ask = () =>
        register ? this.#schemas.register(subject, registered) : this.#schemas.lookUp(subject, registered);
      return new Pending(this.#ids.fetch(key, ask));
    }
    if (this.#known.size >= MAX_TOPICS) this.#known.clear();
    this.#known.set(topic, {
      prefix: framing === 'value' ? framePrefix(found.id, indexes) : Buffer.alloc(0),
      header: [VALUE_SCHEMA_HEADER, frameHeader(found.id, found.guid, indexes)],
    });
    return undefined;
  }

  encode(topic: string, value: T): Uint8Array | null {
    if (value === null || value === undefined) return null;
    const bytes = this.#writer.write(value);
    const prefix = this.#known.get(topic)?.prefix;
    if (prefix === undefined) throw new Error(`the id of the schema for topic ${topic} was not asked for`);
    return prefix.length === 0 ? bytes : Buffer.concat([prefix, bytes]);
  }

  header(topic: string): readonly [name: string, value: Uint8Array] | undefined {
    return this.#options.framing === 'header' ? this.#known.get(topic)?.header : undefined;
  }
}

function subjectOf(by: Required<RegistryEncoderOptions>['subject'], topic: string, recordName: string): string {
  if (typeof by === 'function') return by(topic, recordName);
  if (by === 'topic') return `${topic}-value`;
  return by === 'record' ? recordName : `${topic}-${recordName}`;
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkEncoder(given: RegistryEncoderOptions): Required<RegistryEncoderOptions> {
  const options = withDefaults('encoder options', REGISTRY_ENCODER_DEFAULTS, given);
  if (typeof options.subject === 'function') expectFunction('subject', options.subject);
  else expectOneOf('subject', options.subject, ['topic', 'record', 'topic-record']);
  expectOption('register', options.register, typeof options.register === 'boolean', 'true or false');
  expectOneOf('framing', options.framing, ['value', 'header']);
  return options;
}

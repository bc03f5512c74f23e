import type { Pending } from '../core/pending.js';

/** The languages of schemas that a registry knows. */
export type SchemaType = 'AVRO' | 'PROTOBUF' | 'JSON';

/** A schema as a registry has it, with those that it refers to. */
export interface RegisteredSchema {
  readonly type: SchemaType;
  /** Its text; of Protobuf a `.proto` file, or its descriptor in base64. */
  readonly schema: string;
  readonly references: readonly SchemaReference[];
}

export interface SchemaReference {
  /** What the schema calls it: a full name of Avro, the path of an import, or a `$ref`. */
  readonly name: string;
  readonly schema: RegisteredSchema;
}

/** Reads the bytes behind the id. `indexes` are those of the message; only Protobuf has them. */
export type PayloadReader<A> = (payload: Buffer, indexes: readonly number[]) => A;

/** A schema to be registered, and what writes its values. */
export interface PayloadWriter<in T> {
  readonly registered: RegisteredSchema;
  /** The full name of the record or message, for subjects by record. */
  readonly recordName: string;
  /** Where the message is in its file; only of Protobuf. */
  readonly indexes?: readonly number[];
  /** The bytes behind the id. Throws an error with the path of what does not fit. */
  write(value: T): Uint8Array;
}

/**
 * How values with a schema of one language are read and written: what a registry is given. What may be written, `W`, can be more than
 * what is read, such as a Date and a number.
 */
export interface SchemaFormat<out A, in W = A> {
  readonly type: SchemaType;
  /** Makes what reads the values of one schema; called once for each. Throws a `DecodeError` where they cannot be read. */
  readerOf(writer: RegisteredSchema): PayloadReader<A>;
  /** Undefined where there is no schema to write with. */
  readonly writer?: PayloadWriter<W> | undefined;
}

/** Makes bytes of values, with a schema whose id may have to be asked for. `registry(…).encoder(…)` makes one. */
export interface SchemaEncoder<in T> {
  /** What must happen before `encode` can be called for a value for this topic; undefined where nothing must. */
  pending(topic: string): Pending | undefined;
  /** The bytes of a record's value; null stays null, a tombstone. */
  encode(topic: string, value: T): Uint8Array | null;
  /** The header that names the schema, where it is not in the bytes. */
  header(topic: string): readonly [name: string, value: Uint8Array] | undefined;
}

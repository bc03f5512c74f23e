/**
 * An Avro schema: the name of a type, a union of schemas, or an object with a `type`. Attributes that Avro does not know, such as
 * `field-id`, stay in the file.
 */
export type AvroSchema = string | readonly AvroSchema[] | AvroSchemaObject;

export interface AvroSchemaObject {
  readonly type: AvroSchema;
  readonly [attribute: string]: unknown;
}

interface Primitives {
  readonly null: null | undefined;
  readonly boolean: boolean;
  readonly int: number;
  readonly long: number | bigint;
  readonly float: number;
  readonly double: number;
  readonly bytes: Uint8Array;
  readonly string: string;
}

interface LogicalTypes {
  readonly date: Date | number;
  readonly 'timestamp-millis': Date | number | bigint;
  readonly 'timestamp-micros': Date | number | bigint;
  readonly decimal: string | bigint;
  readonly uuid: string;
}

/**
 * The values of a schema, as far as the compiler knows it: of a reference to a type by its name, and of a schema that is no
 * literal, it is `unknown`.
 */
export type AvroValue<S> = AvroSchema extends S
  ? unknown
  : S extends keyof Primitives
    ? Primitives[S]
    : S extends readonly (infer B)[]
      ? AvroValue<B>
      : S extends { readonly logicalType: infer L extends keyof LogicalTypes }
        ? LogicalTypes[L]
        : S extends { readonly type: 'record'; readonly fields: infer F extends readonly unknown[] }
          ? AvroRecord<F>
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? readonly AvroValue<I>[]
            : S extends { readonly type: 'map'; readonly values: infer V }
              ? Readonly<Record<string, AvroValue<V>>> | ReadonlyMap<string, AvroValue<V>>
              : S extends { readonly type: 'enum'; readonly symbols: readonly (infer E)[] }
                ? E
                : S extends { readonly type: 'fixed' }
                  ? Uint8Array
                  : S extends { readonly type: infer P }
                    ? AvroValue<P>
                    : unknown;

type NameOf<F> = F extends { readonly name: infer N extends string } ? N : never;
type TypeOf<F> = F extends { readonly type: infer T } ? AvroValue<T> : unknown;
type Nullable<F> = F extends { readonly type: infer T } ? (null extends AvroValue<T> ? F : never) : never;

/** A field that may be null may be absent. */
type AvroRecord<F extends readonly unknown[]> = {
  readonly [K in Exclude<F[number], Nullable<F[number]>> as NameOf<K>]: TypeOf<K>;
} & { readonly [K in Nullable<F[number]> as NameOf<K>]?: TypeOf<K> };

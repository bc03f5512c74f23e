import type { AvroSchema } from './avro-schema.js';

interface Primitives {
  readonly null: null;
  readonly boolean: boolean;
  readonly int: number;
  readonly long: number | bigint;
  readonly float: number;
  readonly double: number;
  readonly bytes: Buffer;
  readonly string: string;
}

interface LogicalTypes {
  readonly date: Date;
  readonly 'timestamp-millis': Date;
  readonly 'timestamp-micros': number | bigint;
  readonly decimal: string;
  readonly uuid: string;
}

/**
 * What the values of a schema are read as, as far as the compiler knows it: of a reference to a type by its name, and of a schema that
 * is no literal, it is `unknown`. Each is an `AvroValue` of the same schema.
 */
export type AvroDecoded<S> = AvroSchema extends S
  ? unknown
  : S extends keyof Primitives
    ? Primitives[S]
    : S extends readonly (infer B)[]
      ? AvroDecoded<B>
      : S extends { readonly logicalType: infer L extends keyof LogicalTypes }
        ? LogicalTypes[L]
        : S extends { readonly type: 'record'; readonly fields: infer F extends readonly unknown[] }
          ? { readonly [K in F[number] as NameOf<K>]: TypeOf<K> }
          : S extends { readonly type: 'array'; readonly items: infer I }
            ? readonly AvroDecoded<I>[]
            : S extends { readonly type: 'map'; readonly values: infer V }
              ? Readonly<Record<string, AvroDecoded<V>>>
              : S extends { readonly type: 'enum'; readonly symbols: readonly (infer E)[] }
                ? E
                : S extends { readonly type: 'fixed' }
                  ? Buffer
                  : S extends { readonly type: infer P }
                    ? AvroDecoded<P>
                    : unknown;

type NameOf<F> = F extends { readonly name: infer N extends string } ? N : never;
type TypeOf<F> = F extends { readonly type: infer T } ? AvroDecoded<T> : unknown;

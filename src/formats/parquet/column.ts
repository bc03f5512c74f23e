import { expectOption, expectWhole } from '../../core/options.js';

/** What a column holds, as the rest of the format asks for it. */
export type Shape =
  | {
      readonly kind: 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'string' | 'bytes' | 'date' | 'uuid' | 'json';
    }
  | { readonly kind: 'timestamp'; readonly unit: 'ms' | 'us' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'enum'; readonly symbols: readonly string[] }
  | { readonly kind: 'list'; readonly element: ParquetColumn<unknown> }
  | { readonly kind: 'map'; readonly key: ParquetColumn<unknown>; readonly value: ParquetColumn<unknown> }
  | { readonly kind: 'struct'; readonly fields: ParquetSchema };

/** A column of a Parquet file, or a part of one: made by `column`, and never changed. */
export class ParquetColumn<out T> {
  /** Only a type: what values the column takes. */
  declare protected readonly takes: T;
  readonly shape: Shape;
  readonly isNullable: boolean;
  readonly id: number | undefined;

  constructor(shape: Shape, isNullable = false, id?: number) {
    this.shape = shape;
    this.isNullable = isNullable;
    this.id = id;
  }

  /** The same column where null, or a field that is absent, is a null. */
  nullable(): ParquetColumn<T | null> {
    return new ParquetColumn(this.shape, true, this.id);
  }

  /** The same column with a field id: how table formats such as Iceberg find a column that was renamed. */
  fieldId(id: number): ParquetColumn<T> {
    expectWhole('fieldId', id, 0, 2 ** 31 - 1);
    return new ParquetColumn(this.shape, this.isNullable, id);
  }
}

/** The columns of a file, by name, in their order. */
export type ParquetSchema = Readonly<Record<string, ParquetColumn<unknown>>>;

type ValueOf<C> = C extends ParquetColumn<infer T> ? T : never;
type Nullable<S> = { [K in keyof S]: null extends ValueOf<S[K]> ? K : never }[keyof S];

/** The values that a schema takes. What is nullable may be absent. */
export type ParquetRow<S extends ParquetSchema> = {
  readonly [K in Exclude<keyof S, Nullable<S>>]: ValueOf<S[K]>;
} & {
  readonly [K in Nullable<S>]?: ValueOf<S[K]> | undefined;
};

const simple =
  <T>(kind: 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'string' | 'bytes' | 'date' | 'uuid' | 'json') =>
  (): ParquetColumn<T> =>
    new ParquetColumn({ kind });

/** The digits that 16 bytes hold, and that readers support. */
const MAX_DIGITS = 38;

/**
 * The types of the columns of a Parquet file.
 *
 * ```ts
 * import { column, parquet, type ParquetRow } from 'rxflume/formats/parquet';
 *
 * const order = {
 *   id: column.int64().fieldId(1),
 *   at: column.timestampMs(),
 *   total: column.decimal(9, 2),
 *   state: column.enumOf(['open', 'paid']),
 *   note: column.string().nullable(),
 *   lines: column.list(column.struct({ sku: column.string(), count: column.int32() })),
 *   labels: column.map(column.string(), column.string()),
 * };
 * export type Order = ParquetRow<typeof order>; // { id: bigint | number; at: Date | …; note?: string | null; … }
 * export const format = parquet({ schema: order });
 * ```
 */
export const column = {
  boolean: simple<boolean>('boolean'),
  /** A whole number of 32 bits. */
  int32: simple<number>('int32'),
  /** A whole number of 64 bits; a `number` must be a safe integer. */
  int64: simple<bigint | number>('int64'),
  /** 32 bits: a number is rounded to the nearest. */
  float: simple<number>('float'),
  double: simple<number>('double'),
  string: simple<string>('string'),
  bytes: simple<Uint8Array>('bytes'),
  /** A day: `YYYY-MM-DD`, or a Date that is midnight in UTC. */
  date: simple<Date | string>('date'),
  /** As text with hyphens, or as 16 bytes. */
  uuid: simple<string | Uint8Array>('uuid'),
  /** Any value, as its JSON text by the rule of `jsonText`. */
  json: simple<unknown>('json'),
  /** A time in UTC, as a Date or in whole milliseconds since 1970. */
  timestampMs: (): ParquetColumn<Date | number | bigint> => new ParquetColumn({ kind: 'timestamp', unit: 'ms' }),
  /** A time in UTC, as a Date or in whole **microseconds** since 1970. */
  timestampUs: (): ParquetColumn<Date | number | bigint> => new ParquetColumn({ kind: 'timestamp', unit: 'us' }),
  /**
   * So many decimal digits, `scale` of them after the point: as text such as `'12.50'`, as a number whose shortest text fits, or as
   * a bigint, which is a whole number. What has more digits is rejected, not rounded.
   */
  decimal(precision: number, scale: number): ParquetColumn<string | number | bigint> {
    expectWhole('precision', precision, 1, MAX_DIGITS);
    expectWhole('scale', scale, 0, precision);
    return new ParquetColumn({ kind: 'decimal', precision, scale });
  },
  /** One of these texts. */
  enumOf<const T extends string>(symbols: readonly T[]): ParquetColumn<T> {
    const areTexts = Array.isArray(symbols) && symbols.length > 0 && symbols.every((one) => typeof one === 'string');
    expectOption('symbols', symbols, areTexts, 'a list of texts');
    return new ParquetColumn({ kind: 'enum', symbols });
  },
  list<T>(element: ParquetColumn<T>): ParquetColumn<readonly T[]> {
    expectColumn('element', element);
    return new ParquetColumn({ kind: 'list', element });
  },
  /** A `Map`, or an object where the keys are texts. */
  map<K, V>(
    key: ParquetColumn<K>,
    value: ParquetColumn<V>,
  ): ParquetColumn<ReadonlyMap<K, V> | (K extends string ? Readonly<Record<K, V>> : never)> {
    expectColumn('key', key);
    expectColumn('value', value);
    expectOption('key', key.shape.kind, !key.isNullable, 'a column that is not nullable');
    return new ParquetColumn({ kind: 'map', key, value });
  },
  struct<const S extends ParquetSchema>(fields: S): ParquetColumn<ParquetRow<S>> {
    expectSchema('fields', fields);
    return new ParquetColumn({ kind: 'struct', fields });
  },
};

function expectColumn(name: string, value: unknown): void {
  expectOption(name, value, value instanceof ParquetColumn, 'a column such as column.string()');
}

/** At least one column, each made by `column`. Throws `OptionError`. */
export function expectSchema(name: string, schema: unknown): void {
  const isObject = typeof schema === 'object' && schema !== null && Object.keys(schema).length > 0;
  expectOption(name, schema, isObject, 'an object of at least one column');
  for (const [key, value] of Object.entries(schema as object)) {
    expectOption(name, key, key !== '', 'an object of columns with names');
    expectColumn(`${name}.${key}`, value);
  }
}

import { OptionError } from '../../core/errors.js';
import { expectOption } from '../../core/options.js';
import { type CodecShape, type IoTsCodec, shapeOf } from '../io-ts-shape.js';
import { column, type ParquetColumn } from './column.js';

/** The columns of values of a type. What may be undefined is nullable. */
export type ParquetSchemaOf<A> = {
  readonly [K in keyof A]-?: ParquetColumn<undefined extends A[K] ? Exclude<A[K], undefined> | null : A[K]>;
};

/**
 * The columns of an io-ts codec: of `t.type`, `t.partial`, `t.intersection`, `t.exact`, `t.readonly`, `t.array` (a list), `t.record` (a map), `t.union` with
 * `t.null` or `t.undefined` (nullable), `t.literal` and `t.keyof` (an enum), `t.string`, `t.number` (a double), `t.Int` and `t.bigint` (64 bits) and `t.boolean`. A
 * refinement or brand is what it refines. Replace single columns where you know more than the codec, such as that a text is a date.
 *
 * ```ts
 * import * as t from 'io-ts';
 * import { column, parquet, parquetSchemaOf } from 'rxflume/formats/parquet';
 *
 * const Chat = t.type({ id: t.Int, at: t.number, lang: t.keyof({ en: null, zh: null }), text: t.union([t.string, t.null]) });
 * export const format = parquet({ schema: { ...parquetSchemaOf(Chat), at: column.timestampMs() } });
 * ```
 *
 * Fails: `OptionError` with the path of what no column holds, such as `t.unknown`, a union of several types, or a recursive type.
 */
export function parquetSchemaOf<A>(codec: IoTsCodec & { readonly _A: A }): ParquetSchemaOf<A> {
  const shape = shapeOf(codec);
  expectOption('codec', codec?.name, shape.kind === 'record', 'a codec of an object, such as `t.type`');
  return columnsOf(shape as CodecShape & { kind: 'record' }, '$') as unknown as ParquetSchemaOf<A>;
}

function columnsOf({ fields }: CodecShape & { kind: 'record' }, path: string): Record<string, ParquetColumn<unknown>> {
  if (fields.length === 0) throw unknownError('an object without fields', path);
  return Object.fromEntries(fields.map(({ name, shape }) => [name, columnOf(shape, `${path}.${name}`)]));
}

function columnOf(shape: CodecShape, path: string): ParquetColumn<unknown> {
  switch (shape.kind) {
    case 'string':
      return column.string();
    case 'double':
      return column.double();
    case 'long':
      return column.int64();
    case 'boolean':
      return column.boolean();
    case 'enum':
      return column.enumOf(shape.symbols);
    case 'array':
      return column.list(columnOf(shape.items, `${path}[]`));
    case 'map':
      return column.map(column.string(), columnOf(shape.values, `${path}{}`));
    case 'record':
      return column.struct(columnsOf(shape, path));
    case 'union': {
      const [only, ...others] = shape.members.filter(({ kind }) => kind !== 'null');
      if (only === undefined || others.length > 0) throw unknownError('a union of several types', path);
      return columnOf(only, path).nullable();
    }
    case 'null':
      throw unknownError('null alone', path);
    case 'unknown':
      throw unknownError(shape.name, path);
  }
}

function unknownError(name: string, path: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `No column of Parquet holds \`${path}\`: ${name}. Write that column yourself, such as \`column.json()\`, or take another codec.`,
    { details: { path } },
  );
}

import { types } from 'node:util';
import { describeValue, SinkError } from '../core/errors.js';
import { expectKnown, expectOneOf, expectOption } from '../core/options.js';
import { isWellFormed } from '../core/text.js';

/** The values that each type of column holds. */
export interface CsvTypes {
  /** Any of the others, each in its form. */
  readonly scalar: string | number | bigint | boolean | Date;
  readonly string: string;
  /** A double, in the shortest form that is read back as the same; `-0` is `0`. */
  readonly number: number;
  /** A whole number: a BigInt of any size, or a number up to ±(2^53 − 1). */
  readonly integer: number | bigint;
  /** `true` or `false`. */
  readonly boolean: boolean;
  /** In UTC with milliseconds, of the years 0 to 9999: `2026-11-27T08:30:00.000Z`. */
  readonly timestamp: Date;
}

/** One column: the field of the value that it shows, which is also its name in the header. */
export interface CsvColumn {
  readonly name: string;
  /** Default `scalar`. */
  readonly type?: keyof CsvTypes;
  /** Whether the field may be null, undefined or absent. Default false: then such a value is nacked. */
  readonly nullable?: boolean;
}

/** The columns in their order; a text alone is the name of one of any scalar type. */
export type CsvColumns = readonly (string | CsvColumn)[];

type Named<C> = C extends string ? C : C extends { readonly name: infer N extends string } ? N : never;
type Nullable<C> = C extends { readonly nullable: true } ? C : never;
type Held<C> = C extends { readonly type: infer T extends keyof CsvTypes } ? CsvTypes[T] : CsvTypes['scalar'];

/** A value that fits the columns; what else it has is not written. Where the compiler does not know the names, any object. */
export type CsvRow<C extends CsvColumns> =
  string extends Named<C[number]>
    ? Readonly<Record<string, unknown>>
    : {
        readonly [K in Exclude<C[number], Nullable<C[number]>> as Named<K>]: Held<K>;
      } & { readonly [K in Nullable<C[number]> as Named<K>]?: Held<K> | null | undefined };

/** What each type of column is read as. */
interface DecodedTypes extends CsvTypes {
  readonly scalar: string;
}

type Read<C> = C extends { readonly type: infer T extends keyof CsvTypes } ? DecodedTypes[T] : string;
type OrNull<C> = C extends { readonly nullable: true } ? null : never;

/** A record that was read by its columns; a `CsvRow` of the same columns. */
export type CsvDecodedRow<C extends CsvColumns> =
  string extends Named<C[number]>
    ? Readonly<Record<string, unknown>>
    : { readonly [K in C[number] as Named<K>]: Read<K> | OrNull<K> };

type Kind = keyof CsvTypes;
const KINDS: readonly Kind[] = ['scalar', 'string', 'number', 'integer', 'boolean', 'timestamp'];

/** A column as it was checked. */
export interface CheckedColumn {
  readonly name: string;
  readonly type: Kind;
  readonly nullable: boolean;
}

/** Checks the columns. Throws `OptionError`. */
export function checkColumns(columns: CsvColumns): readonly CheckedColumn[] {
  expectOption('columns', columns, Array.isArray(columns) && columns.length > 0, 'a list of at least one column');
  const checked = columns.map((given, at) => {
    const column = typeof given === 'string' ? { name: given } : given;
    expectKnown(`columns[${at}]`, column, ['name', 'type', 'nullable']);
    const { name, type = 'scalar', nullable = false } = column;
    const isName = typeof name === 'string' && name !== '' && isWellFormed(name);
    expectOption(`columns[${at}].name`, name, isName, 'a non-empty text without unpaired surrogates');
    expectOneOf(`columns[${at}].type`, type, KINDS);
    expectOption(`columns[${at}].nullable`, nullable, typeof nullable === 'boolean', 'true or false');
    return { name, type, nullable };
  });
  for (const [at, { name }] of checked.entries()) {
    const isFirst = checked.findIndex((column) => column.name === name) === at;
    expectOption(`columns[${at}].name`, name, isFirst, 'a name that no other column has');
  }
  return checked;
}

/** The text of a value that is not null, unquoted. Throws `RXF_SINK_FORMAT` where it does not fit the column. */
export function cellText(value: unknown, column: CheckedColumn, takesNonFinite: boolean): string {
  const { type } = column;
  const any = type === 'scalar';
  switch (typeof value) {
    case 'string':
      if (!any && type !== 'string') break;
      if (!isWellFormed(value)) throw misfit(value, column, ', which has an unpaired surrogate that UTF-8 cannot hold');
      return value;
    case 'number':
      if (Number.isFinite(value) || takesNonFinite) {
        if (any || type === 'number') return String(value);
        if (type === 'integer' && Number.isSafeInteger(value)) return String(value);
      }
      break;
    case 'bigint':
      if (any || type === 'integer') return String(value);
      break;
    case 'boolean':
      if (any || type === 'boolean') return String(value);
      break;
    case 'object':
      if ((any || type === 'timestamp') && types.isDate(value)) return dateText(value, column);
      break;
    default:
  }
  throw misfit(value, column);
}

const YEAR_10000_MS = Date.UTC(10_000, 0);
/** `Date.UTC` takes the years 0 to 99 for 1900 to 1999. */
const YEAR_0_MS = Date.parse('0000-01-01T00:00:00Z');

/** Other years have a sign and six digits in ISO 8601, which readers of CSV do not take for a time. */
function dateText(value: Date, column: CheckedColumn): string {
  const time = Date.prototype.getTime.call(value);
  if (!(time >= YEAR_0_MS && time < YEAR_10000_MS))
    throw misfit(value, column, ', which is not of the years 0 to 9999');
  return new Date(time).toISOString();
}

const EXPECTED: Readonly<Record<Kind, string>> = {
  scalar: 'a string, a finite number, a BigInt, a boolean or a Date',
  string: 'a string',
  number: 'a finite number',
  integer: 'a BigInt, or a whole number up to ±(2^53 − 1)',
  boolean: 'true or false',
  timestamp: 'a Date',
};

/** The error of a value that does not fit its column, with the path of the value. */
export function misfit(value: unknown, { name, type }: CheckedColumn, why = ''): SinkError {
  const path = /^[A-Za-z_$][\w$]*$/.test(name) ? `$.${name}` : `$[${JSON.stringify(name)}]`;
  const isAbsent = value === null || value === undefined;
  const next = isAbsent
    ? 'mark the column `nullable: true`, or drop the value with filterValue'
    : 'map it with mapValue';
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write \`${path}\` as a column of CSV: expected ${EXPECTED[type]}, got ${describeValue(value)} ` +
      `(${value === null ? 'null' : typeof value})${why}. Before the sink, ${next}.`,
    { details: { path } },
  );
}

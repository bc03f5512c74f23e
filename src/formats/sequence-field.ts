import { describeValue, SinkError } from '../core/errors.js';
import { expectFunction, expectKnown, expectOneOf } from '../core/options.js';
import { isWellFormed } from '../core/text.js';
import type { WritableBytes } from './writable-bytes.js';

/**
 * What the key or the value of each record is: its Writable, and how it is made from a value of the flow. A format sees
 * values only: what it needs of their origin, `mapValue` puts into them.
 */
export type SequenceField<T> =
  | { readonly writable: 'Text'; readonly of: (value: T) => string }
  | { readonly writable: 'BytesWritable'; readonly of: (value: T) => Uint8Array }
  | { readonly writable: 'LongWritable'; readonly of: (value: T) => number | bigint }
  | { readonly writable: 'NullWritable' };

/** A field as it was checked. */
export interface CheckedField<T> {
  readonly className: string;
  /** Writes the field of a value. Throws before it writes where the value does not fit. */
  write(value: T, into: WritableBytes): void;
}

const WRITABLES = ['Text', 'BytesWritable', 'LongWritable', 'NullWritable'] as const;

/** More does not fit Hadoop's lengths of 32 bits, with room for the rest of a record. */
const MAX_BYTES = 2 ** 30;

/** Checks one of the two fields. Throws `OptionError`. */
export function checkField<T>(name: 'key' | 'value', field: SequenceField<T>): CheckedField<T> {
  expectKnown(name, field, ['writable', 'of']);
  const { writable } = field;
  expectOneOf(`${name}.writable`, writable, WRITABLES);
  const className = `org.apache.hadoop.io.${writable}`;
  if (writable === 'NullWritable') return { className, write: () => undefined };
  const { of } = field;
  expectFunction(`${name}.of`, of);
  const write = WRITE[writable];
  return { className, write: (value, into) => write(of(value), name, into) };
}

type Write = (made: unknown, name: string, into: WritableBytes) => void;

const WRITE: Readonly<Record<'Text' | 'BytesWritable' | 'LongWritable', Write>> = {
  Text: (made, name, into) => {
    if (typeof made !== 'string' || !isWellFormed(made) || made.length > MAX_BYTES / 3) {
      throw misfit(made, name, 'Text', 'a string of up to 341 MiB without unpaired surrogates');
    }
    into.text(made);
  },
  BytesWritable: (made, name, into) => {
    if (!(made instanceof Uint8Array) || made.length > MAX_BYTES) {
      throw misfit(made, name, 'BytesWritable', 'bytes (a Uint8Array) of up to 1 GiB');
    }
    into.int32(made.length);
    into.fixed(made);
  },
  LongWritable: (made, name, into) => {
    const isLong = Number.isSafeInteger(made) || (typeof made === 'bigint' && BigInt.asIntN(64, made) === made);
    if (!isLong) throw misfit(made, name, 'LongWritable', 'a whole number up to ±(2^53 − 1), or a BigInt of 64 bits');
    into.int64(BigInt(made as number | bigint));
  },
};

function misfit(made: unknown, name: string, writable: string, expected: string): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write the ${name} of a SequenceFile as ${writable}: expected ${expected} from \`${name}.of\`, got ` +
      `${describeValue(made)} (${made === null ? 'null' : typeof made}). Change \`${name}.of\`, or the value before the sink.`,
    { details: { path: name } },
  );
}

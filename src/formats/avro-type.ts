import { types } from 'node:util';
import { isWellFormed } from '../core/text.js';
import type { AvroWriter } from './avro-bytes.js';

/** A part of a value that its type does not hold, and where it is: names and indexes, from the outside in. */
export interface AvroMisfit {
  readonly path: (string | number)[];
  readonly value: unknown;
  readonly expected: string;
}

/** A type of a schema, ready to write values. */
export interface AvroType {
  /** What it is called in messages. */
  readonly name: string;
  /** The first part of a value that does not fit, if there is one. */
  misfit(value: unknown): AvroMisfit | undefined;
  /** Writes a value that fits. */
  write(value: never, writer: AvroWriter): void;
  /** Of several branches of a union that hold a value, one that loses nothing is to be taken: whether this one does not. */
  loses?(value: never): boolean;
}

/** A type of values that have no parts. */
export function simple<T>(
  name: string,
  expected: string,
  holds: (value: unknown) => boolean,
  write: (value: T, writer: AvroWriter) => void,
): AvroType {
  return {
    name,
    misfit: (value) => (holds(value) ? undefined : { path: [], value, expected }),
    write,
  };
}

const [LEAST_INT, MAX_INT] = [-(2 ** 31), 2 ** 31 - 1];
/** Zigzag doubles a number, which a double holds exactly only up to there. */
const MAX_EXACT = 2 ** 52;

export function isInt(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= LEAST_INT && (value as number) <= MAX_INT;
}

export function isLong(value: unknown): boolean {
  return Number.isSafeInteger(value) || (typeof value === 'bigint' && BigInt.asIntN(64, value) === value);
}

export function writeLong(value: number | bigint, writer: AvroWriter): void {
  if (typeof value === 'number' && value <= MAX_EXACT && value >= -MAX_EXACT) writer.long(value);
  else writer.bigLong(BigInt(value));
}

/** An object with fields: no list, bytes, Date, Map or Set, whose fields would be none. */
export function hasFields(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) return false;
  return !types.isDate(value) && !types.isMap(value) && !types.isSet(value);
}

const FLOAT: AvroType = {
  name: 'float',
  misfit: (value) =>
    typeof value === 'number' && (Number.isFinite(Math.fround(value)) || !Number.isFinite(value))
      ? undefined
      : { path: [], value, expected: 'a number that a float of 32 bits holds when rounded' },
  write: (value: number, writer) => writer.float(value),
  loses: (value: number) => Math.fround(value) !== value && !Number.isNaN(value),
};

/** The primitive types by their names. */
export const PRIMITIVES: ReadonlyMap<string, AvroType> = new Map(
  [
    simple(
      'null',
      'null',
      (value) => value === null || value === undefined,
      () => undefined,
    ),
    simple<boolean>(
      'boolean',
      'true or false',
      (value) => typeof value === 'boolean',
      (value, writer) => writer.boolean(value),
    ),
    simple<number>('int', 'a whole number of 32 bits', isInt, (value, writer) => writer.long(value)),
    simple('long', 'a whole number up to ±(2^53 − 1), or a BigInt of 64 bits', isLong, writeLong),
    FLOAT,
    simple<number>(
      'double',
      'a number',
      (value) => typeof value === 'number',
      (value, writer) => writer.double(value),
    ),
    simple<Uint8Array>(
      'bytes',
      'bytes (a Uint8Array)',
      (value) => value instanceof Uint8Array,
      (value, writer) => writer.bytes(value),
    ),
    simple<string>(
      'string',
      'a string without unpaired surrogates',
      (value) => typeof value === 'string' && isWellFormed(value),
      (value, writer) => writer.text(value),
    ),
  ].map((type) => [type.name, type]),
);

/** Of a list: a block of all items. */
export function arrayOf(items: AvroType): AvroType {
  return {
    name: 'array',
    misfit(value) {
      if (!Array.isArray(value)) return { path: [], value, expected: 'a list' };
      for (let at = 0; at < value.length; at += 1) {
        const found = items.misfit(value[at]);
        if (found !== undefined) return outer(at, found);
      }
      return undefined;
    },
    write(value: readonly never[], writer) {
      if (value.length > 0) writer.long(value.length);
      for (let at = 0; at < value.length; at += 1) items.write(value[at] as never, writer);
      writer.long(0);
    },
  };
}

type Entries = Readonly<Record<string, unknown>> | ReadonlyMap<unknown, unknown>;

function entriesOf(value: Entries): [unknown, unknown][] {
  return types.isMap(value) ? [...value] : Object.entries(value);
}

/** Of an object or a Map: a block of all entries. */
export function mapOf(values: AvroType): AvroType {
  return {
    name: 'map',
    misfit(value) {
      if (!hasFields(value) && !types.isMap(value)) return { path: [], value, expected: 'an object or a Map' };
      for (const [name, part] of entriesOf(value)) {
        if (typeof name !== 'string' || !isWellFormed(name)) {
          return { path: [], value: name, expected: 'names that are strings without unpaired surrogates' };
        }
        const found = values.misfit(part);
        if (found !== undefined) return outer(name, found);
      }
      return undefined;
    },
    write(value: Entries, writer) {
      const entries = entriesOf(value);
      if (entries.length > 0) writer.long(entries.length);
      for (const [name, part] of entries) {
        writer.text(name as string);
        values.write(part as never, writer);
      }
      writer.long(0);
    },
  };
}

/** A field of a record. */
export interface AvroField {
  readonly name: string;
  readonly type: AvroType;
}

/** A record: its fields one after the other. More may be added to `fields` until it is used, since a record may hold itself. */
export function recordOf(name: string, fields: readonly AvroField[]): AvroType {
  return {
    name,
    misfit(value) {
      if (!hasFields(value)) return { path: [], value, expected: `an object with the fields of ${name}` };
      for (let at = 0; at < fields.length; at += 1) {
        const field = fields[at] as AvroField;
        const found = field.type.misfit(value[field.name]);
        if (found !== undefined) return outer(field.name, found);
      }
      return undefined;
    },
    write(value: Readonly<Record<string, unknown>>, writer) {
      for (let at = 0; at < fields.length; at += 1) {
        const field = fields[at] as AvroField;
        field.type.write(value[field.name] as never, writer);
      }
    },
    loses: (value: object) => Object.keys(value).some((own) => fields.every((field) => field.name !== own)),
  };
}

/** A union: of the branches that hold a value, the first that loses nothing of it, or else the first. */
export function unionOf(branches: readonly AvroType[]): AvroType {
  const branchOf = (value: unknown): number => {
    const holds = (type: AvroType) => type.misfit(value) === undefined;
    const whole = branches.findIndex((type) => holds(type) && type.loses?.(value as never) !== true);
    return whole >= 0 ? whole : branches.findIndex(holds);
  };
  const nullAt = branches.findIndex(({ name }) => name === 'null');
  const only = nullAt >= 0 && branches.length === 2 ? (branches[1 - nullAt] as AvroType) : undefined;
  const isNull = (value: unknown) => nullAt >= 0 && (value === null || value === undefined);
  return {
    name: 'union',
    misfit(value) {
      if (isNull(value)) return undefined;
      // With one branch but null, the message can say what of the value does not fit.
      if (only !== undefined) return only.misfit(value);
      return branchOf(value) >= 0
        ? undefined
        : { path: [], value, expected: `a value of ${branches.map(({ name }) => name).join(', ')}` };
    },
    write(value: never, writer) {
      const at = isNull(value) ? nullAt : only === undefined ? branchOf(value) : 1 - nullAt;
      writer.long(at);
      (branches[at] as AvroType).write(value, writer);
    },
  };
}

function outer(step: string | number, found: AvroMisfit): AvroMisfit {
  found.path.unshift(step);
  return found;
}

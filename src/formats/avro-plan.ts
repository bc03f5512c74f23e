import { OptionError } from '../core/errors.js';
import { avroDefault } from './avro-default.js';
import type { AvroEnum, AvroFixed, AvroLogical, AvroNode, AvroRecordNode } from './avro-node.js';

/** What a part of a value is read as. */
export type AvroStep =
  | 'null'
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'bytes'
  | 'string'
  | 'fixed'
  | 'enum'
  | 'array'
  | 'map'
  | 'record'
  | 'union'
  /** A whole number that becomes a float, or a double. */
  | 'long to float'
  | 'long to double'
  | 'double to float'
  /** What `items` reads, as the value of a logical type. */
  | 'logical'
  /** Nothing that the reader's schema has. */
  | 'unreadable';

/**
 * How a type that was written is read as the reader's type. All have all members, in one order, so that the loop that reads has
 * objects of one shape.
 */
export interface AvroPlan {
  readonly step: AvroStep;
  /** Of an array, a map, a logical type. */
  readonly items: AvroPlan | undefined;
  /** Of a record, as they were written; of a union, its branches. */
  readonly parts: readonly AvroPart[];
  /** Of a record: its fields in the reader's order, with the defaults of those that were not written. */
  readonly template: Readonly<Record<string, unknown>>;
  /** Of a record: the fields whose default is an object, which each value needs of its own. */
  readonly fresh: readonly AvroFreshDefault[];
  /** Of an enum, by their index; undefined for one that the reader's schema does not have. */
  readonly symbols: readonly (string | undefined)[];
  /** Of a fixed type. */
  readonly size: number;
  /** The least bytes of an item of an array or a map. */
  readonly least: number;
  readonly logical: AvroLogical | undefined;
  /** Why it cannot be read. */
  readonly problem: string;
}

/** A field, or a branch of a union. */
export interface AvroPart {
  readonly name: string;
  readonly plan: AvroPlan;
  /** Of a field that the reader's schema does not have: what was written, to pass over it. */
  readonly skipped: AvroNode | undefined;
}

export interface AvroFreshDefault {
  readonly name: string;
  readonly make: () => unknown;
}

/**
 * How values of one schema are read as those of another.
 *
 * Fails: `OptionError` with the path of what can never be read; what depends on the value, such as a branch of a union, is a plan that
 * fails when it comes.
 * Source: Avro 1.12 specification, "Schema Resolution".
 */
export function planOf(writer: AvroNode, reader: AvroNode): AvroPlan {
  return new Resolver().plan(writer, reader, '$');
}

const EMPTY = {
  items: undefined,
  parts: [],
  template: {},
  fresh: [],
  symbols: [],
  size: 0,
  least: 0,
  logical: undefined,
  problem: '',
} as const;

type Members = { -readonly [K in keyof AvroPlan]?: AvroPlan[K] };

function make(step: AvroStep, members: Members = {}): AvroPlan {
  return { step, ...EMPTY, ...members };
}

/** What else a type may be read as than as itself. */
const PROMOTIONS: Readonly<Record<string, AvroStep>> = {
  'int long': 'int',
  'int float': 'long to float',
  'int double': 'int',
  'long float': 'long to float',
  'long double': 'long to double',
  'float double': 'float',
  'string bytes': 'bytes',
  'bytes string': 'string',
};

class Resolver {
  /** The records that were begun, by the writer's and the reader's, since one may hold itself. */
  #records = new Map<AvroRecordNode, Map<AvroRecordNode, AvroPlan>>();
  /** The least bytes of each record. */
  readonly #least = new Map<AvroNode, number>();

  plan(writer: AvroNode, reader: AvroNode, path: string): AvroPlan {
    if (writer.kind === 'union') return this.#writtenUnion(writer.branches, reader, path);
    if (reader.kind === 'union') return this.#branch(writer, reader.branches, path);
    const logical = 'logical' in reader ? reader.logical : undefined;
    const below = this.#below(writer, reader, path);
    if (logical === undefined) return below;
    const written = 'logical' in writer ? writer.logical : undefined;
    if (written !== undefined && !isSame(written, logical)) throw unresolved(path, writer, reader);
    return make('logical', { items: below, logical });
  }

  #below(writer: AvroNode, reader: AvroNode, path: string): AvroPlan {
    if (writer.kind === 'array' && reader.kind === 'array') {
      const items = this.plan(writer.items, reader.items, `${path}[]`);
      return make('array', { items, least: leastBytes(writer.items, this.#least) });
    }
    if (writer.kind === 'map' && reader.kind === 'map') {
      return make('map', {
        items: this.plan(writer.values, reader.values, `${path}{}`),
        least: 1 + leastBytes(writer.values, this.#least),
      });
    }
    if (writer.kind === 'record' && reader.kind === 'record' && isNamed(writer, reader)) {
      return this.#record(writer, reader, path);
    }
    if (writer.kind === 'enum' && reader.kind === 'enum' && isNamed(writer, reader)) return enumPlan(writer, reader);
    if (writer.kind === 'fixed' && reader.kind === 'fixed' && isNamed(writer, reader) && writer.size === reader.size) {
      return make('fixed', { size: writer.size });
    }
    if (writer.kind === reader.kind && isPrimitive(writer)) return make(writer.kind);
    const promoted = PROMOTIONS[`${writer.kind} ${reader.kind}`];
    if (promoted === undefined) throw unresolved(path, writer, reader);
    return make(promoted);
  }

  #record(writer: AvroRecordNode, reader: AvroRecordNode, path: string): AvroPlan {
    const begun = this.#records.get(writer)?.get(reader);
    if (begun !== undefined) return begun;
    const [parts, template, fresh]: [AvroPart[], Record<string, unknown>, AvroFreshDefault[]] = [[], {}, []];
    const plan = make('record', { parts, template, fresh });
    const ofWriter = this.#records.get(writer) ?? new Map<AvroRecordNode, AvroPlan>();
    this.#records.set(writer, ofWriter.set(reader, plan));
    const readAs = new Map<string, AvroRecordNode['fields'][number]>();
    for (const field of reader.fields) {
      const names = [field.name, ...field.aliases];
      const name = names.find((one) => !readAs.has(one) && writer.fields.some((written) => written.name === one));
      if (name !== undefined) readAs.set(name, field);
      const value = name === undefined ? this.#default(field, path, fresh) : undefined;
      // An assignment to `__proto__` would set the prototype.
      Object.defineProperty(template, field.name, { value, writable: true, enumerable: true, configurable: true });
    }
    for (const { name, type } of writer.fields) {
      const field = readAs.get(name);
      if (field === undefined) parts.push({ name, plan: SKIPPED, skipped: type });
      else {
        parts.push({
          name: field.name,
          plan: this.plan(type, field.type, `${path}.${field.name}`),
          skipped: undefined,
        });
      }
    }
    return plan;
  }

  /** The value of a field that was not written. */
  #default(field: AvroRecordNode['fields'][number], path: string, fresh: AvroFreshDefault[]): unknown {
    const where = `${path}.${field.name}`;
    if (field.default === undefined) {
      throw rejected(where, 'it was not written, and has no `default`', 'Give it one');
    }
    const value = avroDefault(field.default, field.type);
    if (value === undefined) {
      throw rejected(where, 'its `default` is no value of its logical type', 'Correct it');
    }
    if (typeof value === 'object' && value !== null) {
      fresh.push({ name: field.name, make: () => avroDefault(field.default, field.type) });
    }
    return value;
  }

  #writtenUnion(branches: readonly AvroNode[], reader: AvroNode, path: string): AvroPlan {
    const failures: OptionError[] = [];
    const parts = branches.map((branch): AvroPart => {
      const plan = this.#attempt(branch, reader, path);
      if (!(plan instanceof OptionError)) return { name: '', plan, skipped: undefined };
      failures.push(plan);
      const problem = `\`readerSchema\` has no type that reads ${nameOf(branch)}`;
      return { name: '', plan: make('unreadable', { problem }), skipped: undefined };
    });
    const [first] = failures;
    if (first !== undefined && failures.length === branches.length) throw first;
    return make('union', { parts });
  }

  /** The branch of the reader's union that reads what was written: the same type, else the first that it may be read as. */
  #branch(writer: AvroNode, branches: readonly AvroNode[], path: string): AvroPlan {
    const same = branches.filter((branch) => branch.kind === writer.kind && isSameName(branch, writer));
    for (const branch of [...same, ...branches.filter((one) => !same.includes(one))]) {
      const plan = this.#attempt(writer, branch, path);
      if (!(plan instanceof OptionError)) return plan;
    }
    throw unresolved(path, writer, { kind: 'union', branches });
  }

  /** What of an attempt that failed was begun is forgotten, since no value can be read by it. */
  #attempt(writer: AvroNode, reader: AvroNode, path: string): AvroPlan | OptionError {
    const before = new Map([...this.#records].map(([record, plans]) => [record, new Map(plans)]));
    try {
      return this.plan(writer, reader, path);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      this.#records = before;
      return error;
    }
  }
}

/** The plan of a part that is passed over is never read. */
const SKIPPED = make('unreadable');

function enumPlan(writer: AvroEnum, reader: AvroEnum): AvroPlan {
  const symbols = writer.symbols.map((symbol) => (reader.symbols.includes(symbol) ? symbol : reader.default));
  return make('enum', { symbols });
}

function isPrimitive({ kind }: AvroNode): boolean {
  return !['array', 'map', 'union', 'record', 'enum', 'fixed'].includes(kind);
}

type Named = AvroRecordNode | AvroEnum | AvroFixed;

/** By the name without its namespace, or by an alias of the reader's. */
function isNamed(writer: Named, reader: Named): boolean {
  return unqualified(writer.name) === unqualified(reader.name) || reader.aliases.includes(writer.name);
}

function isSameName(one: AvroNode, other: AvroNode): boolean {
  return !('name' in one) || !('name' in other) || one.name === other.name;
}

function unqualified(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** Two decimals of other scales, or milliseconds and microseconds, would be read as other values. */
function isSame(one: AvroLogical, other: AvroLogical): boolean {
  if (one.name === 'decimal' && other.name === 'decimal') return one.scale === other.scale;
  return one.name === other.name;
}

/** The least bytes that a value takes; of a record within itself 0, which is never too many. */
function leastBytes(node: AvroNode, known: Map<AvroNode, number>): number {
  switch (node.kind) {
    case 'null':
      return 0;
    case 'float':
      return 4;
    case 'double':
      return 8;
    case 'fixed':
      return node.size;
    case 'record': {
      const sum = known.get(node);
      if (sum !== undefined) return sum;
      known.set(node, 0);
      const least = node.fields.reduce((total, { type }) => total + leastBytes(type, known), 0);
      known.set(node, least);
      return least;
    }
    default:
      return 1;
  }
}

function nameOf(node: AvroNode): string {
  if (node.kind === 'union') return `a union of ${node.branches.map(nameOf).join(', ')}`;
  if ('name' in node) return `the ${node.kind} ${node.name}`;
  if (!('logical' in node) || node.logical === undefined) return node.kind;
  return `${node.kind} (${node.logical.name})`;
}

function unresolved(path: string, writer: AvroNode, reader: AvroNode): OptionError {
  const problem = `${nameOf(writer)} was written, and is not read as ${nameOf(reader)}`;
  return rejected(path, problem, 'Change its type to one that Avro promotes to, or leave it as it was written');
}

function rejected(path: string, problem: string, next: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `Expected \`readerSchema\` to read what \`schema\` writes, got another type of \`${path}\`: ${problem}. ${next}.`,
    { details: { option: 'readerSchema', path } },
  );
}

import { DecodeError } from '../core/errors.js';
import { AvroFault, AvroReader } from './avro-bytes.js';
import { fromLogical, logicalExpected } from './avro-logical-type.js';
import type { AvroLogical, AvroNode } from './avro-node.js';
import { parseAvro } from './avro-parse.js';
import { type AvroPart, type AvroPlan, planOf } from './avro-plan.js';
import type { AvroSchema } from './avro-schema.js';
import { pathOf } from './json-path.js';

/** How deep records may be in records. */
const MAX_DEPTH = 500;
/** How many parts without any bytes a value may have: nulls of an array, records of nulls. */
const MAX_EMPTY_ITEMS = 65_536;

/**
 * Reads one value in Avro's binary encoding, as the reader's schema has it: all of the bytes are the value.
 *
 * Bounds: each length and each count is checked against the bytes that are left before anything is allocated; 500 records within each
 * other; 65,536 nulls of arrays and records without bytes.
 * Fails: `OptionError` at the call for a schema that is none, or a reader's schema that can read no value of the other. The function:
 * `RXF_DECODE_SYNTAX` for what is no value of the schema, with the path and the offset; `RXF_DECODE_SHAPE` for one that the reader's
 * schema, or its logical type, does not have.
 * Source: Avro 1.12 specification, "Binary Encoding", "Schema Resolution".
 */
export function avroReader(schema: AvroSchema, readerSchema?: AvroSchema): (bytes: Uint8Array) => unknown {
  const plan = planFor(schema, readerSchema);
  return (bytes) => {
    const value = new ValueReader(bytes);
    try {
      const read = value.read(plan);
      value.expectEnd();
      return read;
    } catch (error) {
      throw value.located(error);
    }
  };
}

/** One of several values that lie behind each other, and how many bytes it takes. */
type AvroItem = Readonly<{ value: unknown; byteLength: number }>;

/** Reads so many values that lie behind each other, as in a block of a file. Bounds and failures are those of `avroReader`. */
export function avroItemsReader(
  schema: AvroSchema,
  readerSchema?: AvroSchema,
): (bytes: Uint8Array, count: number) => Iterable<AvroItem> {
  const plan = planFor(schema, readerSchema);
  return function* (bytes, count) {
    const values = new ValueReader(bytes);
    try {
      for (let at = 0; at < count; at += 1) yield values.readItem(plan);
      values.expectEnd();
    } catch (error) {
      throw values.located(error);
    }
  };
}

function planFor(schema: AvroSchema, readerSchema: AvroSchema | undefined): AvroPlan {
  const { node: writer } = parseAvro(schema, 'other');
  return planOf(writer, readerSchema === undefined ? writer : parseAvro(readerSchema, 'own', 'readerSchema').node);
}

class ValueReader {
  readonly #from: AvroReader;
  #depth = 0;
  #emptyItems = 0;
  /** Where it failed, from the inside out. */
  readonly #steps: (string | number)[] = [];

  constructor(bytes: Uint8Array) {
    this.#from = new AvroReader(bytes);
  }

  expectEnd(): void {
    const { left, at } = this.#from;
    if (left > 0) throw new AvroFault(`${left} bytes are left behind the value`, at);
  }

  readItem(plan: AvroPlan): AvroItem {
    const start = this.#from.at;
    const value = this.read(plan);
    const byteLength = this.#from.at - start;
    if (byteLength === 0) this.#countEmpty(1);
    return { value, byteLength };
  }

  read(plan: AvroPlan): unknown {
    const from = this.#from;
    switch (plan.step) {
      case 'string':
        return from.string();
      case 'long':
        return from.long64();
      case 'union':
        return this.read(this.#branch(plan.parts));
      case 'null':
        return null;
      case 'int':
        return from.int();
      case 'record':
        return this.#record(plan);
      case 'double':
        return from.double();
      case 'boolean':
        return from.boolean();
      case 'logical':
        return this.#logical(plan.items as AvroPlan, plan.logical as AvroLogical);
      case 'array':
        return this.#array(plan.items as AvroPlan, plan.least);
      case 'enum':
        return this.#symbol(plan.symbols);
      case 'map':
        return this.#map(plan.items as AvroPlan, plan.least);
      // Copied: the memory of a batch may be used again, or is kept by a few of its bytes.
      case 'bytes':
        return Buffer.from(from.bytes());
      case 'fixed':
        return Buffer.from(from.fixed(plan.size));
      case 'float':
        return from.float();
      case 'long to float':
        return Math.fround(Number(from.long64()));
      case 'long to double':
        return Number(from.long64());
      case 'double to float':
        return Math.fround(from.double());
      case 'unreadable':
        throw new AvroFault(plan.problem, from.at, 'RXF_DECODE_SHAPE');
    }
  }

  #record({ parts, template, fresh }: AvroPlan): Record<string, unknown> {
    const { at: start } = this.#from;
    this.#enter();
    const value = { ...template };
    let at = 0;
    try {
      for (; at < parts.length; at += 1) {
        const part = parts[at] as AvroPart;
        if (part.skipped === undefined) value[part.name] = this.read(part.plan);
        else this.#skip(part.skipped);
      }
    } catch (error) {
      this.#steps.push((parts[at] as AvroPart).name);
      throw error;
    }
    for (let index = 0; index < fresh.length; index += 1) {
      const { name, make } = fresh[index] as AvroPlan['fresh'][number];
      value[name] = make();
    }
    this.#leave(start);
    return value;
  }

  #array(items: AvroPlan, least: number): unknown[] {
    const value: unknown[] = [];
    try {
      for (let count = this.#block(least); count > 0; count = this.#block(least)) {
        for (let at = 0; at < count; at += 1) value.push(this.read(items));
      }
    } catch (error) {
      this.#steps.push(value.length);
      throw error;
    }
    return value;
  }

  #map(values: AvroPlan, least: number): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    let name: string | undefined;
    try {
      for (let count = this.#block(least); count > 0; count = this.#block(least)) {
        for (let at = 0; at < count; at += 1) {
          name = undefined;
          name = this.#from.string();
          const part = this.read(values);
          if (name !== '__proto__') value[name] = part;
          // An assignment would set the prototype.
          else
            Object.defineProperty(value, name, { value: part, enumerable: true, configurable: true, writable: true });
        }
      }
    } catch (error) {
      if (name !== undefined) this.#steps.push(name);
      throw error;
    }
    return value;
  }

  #block(least: number): number {
    const count = this.#from.block(least);
    if (least === 0) this.#countEmpty(count);
    return count;
  }

  #countEmpty(count: number): void {
    this.#emptyItems += count;
    if (this.#emptyItems <= MAX_EMPTY_ITEMS) return;
    throw new AvroFault(`more than ${MAX_EMPTY_ITEMS} parts without bytes are declared`, this.#from.at);
  }

  #branch(branches: readonly AvroPart[]): AvroPlan {
    const { at } = this.#from;
    const index = this.#from.long();
    const branch = branches[index];
    if (branch === undefined) throw new AvroFault(`the union has no branch ${index}`, at);
    return branch.plan;
  }

  #symbol(symbols: readonly (string | undefined)[]): string {
    const { at } = this.#from;
    const index = this.#from.long();
    const symbol = symbols[index];
    if (symbol !== undefined) return symbol;
    if (index >= 0 && index < symbols.length) {
      throw new AvroFault(
        `\`readerSchema\` has neither symbol ${index} of the enum nor a \`default\``,
        at,
        'RXF_DECODE_SHAPE',
      );
    }
    throw new AvroFault(`the enum has no symbol ${index}`, at);
  }

  #logical(below: AvroPlan, logical: AvroLogical): unknown {
    const { at } = this.#from;
    const value = fromLogical(logical, this.read(below));
    if (value !== undefined) return value;
    throw new AvroFault(`expected ${logicalExpected(logical)}`, at, 'RXF_DECODE_SHAPE');
  }

  #skip(node: AvroNode): void {
    const from = this.#from;
    switch (node.kind) {
      case 'null':
        return;
      case 'boolean':
        from.skip(1);
        return;
      case 'int':
      case 'long':
        from.long64();
        return;
      case 'enum':
        from.long();
        return;
      case 'float':
        from.skip(4);
        return;
      case 'double':
        from.skip(8);
        return;
      case 'bytes':
      case 'string':
        from.skip(from.long());
        return;
      case 'fixed':
        from.skip(node.size);
        return;
      case 'union': {
        const { at } = from;
        const branch = node.branches[from.long()];
        if (branch === undefined) throw new AvroFault('the union has no such branch', at);
        this.#skip(branch);
        return;
      }
      case 'record': {
        const { at } = from;
        this.#enter();
        for (const { type } of node.fields) this.#skip(type);
        this.#leave(at);
        return;
      }
      case 'array':
        this.#skipBlocks(() => this.#skip(node.items));
        return;
      case 'map':
        this.#skipBlocks(() => {
          from.skip(from.long());
          this.#skip(node.values);
        });
    }
  }

  /** Items are counted as if none had bytes: what is passed over takes time only. */
  #skipBlocks(skipOne: () => void): void {
    for (let count = this.#from.block(0); count > 0; count = this.#from.block(0)) {
      for (let at = 0; at < count; at += 1) {
        const before = this.#from.at;
        skipOne();
        if (this.#from.at === before) this.#countEmpty(1);
      }
    }
  }

  #enter(): void {
    this.#depth += 1;
    if (this.#depth <= MAX_DEPTH) return;
    throw new AvroFault(`more than ${MAX_DEPTH} records are within each other`, this.#from.at);
  }

  /** A record without bytes may hold twice as many of another, and so on: a schema of a few lines stands for any number of them. */
  #leave(start: number): void {
    this.#depth -= 1;
    if (this.#from.at === start) this.#countEmpty(1);
  }

  /** The error with the path of what was read. */
  located(error: unknown): unknown {
    if (!(error instanceof AvroFault)) return error;
    const { code, problem, offset } = error;
    const path = pathOf(this.#steps.reverse());
    return new DecodeError(
      code as 'RXF_DECODE_SYNTAX',
      `Cannot read \`${path}\` as Avro: ${problem}, at byte ${offset}. Is it of this schema?`,
      { details: { path, offset } },
    );
  }
}

import { describeValue } from '../../core/errors.js';
import { type Leaf, Misfit, type Size } from './leaf.js';
import { leafOf } from './leaf-of.js';
import type { Placed, PlacedLeaf, PlacedList, PlacedMap, PlacedStruct } from './schema-tree.js';

/** What becomes of fields that a struct has no column for. */
export type UnknownFields = 'drop' | 'nack';

/** Takes values apart into the leaves below a column. */
export interface Shredder {
  /** Throws `Misfit`; then part of the value may have been added. */
  write(value: unknown, repetition: number): void;
  /** There is no value here, and `definition` of its path is there. */
  absent(definition: number, repetition: number): void;
}

/** Shredders for a column, which put what they find into new leaves, added to `leaves`. */
export function shredderOf(placed: Placed, size: Size, unknownFields: UnknownFields, leaves: Leaf[]): Shredder {
  const below = (child: Placed) => shredderOf(child, size, unknownFields, leaves);
  switch (placed.kind) {
    case 'leaf': {
      const leaf = leafOf(placed.shape, placed.place, size);
      leaves.push(leaf);
      return new LeafShredder(placed, leaf);
    }
    case 'list':
      return new ListShredder(placed, below(placed.element));
    case 'map':
      return new MapShredder(placed, below(placed.key), below(placed.value));
    case 'struct':
      return new StructShredder(placed, placed.fields.map(below), unknownFields);
  }
}

class LeafShredder implements Shredder {
  readonly #leaf: Leaf;
  readonly #isNullable: boolean;
  readonly #isJson: boolean;
  readonly #definition: number;

  constructor({ isNullable, definition, shape }: PlacedLeaf, leaf: Leaf) {
    this.#leaf = leaf;
    this.#isNullable = isNullable;
    this.#isJson = shape.kind === 'json';
    this.#definition = definition;
  }

  write(value: unknown, repetition: number): void {
    if (value !== null && value !== undefined) this.#leaf.add(value, repetition);
    else if (this.#isNullable) this.#leaf.absent(this.#definition - 1, repetition);
    // JSON has a null of its own.
    else if (value === null && this.#isJson) this.#leaf.add(value, repetition);
    else throw new Misfit(value, 'a value, since the column is not nullable');
  }

  absent(definition: number, repetition: number): void {
    this.#leaf.absent(definition, repetition);
  }
}

abstract class GroupShredder implements Shredder {
  readonly #isNullable: boolean;
  protected readonly definition: number;
  protected readonly repetition: number;

  constructor({ isNullable, definition, repetition }: PlacedList | PlacedMap | PlacedStruct) {
    this.#isNullable = isNullable;
    this.definition = definition;
    this.repetition = repetition;
  }

  write(value: unknown, repetition: number): void {
    if (value !== null && value !== undefined) this.there(value, repetition);
    else if (this.#isNullable) this.absent(this.definition - 1, repetition);
    else throw new Misfit(value, 'a value, since the column is not nullable');
  }

  abstract absent(definition: number, repetition: number): void;

  protected abstract there(value: unknown, repetition: number): void;
}

class ListShredder extends GroupShredder {
  readonly #element: Shredder;

  constructor(placed: PlacedList, element: Shredder) {
    super(placed);
    this.#element = element;
  }

  absent(definition: number, repetition: number): void {
    this.#element.absent(definition, repetition);
  }

  protected there(value: unknown, repetition: number): void {
    if (!Array.isArray(value)) throw new Misfit(value, 'an array');
    if (value.length === 0) this.#element.absent(this.definition, repetition);
    let at = 0;
    try {
      for (; at < value.length; at += 1) this.#element.write(value[at], at === 0 ? repetition : this.repetition + 1);
    } catch (error) {
      throw within(error, `[${at}]`);
    }
  }
}

class MapShredder extends GroupShredder {
  readonly #hasTextKeys: boolean;
  readonly #key: Shredder;
  readonly #value: Shredder;

  constructor(placed: PlacedMap, key: Shredder, value: Shredder) {
    super(placed);
    this.#hasTextKeys = placed.hasTextKeys;
    this.#key = key;
    this.#value = value;
  }

  absent(definition: number, repetition: number): void {
    this.#key.absent(definition, repetition);
    this.#value.absent(definition, repetition);
  }

  protected there(value: unknown, repetition: number): void {
    const entries = this.#entriesOf(value);
    if (entries.length === 0) this.absent(this.definition, repetition);
    let next = repetition;
    for (const [key, its] of entries) {
      try {
        this.#key.write(key, next);
        this.#value.write(its, next);
      } catch (error) {
        throw within(error, `[${describeValue(key)}]`);
      }
      next = this.repetition + 1;
    }
  }

  #entriesOf(value: unknown): readonly (readonly [unknown, unknown])[] {
    if (value instanceof Map) return [...value];
    if (this.#hasTextKeys && isRecord(value)) return Object.entries(value);
    throw new Misfit(value, this.#hasTextKeys ? 'a Map or an object' : 'a Map');
  }
}

class StructShredder extends GroupShredder {
  readonly #names: readonly string[];
  readonly #fields: readonly Shredder[];
  readonly #known: ReadonlySet<string> | undefined;

  constructor(placed: PlacedStruct, fields: readonly Shredder[], unknownFields: UnknownFields) {
    super(placed);
    this.#names = placed.names;
    this.#fields = fields;
    this.#known = unknownFields === 'nack' ? new Set(placed.names) : undefined;
  }

  absent(definition: number, repetition: number): void {
    for (const field of this.#fields) field.absent(definition, repetition);
  }

  protected there(value: unknown, repetition: number): void {
    if (!isRecord(value)) throw new Misfit(value, 'an object');
    if (this.#known !== undefined) expectKnownFields(value, this.#known);
    let at = 0;
    try {
      for (; at < this.#fields.length; at += 1) {
        (this.#fields[at] as Shredder).write(value[this.#names[at] as string], repetition);
      }
    } catch (error) {
      throw within(error, `.${this.#names[at]}`);
    }
  }
}

/** Bytes, dates and arrays are objects, too, and would be rows of nulls. */
function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return value.constructor === Object || Object.prototype.toString.call(value) === '[object Object]';
}

function expectKnownFields(value: Record<string, unknown>, known: ReadonlySet<string>): void {
  for (const name of Object.keys(value)) {
    if (known.has(name)) continue;
    throw within(new Misfit(value[name], 'nothing, since the schema has no such column'), `.${name}`);
  }
}

function within(error: unknown, step: string): unknown {
  if (error instanceof Misfit) error.path = step + error.path;
  return error;
}

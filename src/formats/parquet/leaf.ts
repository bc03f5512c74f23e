import type { SchemaElement } from 'hyparquet';
import { describeValue } from '../../core/errors.js';

/** Why a value does not fit its column. What holds the column adds where. */
export class Misfit extends Error {
  /** The way from the row to the value, such as `.lines[2].sku`. */
  path = '';

  constructor(value: unknown, rule: string) {
    super(`expected ${rule}, got ${describeValue(value)} (${value === null ? 'null' : typeof value})`);
  }
}

/** Where a leaf is in the schema. */
export interface LeafPlace {
  readonly path: readonly string[];
  readonly element: SchemaElement;
  /** The most definition and repetition levels. */
  readonly definition: number;
  readonly repetition: number;
}

/** What a row group holds, counted together by all its leaves. */
export interface Size {
  bytes: number;
  /** For how many values there is room at first: as many as the row group before had rows. */
  readonly room: number;
}

/** The values of a leaf, as they are written. */
export interface LeafPages {
  /** The bytes of the values, or of the words of their dictionary. */
  readonly bytes: Uint8Array;
  /** How many words, and which of them each value is; absent where there is no dictionary. */
  readonly dictionary?: { readonly words: number; readonly indexes: Uint32Array };
  /** What the values are between; absent where that is not known, or there is none. */
  readonly bounds?: { readonly min: Bound; readonly max: Bound };
}

export type Bound = number | bigint | boolean | Uint8Array;

/**
 * One column of primitive values in a row group, as Dremel has it: the values that are not null, and for each entry how much of its
 * path is defined, and which list it repeats.
 *
 * Source: Melnik et al., "Dremel: Interactive Analysis of Web-Scale Datasets", 2010.
 */
export abstract class Leaf {
  readonly place: LeafPlace;
  protected readonly size: Size;
  /** Values that are not null. */
  protected count = 0;
  #entries = 0;
  #rows = 0;
  #definitions: Uint8Array | undefined;
  #repetitions: Uint8Array | undefined;

  constructor(place: LeafPlace, size: Size) {
    this.place = place;
    this.size = size;
    if (place.definition > 0) this.#definitions = new Uint8Array(size.room);
    if (place.repetition > 0) this.#repetitions = new Uint8Array(size.room);
  }

  /** Adds a value. Throws `Misfit`, and then nothing was added. */
  add(value: unknown, repetition: number): void {
    this.append(value);
    this.count += 1;
    this.#level(this.place.definition, repetition);
  }

  /** Adds that there is none, `definition` of its path being there. */
  absent(definition: number, repetition: number): void {
    this.#level(definition, repetition);
  }

  /** Takes back all after so many rows. */
  truncate(rows: number): void {
    while (this.#rows > rows) {
      this.#entries -= 1;
      const definitions = this.#definitions;
      if (definitions === undefined || definitions[this.#entries] === this.place.definition) this.count -= 1;
      if ((this.#repetitions?.[this.#entries] ?? 0) === 0) this.#rows -= 1;
    }
    this.dropped();
  }

  get entries(): number {
    return this.#entries;
  }

  get rows(): number {
    return this.#rows;
  }

  get nulls(): number {
    return this.#entries - this.count;
  }

  get definitions(): Uint8Array | undefined {
    return this.#definitions?.subarray(0, this.#entries);
  }

  get repetitions(): Uint8Array | undefined {
    return this.#repetitions?.subarray(0, this.#entries);
  }

  abstract pages(): LeafPages;

  /** Appends a value as number `count`. Throws `Misfit`, and then nothing was appended. */
  protected abstract append(value: unknown): void;

  /** `count` is less than it was. */
  protected dropped(): void {}

  #level(definition: number, repetition: number): void {
    const at = this.#entries;
    if (this.#definitions !== undefined) {
      if (at === this.#definitions.length) this.#definitions = grown(this.#definitions, at + 1);
      this.#definitions[at] = definition;
      this.size.bytes += 1;
    }
    if (this.#repetitions !== undefined) {
      if (at === this.#repetitions.length) this.#repetitions = grown(this.#repetitions, at + 1);
      this.#repetitions[at] = repetition;
    }
    this.#entries = at + 1;
    if (repetition === 0) this.#rows += 1;
  }
}

interface Growing {
  readonly length: number;
  set(from: this): void;
}

/** The same with room for `least`, and mostly more: half as much again. */
export function grown<A extends Growing>(array: A, least: number): A {
  const larger = new (array.constructor as new (length: number) => A)(
    Math.max(least, array.length + (array.length >> 1)),
  );
  larger.set(array);
  return larger;
}

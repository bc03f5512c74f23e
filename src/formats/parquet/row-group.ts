import { SinkError } from '../../core/errors.js';
import { type Leaf, Misfit, type Size } from './leaf.js';
import type { PlacedStruct } from './schema-tree.js';
import { type Shredder, shredderOf, type UnknownFields } from './shredder.js';

const FEW = 64;

/**
 * The rows that are next written together, column by column.
 *
 * Bounds: half as much again as `bytes`, since what holds them grows by halves.
 */
export class RowGroup {
  readonly leaves: readonly Leaf[];
  readonly #size: Size;
  readonly #shredder: Shredder;
  #rows = 0;

  constructor(root: PlacedStruct, unknownFields: UnknownFields, rowsBefore = 0) {
    this.#size = { bytes: 0, room: Math.max(FEW, rowsBefore) };
    const leaves: Leaf[] = [];
    this.#shredder = shredderOf(root, this.#size, unknownFields, leaves);
    this.leaves = leaves;
  }

  get rows(): number {
    return this.#rows;
  }

  /** About as many as are written, before they are compressed. */
  get bytes(): number {
    return this.#size.bytes;
  }

  /** Adds a row. Throws `RXF_SINK_FORMAT` where it does not fit the schema, and then nothing was added. */
  add(value: unknown): void {
    try {
      this.#shredder.write(value, 0);
    } catch (error) {
      // The bytes stay counted: what grew for the row is still held.
      for (const leaf of this.leaves) leaf.truncate(this.#rows);
      throw error instanceof Misfit ? formatError(error) : error;
    }
    this.#rows += 1;
  }
}

function formatError(misfit: Misfit): SinkError {
  const path = misfit.path.replace(/^\./, '');
  const where = path === '' ? 'the row' : `\`${path}\``;
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write a value as Parquet: at ${where} ${misfit.message}. Map it to what the schema takes, or change the schema.`,
    { details: { path } },
  );
}

import type { SchemaElement } from 'hyparquet';
import type { ParquetColumn, ParquetSchema } from './column.js';
import type { LeafPlace } from './leaf.js';
import { type LeafShape, physicalOf } from './leaf-of.js';

/** A column with where it is in the file, and what is in it. */
export type Placed = PlacedLeaf | PlacedList | PlacedMap | PlacedStruct;

interface PlacedBase {
  readonly isNullable: boolean;
  /** The definition level where it is not null, and the repetition level. */
  readonly definition: number;
  readonly repetition: number;
}

export interface PlacedLeaf extends PlacedBase {
  readonly kind: 'leaf';
  readonly shape: LeafShape;
  readonly place: LeafPlace;
}

export interface PlacedList extends PlacedBase {
  readonly kind: 'list';
  readonly element: Placed;
}

export interface PlacedMap extends PlacedBase {
  readonly kind: 'map';
  readonly hasTextKeys: boolean;
  readonly key: Placed;
  readonly value: Placed;
}

export interface PlacedStruct extends PlacedBase {
  readonly kind: 'struct';
  readonly names: readonly string[];
  readonly fields: readonly Placed[];
}

/** A schema as the footer has it, and as values are shredded by it. */
export interface SchemaTree {
  /** The root, and each column's elements in depth-first order. */
  readonly elements: SchemaElement[];
  readonly root: PlacedStruct;
}

interface At {
  readonly path: readonly string[];
  readonly definition: number;
  readonly repetition: number;
}

/** Source: Apache Parquet format 2.11, `LogicalTypes.md`: lists and maps are of three levels. */
export function schemaTree(schema: ParquetSchema): SchemaTree {
  const elements: SchemaElement[] = [{ name: 'schema', num_children: Object.keys(schema).length }];
  const fields = Object.entries(schema).map(([name, column]) =>
    place(elements, column, name, { path: [], definition: 0, repetition: 0 }),
  );
  const root = {
    kind: 'struct',
    isNullable: false,
    definition: 0,
    repetition: 0,
    names: Object.keys(schema),
    fields,
  } as const;
  return { elements, root };
}

function place(elements: SchemaElement[], column: ParquetColumn<unknown>, name: string, above: At): Placed {
  const { shape, isNullable, id } = column;
  const at = { ...above, path: [...above.path, name], definition: above.definition + (isNullable ? 1 : 0) };
  const { definition, repetition } = at;
  const base = { isNullable, definition, repetition };
  const element: SchemaElement = {
    name,
    repetition_type: isNullable ? 'OPTIONAL' : 'REQUIRED',
    ...(id !== undefined && { field_id: id }),
  };
  if (shape.kind === 'struct') {
    const names = Object.keys(shape.fields);
    elements.push({ ...element, num_children: names.length });
    const fields = Object.entries(shape.fields).map(([field, its]) => place(elements, its, field, at));
    return { ...base, kind: 'struct', names, fields };
  }
  if (shape.kind === 'list') {
    elements.push({ ...element, num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } });
    const within = repeated(elements, 'list', 1, at);
    return { ...base, kind: 'list', element: place(elements, shape.element, 'element', within) };
  }
  if (shape.kind === 'map') {
    elements.push({ ...element, num_children: 1, converted_type: 'MAP', logical_type: { type: 'MAP' } });
    const within = repeated(elements, 'key_value', 2, at);
    const hasTextKeys = shape.key.shape.kind === 'string' || shape.key.shape.kind === 'enum';
    const key = place(elements, shape.key, 'key', within);
    return { ...base, kind: 'map', hasTextKeys, key, value: place(elements, shape.value, 'value', within) };
  }
  const whole = { ...element, ...physicalOf(shape) };
  elements.push(whole);
  return { ...base, kind: 'leaf', shape, place: { path: at.path, element: whole, definition, repetition } };
}

function repeated(elements: SchemaElement[], name: string, children: number, at: At): At {
  elements.push({ name, repetition_type: 'REPEATED', num_children: children });
  return { path: [...at.path, name], definition: at.definition + 1, repetition: at.repetition + 1 };
}

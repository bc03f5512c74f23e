import type { ColumnTypes } from '../format.js';
import type { ParquetColumn, ParquetSchema, Shape } from './column.js';

/** The type of each column by its path, those within lists, maps and structs too; without what a reader merges: nullable or not, symbols. */
export function columnTypes(schema: ParquetSchema, above = ''): ColumnTypes {
  const types: Record<string, string> = {};
  for (const [name, column] of Object.entries(schema))
    addTypes(types, column, above === '' ? name : `${above}.${name}`);
  return types;
}

function addTypes(types: Record<string, string>, { shape }: ParquetColumn<unknown>, path: string): void {
  types[path] = typeOf(shape);
  if (shape.kind === 'struct') Object.assign(types, columnTypes(shape.fields, path));
  if (shape.kind === 'list') addTypes(types, shape.element, `${path}.element`);
  if (shape.kind === 'map') {
    addTypes(types, shape.key, `${path}.key`);
    addTypes(types, shape.value, `${path}.value`);
  }
}

function typeOf(shape: Shape): string {
  if (shape.kind === 'decimal') return `decimal(${shape.precision}, ${shape.scale})`;
  if (shape.kind === 'timestamp') return `timestamp(${shape.unit})`;
  return shape.kind;
}

import type { SchemaElement } from 'hyparquet';
import { BytesLeaf } from './bytes-leaf.js';
import type { Shape } from './column.js';
import {
  bytesOf,
  daysOf,
  int32Of,
  int64Of,
  jsonOf,
  microsecondsOf,
  millisecondsOf,
  symbolOf,
  textOf,
  unscaledOf,
  writeUnscaled,
  writeUuid,
} from './convert.js';
import { FixedLeaf } from './fixed-leaf.js';
import type { Leaf, LeafPlace, Size } from './leaf.js';
import { BooleanLeaf, FloatLeaf, Int32Leaf, Int64Leaf } from './number-leaf.js';

/** What a column holds that has no columns in it. */
export type LeafShape = Exclude<Shape, { kind: 'list' | 'map' | 'struct' }>;

/** Decimals of so many digits are 32 bits, of so many 64 bits, and of more 16 bytes. */
const INT32_DIGITS = 9;
const INT64_DIGITS = 18;

/** How a value of the shape is stored. The converted type is for readers that know no logical types. */
export function physicalOf(shape: LeafShape): Partial<SchemaElement> {
  switch (shape.kind) {
    case 'boolean':
      return { type: 'BOOLEAN' };
    case 'int32':
      return { type: 'INT32' };
    case 'int64':
      return { type: 'INT64' };
    case 'float':
      return { type: 'FLOAT' };
    case 'double':
      return { type: 'DOUBLE' };
    case 'bytes':
      return { type: 'BYTE_ARRAY' };
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'enum':
      return { type: 'BYTE_ARRAY', converted_type: 'ENUM', logical_type: { type: 'ENUM' } };
    case 'json':
      return { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } };
    case 'date':
      return { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } };
    case 'uuid':
      return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' } };
    case 'timestamp':
      return {
        type: 'INT64',
        converted_type: shape.unit === 'ms' ? 'TIMESTAMP_MILLIS' : 'TIMESTAMP_MICROS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: shape.unit === 'ms' ? 'MILLIS' : 'MICROS' },
      };
    case 'decimal': {
      const { precision, scale } = shape;
      return {
        ...storedDecimal(precision),
        converted_type: 'DECIMAL',
        precision,
        scale,
        logical_type: { type: 'DECIMAL', precision, scale },
      };
    }
  }
}

function storedDecimal(precision: number): Partial<SchemaElement> {
  if (precision <= INT32_DIGITS) return { type: 'INT32' };
  if (precision <= INT64_DIGITS) return { type: 'INT64' };
  return { type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16 };
}

/** An empty leaf for values of the shape. */
export function leafOf(shape: LeafShape, place: LeafPlace, size: Size): Leaf {
  switch (shape.kind) {
    case 'boolean':
      return new BooleanLeaf(place, size);
    case 'int32':
      return new Int32Leaf(place, size, int32Of);
    case 'date':
      return new Int32Leaf(place, size, daysOf);
    case 'int64':
      return new Int64Leaf(place, size, int64Of);
    case 'timestamp':
      return new Int64Leaf(place, size, shape.unit === 'ms' ? millisecondsOf : microsecondsOf);
    case 'float':
      return new FloatLeaf(place, size, 32);
    case 'double':
      return new FloatLeaf(place, size, 64);
    case 'string':
      return new BytesLeaf(place, size, textOf);
    case 'bytes':
      return new BytesLeaf(place, size, bytesOf);
    case 'enum':
      return new BytesLeaf(place, size, symbolOf(shape.symbols));
    case 'json':
      return new BytesLeaf(place, size, jsonOf);
    case 'uuid':
      return new FixedLeaf(place, size, writeUuid, false);
    case 'decimal': {
      const unscaled = unscaledOf(shape.precision, shape.scale);
      if (shape.precision <= INT32_DIGITS) return new Int32Leaf(place, size, unscaled as (value: unknown) => number);
      if (shape.precision <= INT64_DIGITS) return new Int64Leaf(place, size, unscaled);
      return new FixedLeaf(place, size, writeUnscaled(unscaled), true);
    }
  }
}

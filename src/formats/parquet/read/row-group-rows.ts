import type { SchemaTree } from 'hyparquet';
import { assembleNested } from 'hyparquet/src/assemble.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import type { Work } from '../slices.js';
import { columnValues } from './column-values.js';
import { parquetFault, tooLarge } from './fault.js';
import type { Footer, RowGroup } from './footer.js';
import { shapeOf } from './shape-of.js';

/** A row: its columns by name. */
export type ParquetValues = Readonly<Record<string, unknown>>;

/** Where a row group lies in the file, and how large it is. */
export interface RowGroupSpan {
  readonly from: number;
  readonly end: number;
  /** Of its pages, before they were compressed. */
  readonly bytes: number;
}

/** Before any of a row group is read. Throws where it would take more memory than it may. */
export function spanOf({ columns, number }: RowGroup, maxRowGroupBytes: number): RowGroupSpan {
  const from = Math.min(...columns.map((column) => column.from));
  const end = Math.max(...columns.map((column) => column.end));
  const sum = (of: (column: RowGroup['columns'][number]) => bigint) =>
    columns.reduce((total, column) => total + Number(of(column)), 0);
  const bytes = sum(({ facts }) => facts.total_uncompressed_size);
  const largest = Math.max(
    end - from,
    bytes,
    sum(({ facts }) => facts.num_values),
  );
  if (largest > maxRowGroupBytes) throw tooLarge(`Row group ${number} of the file`, largest, maxRowGroupBytes);
  return { from, end, bytes };
}

/** The columns of a row group, each with a value for every row, of the bytes of its span. */
export function* rowGroupColumns(
  { tree }: Footer,
  group: RowGroup,
  span: RowGroupSpan,
  bytes: Buffer,
  maxRowGroupBytes: number,
): Work<ReadonlyMap<string, readonly unknown[]>> {
  const room = { most: maxRowGroupBytes, left: maxRowGroupBytes };
  const columns = new Map<string, readonly unknown[]>();
  for (const child of tree.children) {
    const where = (path: readonly string[]) => `row group ${group.number}, column ${path.join('.')}`;
    const parts = new Map<string, unknown[]>();
    for (const column of group.columns.filter(({ path }) => path[1] === child)) {
      const { path } = column.path.at(-1) as SchemaTree;
      try {
        const chunk = bytes.subarray(column.from - span.from, column.end - span.from);
        parts.set(path.join('.'), yield* columnValues(chunk, column, room));
      } catch (cause) {
        throw parquetFault(where(path), cause);
      }
    }
    try {
      yield 0;
      columns.set(child.element.name, assembled(child, parts, group.rows));
    } catch (cause) {
      throw parquetFault(where(child.path), cause);
    }
  }
  return columns;
}

function assembled(child: SchemaTree, parts: Map<string, unknown[]>, rows: number): readonly unknown[] {
  if (child.children.length > 0) assembleNested(parts, child, DEFAULT_PARSERS);
  const values = parts.get(child.path.join('.'));
  if (values?.length !== rows) throw new Error(`it has ${values?.length} values for ${rows} rows`);
  return values.map(shapeOf(child));
}

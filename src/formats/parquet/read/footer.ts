import { type ColumnMetaData, parquetMetadata, parquetSchema, type SchemaElement, type SchemaTree } from 'hyparquet';
import { decimalColumnFault } from './stored-value.js';

/** The length of the footer and `PAR1`. */
export const TAIL_BYTES = 8;

/** The shortest file: `PAR1` twice, a footer, and its length. */
const LEAST_BYTES = 12;

export interface ColumnChunk {
  /** From the root to the column. */
  readonly path: readonly SchemaTree[];
  readonly facts: ColumnMetaData;
  /** Where it begins and ends in the file. */
  readonly from: number;
  readonly end: number;
}

export interface RowGroup {
  readonly number: number;
  /** How many rows lie before its first one. */
  readonly firstRow: number;
  readonly rows: number;
  readonly columns: readonly ColumnChunk[];
}

export interface Footer {
  readonly tree: SchemaTree;
  readonly groups: readonly RowGroup[];
  readonly rows: number;
}

/** How many bytes the footer has, by the last 8 bytes of a file of so many. */
export function footerLength(tail: Uint8Array, fileBytes: number): number {
  const magic = Buffer.from(tail).toString('latin1', 4);
  if (magic === 'PARE') throw new Error('it is encrypted, which is not supported');
  if (magic !== 'PAR1' || fileBytes < LEAST_BYTES) throw new Error('it does not end in `PAR1`');
  const length = Buffer.from(tail).readUInt32LE(0);
  if (length === 0 || length > fileBytes - LEAST_BYTES) {
    throw new Error(`it has ${fileBytes} bytes, which a footer of ${length} bytes does not fit in`);
  }
  return length;
}

/** What a footer, with the 8 bytes behind it, says of a file of so many bytes. */
export function parseFooter(bytes: Uint8Array, fileBytes: number): Footer {
  const metadata = parquetMetadata(bytes, { geoparquet: false });
  for (const element of metadata.schema) plain(element);
  const tree = parquetSchema(metadata);
  if (tree.count !== metadata.schema.length) throw new Error('its schema is no tree');
  const leaves = new Map<string, readonly SchemaTree[]>();
  addLeaves(leaves, [tree]);
  if (leaves.size === 0) throw new Error('its schema has no columns');
  const footerStart = fileBytes - bytes.length;
  let rows = 0;
  const groups = metadata.row_groups.map((group, index): RowGroup => {
    const columns = group.columns.map(({ meta_data, file_path, crypto_metadata }): ColumnChunk => {
      if (meta_data === undefined || crypto_metadata !== undefined) throw new Error('a column of it is encrypted');
      if (file_path !== undefined) throw new Error('a column of it is in another file');
      const path = leaves.get(keyOf(meta_data.path_in_schema));
      if (path === undefined) throw new Error(`its schema has no column ${meta_data.path_in_schema.join('.')}`);
      const from = Number(meta_data.dictionary_page_offset || meta_data.data_page_offset);
      const end = from + Number(meta_data.total_compressed_size);
      if (meta_data.num_values < 0n || meta_data.total_uncompressed_size < 0n)
        throw new Error('a column of it has a size below 0');
      if (!(from >= 4 && end >= from && end <= footerStart)) throw new Error('a column of it is behind its end');
      return { path, facts: meta_data, from, end };
    });
    const isWhole = columns.length === leaves.size && new Set(columns.map(({ path }) => path)).size === leaves.size;
    if (!isWhole) throw new Error(`row group ${index + 1} has other columns than its schema`);
    const firstRow = rows;
    const own = Number(group.num_rows);
    if (!(own >= 0)) throw new Error(`row group ${index + 1} has ${own} rows`);
    rows += own;
    return { number: index + 1, firstRow, rows: own, columns };
  });
  if (rows !== Number(metadata.num_rows)) throw new Error(`${rows} rows are in row groups, not ${metadata.num_rows}`);
  return { tree, groups, rows };
}

const keyOf = (path: readonly string[]) => JSON.stringify(path);

function addLeaves(leaves: Map<string, readonly SchemaTree[]>, path: readonly SchemaTree[]): void {
  const last = path.at(-1) as SchemaTree;
  if (path.length > 1 && last.element.name === '__proto__') throw new Error('a column of it is named `__proto__`');
  if (last.element.logical_type?.type === 'VARIANT') throw new Error('it has a column of type VARIANT');
  for (const child of last.children) addLeaves(leaves, [...path, child]);
  if (last.children.length > 0) return;
  if (path.length > 1 && last.element.type === undefined) throw new Error(`column ${last.path.join('.')} has no type`);
  const fault = decimalColumnFault(last.element);
  if (fault !== undefined) throw new Error(`column ${last.path.join('.')} is of ${fault}`);
  if (path.length > 1) leaves.set(keyOf(last.path), path);
}

/** hyparquet makes an object of a map whatever its keys are, and looks for lists at the older attribute only. */
function plain(element: SchemaElement): void {
  if (element.logical_type?.type === 'LIST') element.converted_type = 'LIST';
  if (element.converted_type !== 'MAP' && element.converted_type !== 'MAP_KEY_VALUE') return;
  element.logical_type = { type: 'MAP' };
  delete element.converted_type;
}

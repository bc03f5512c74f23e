import type { DecodedArray, PageHeader, SchemaElement, SchemaTree } from 'hyparquet';
import { assembleLists } from 'hyparquet/src/assemble.js';
import { deltaBinaryUnpack, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import type { Work } from '../slices.js';
import type { ColumnChunk } from './footer.js';
import { pagesOf, type Room } from './pages.js';
import { readRuns } from './runs.js';
import { storedValueReader } from './stored-value.js';

/** What a page says of itself, in the one form of both versions. */
interface DataPage {
  readonly count: number;
  readonly encoding: string;
  readonly repetitions: readonly number[];
  readonly definitions: readonly number[];
  readonly values: Uint8Array;
}

/** The values of a column of a row group, one for each row; within lists and structs, in hyparquet's arrays of arrays. */
export function* columnValues(chunk: Buffer, { path, facts }: ColumnChunk, room: Room): Work<unknown[]> {
  const schemaPath = path as SchemaTree[];
  const { element } = schemaPath.at(-1) as SchemaTree;
  const [maxRepetition, maxDefinition] = [getMaxRepetitionLevel(schemaPath), getMaxDefinitionLevel(schemaPath)];
  const valueFrom = storedValueReader(element);
  const out: unknown[] = [];
  let dictionary: DecodedArray | undefined;
  let left = Number(facts.num_values);
  for (const { header, bytes } of pagesOf(chunk, facts.codec, room)) {
    yield bytes.length;
    if (header.type === 'INDEX_PAGE') continue;
    if (header.type === 'DICTIONARY_PAGE') {
      dictionary = readDictionary(header, bytes, element);
      continue;
    }
    const page = dataPageOf(header, bytes, left, maxRepetition, maxDefinition);
    left -= page.count;
    const present = page.definitions.filter((level) => level === maxDefinition).length;
    const count = maxDefinition === 0 ? page.count : present;
    if (page.count === 0) continue;
    append(out, page, readValues(page, count, element, dictionary).map(valueFrom), schemaPath, maxDefinition);
    // Some writers leave bytes behind the last page.
    if (left === 0) break;
  }
  if (left !== 0) throw new Error(`its pages have ${left} values less than the footer says`);
  return out;
}

function append(out: unknown[], page: DataPage, values: unknown[], path: SchemaTree[], maxDefinition: number): void {
  if (maxDefinition === 0) for (const value of values) out.push(value);
  else if (path.length === 2 && page.repetitions.length === 0) {
    let at = 0;
    for (const level of page.definitions) out.push(level === maxDefinition ? values[at++] : null);
  } else {
    // Goes on with the list that the page before began.
    assembleLists(out, page.definitions as number[], page.repetitions as number[], values, path);
  }
}

function readDictionary(header: PageHeader, bytes: Uint8Array, element: SchemaElement): DecodedArray {
  const count = header.dictionary_page_header?.num_values ?? -1;
  if (count < 0 || count > bytes.length) throw new Error(`its dictionary of ${bytes.length} bytes has ${count} values`);
  return plainValues(bytes, count, element);
}

function dataPageOf(
  header: PageHeader,
  bytes: Uint8Array,
  left: number,
  maxRepetition: number,
  maxDefinition: number,
): DataPage {
  const { data_page_header: v1, data_page_header_v2: v2 } = header;
  const count = v1?.num_values ?? v2?.num_values ?? -1;
  if (count < 0) throw new Error('a page of it has no header');
  // Before memory is taken for so many.
  if (count > left) throw new Error('its pages have more values than the footer says');
  let at = 0;
  const levels = (max: number, ofV2: number | undefined, encoding: string | undefined): number[] => {
    if (max === 0) {
      at += ofV2 ?? 0;
      return [];
    }
    if (ofV2 === undefined && encoding !== 'RLE') throw new Error(`its levels have the encoding ${encoding}`);
    const length = ofV2 ?? new DataView(bytes.buffer, at).getUint32(0, true);
    const from = ofV2 === undefined ? at + 4 : at;
    at = from + length;
    const read = readRuns(bytes, from, at, 32 - Math.clz32(max), count);
    if (read.some((level) => level > max)) throw new Error('a level of it is deeper than its schema');
    return read;
  };
  const repetitions = levels(maxRepetition, v2?.repetition_levels_byte_length, v1?.repetition_level_encoding);
  const definitions = levels(maxDefinition, v2?.definition_levels_byte_length, v1?.definition_level_encoding);
  return { count, encoding: (v1 ?? v2)?.encoding ?? '', repetitions, definitions, values: bytes.slice(at) };
}

function readValues(page: DataPage, count: number, element: SchemaElement, dictionary?: DecodedArray): unknown[] {
  const { values: bytes, encoding } = page;
  if (count === 0) return [];
  const reader = { view: new DataView(bytes.buffer), offset: 0 };
  const { type } = element;
  switch (encoding) {
    case 'PLAIN':
      return Array.from(plainValues(bytes, count, element) as ArrayLike<unknown>);
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY': {
      if (dictionary === undefined) throw new Error('it has no dictionary before its values');
      const known = dictionary;
      return readRuns(bytes, 1, bytes.length, bytes[0] as number, count).map((index) => {
        // A damaged index must not become a null.
        if (!(index >= 0 && index < known.length)) throw new Error(`its dictionary has no value ${index}`);
        return known[index];
      });
    }
    case 'RLE':
      if (type !== 'BOOLEAN') break;
      return readRuns(bytes, 4, 4 + reader.view.getUint32(0, true), 1, count).map((bit) => bit === 1);
    case 'DELTA_BINARY_PACKED': {
      const whole = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, whole);
      return Array.from(whole as ArrayLike<unknown>);
    }
    case 'DELTA_LENGTH_BYTE_ARRAY': {
      const texts = new Array<Uint8Array>(count);
      deltaLengthByteArray(reader, count, texts);
      return texts;
    }
    case 'DELTA_BYTE_ARRAY':
      return frontCoded(reader, count);
    case 'BYTE_STREAM_SPLIT':
      return Array.from(byteStreamSplit(reader, count, type as 'INT32', element.type_length) as ArrayLike<unknown>);
  }
  throw new Error(`its values of type ${type} have the encoding ${encoding}`);
}

function plainValues(bytes: Uint8Array, count: number, { type, type_length }: SchemaElement): DecodedArray {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
  return readPlain(reader, type as 'INT32', count, type_length);
}

/** Each value begins as the one before. hyparquet fills up a prefix that is longer than that one with zeros. */
function frontCoded(reader: { view: DataView; offset: number }, count: number): Uint8Array[] {
  const prefixes = new Int32Array(count);
  deltaBinaryUnpack(reader, count, prefixes);
  const suffixes = new Array<Uint8Array>(count);
  deltaLengthByteArray(reader, count, suffixes);
  let before: Uint8Array = new Uint8Array();
  return suffixes.map((suffix, at) => {
    const prefix = prefixes[at] as number;
    if (prefix < 0 || prefix > before.length) throw new Error('a value begins as more than the one before it');
    before = prefix === 0 ? suffix : Buffer.concat([before.subarray(0, prefix), suffix]);
    return before;
  });
}

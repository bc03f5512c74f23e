import { describeError, SinkError } from '../../../core/errors.js';
import type { ColumnTypes } from '../../../formats/format.js';
import { harmOf } from '../buckets/bucket.js';
import { isNameOf, nameOf, OWN_FOLDER, offsetText, streamSegment } from '../names.js';

/** A whole file, and where it is to become visible. An entry has its paths from the sink's root, all else full ones. */
export interface StoredFile {
  readonly temporary: string;
  readonly final: string;
  readonly bytes: number;
  readonly values: number;
  /** The first and the last offset in it. */
  readonly first: number;
  readonly last: number;
}

/** One commit: everything of the stream in [from, next) that belongs to this sink is in these files. */
export interface LedgerEntry {
  /** Who wrote it: no two entries have the same. */
  readonly writer: string;
  readonly stream: string;
  readonly from: number;
  readonly next: number;
  readonly files: readonly StoredFile[];
  /** A person moved the ledger past these offsets, which the source no longer had. */
  readonly skipped?: true;
  /** The columns of its files, of a format that has such. */
  readonly columns?: ColumnTypes;
}

/** The most bytes an entry is written with: some ten thousand files with long names. */
export const MAX_ENTRY_BYTES = 16 * 1024 * 1024;
/** The most that one is read with: earlier versions had no such bound, and 10,000 open files of at most 5 KiB each. */
export const MAX_READ_BYTES = 64 * 1024 * 1024;

const VERSION = 1;

export function entryBytes(entry: LedgerEntry): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ version: VERSION, ...entry })}\n`);
}

/**
 * Reads an entry that is at a place in the ledger. It decides what is renamed, and anyone who can write to the folder
 * can write to it: so it must be of that place, and no path in it may leave the root.
 *
 * Fails: `RXF_LEDGER_DAMAGED`.
 */
export function readEntry(bytes: Uint8Array, path: string, stream: string, from: number): LedgerEntry {
  try {
    return check(JSON.parse(new TextDecoder().decode(bytes)) as Unchecked, stream, from);
  } catch (cause) {
    throw new SinkError(
      'RXF_LEDGER_DAMAGED',
      `The ledger's entry ${path} cannot be used: ${describeError(cause)}. Nothing was changed. Find out what wrote to it and ` +
        'restore it; `rxflume ledger` shows the entries beside it.',
      { details: { path, stream, from }, cause },
    );
  }
}

/** The bytes of an entry, once it is known that it can be read back. Fails: `RXF_LEDGER_ENTRY`. */
export function checkedBytes(entry: LedgerEntry): Uint8Array {
  const bytes = entryBytes(entry);
  const { stream, from, next } = entry;
  let why = bytes.length > MAX_ENTRY_BYTES ? `it has ${bytes.length} bytes, and ${MAX_ENTRY_BYTES} are the most` : '';
  try {
    check(JSON.parse(new TextDecoder().decode(bytes)) as Unchecked, stream, from);
  } catch (cause) {
    why = describeError(cause);
  }
  if (why === '') return bytes;
  throw new SinkError(
    'RXF_LEDGER_ENTRY',
    `The entry of ${stream} from ${from} to ${next} could not be read back, so it is not written: ${why}. Nothing was committed.`,
    { details: { stream, from, next, bytes: bytes.length } },
  );
}

/** At least as many bytes as a file takes in an entry. */
export function mostFileBytes(stream: string, bucket: string): number {
  return 1_024 + Buffer.byteLength(streamSegment(stream)) + Buffer.byteLength(JSON.stringify(bucket));
}

type Unchecked = Readonly<Record<string, unknown>> | null;

function check(entry: Unchecked, stream: string, from: number): LedgerEntry {
  if (entry === null || typeof entry !== 'object') throw new Error('it is not an object');
  if (entry.version !== VERSION) throw new Error(`its version is ${String(entry.version)}, known is ${VERSION}`);
  if (entry.stream !== stream) throw new Error(`it is of stream ${String(entry.stream)}, not ${stream}`);
  if (entry.from !== from) throw new Error(`it begins at ${String(entry.from)}, not at ${from}`);
  const next = whole(entry.next, 'next');
  if (next < from) throw new Error(`it ends at ${next}, before it begins`);
  if (typeof entry.writer !== 'string' || !/^[\w-]{1,64}$/.test(entry.writer)) throw new Error('it names no writer');
  if (!Array.isArray(entry.files)) throw new Error('it lists no files');
  const files = entry.files.map((file: Unchecked) => checkFile(file, stream, from));
  return {
    ...{ writer: entry.writer, stream, from, next, files },
    ...(entry.skipped === true && { skipped: true }),
    ...(entry.columns !== undefined && { columns: columnsOf(entry.columns) }),
  };
}

function checkFile(file: Unchecked, stream: string, from: number): StoredFile {
  if (file === null || typeof file !== 'object') throw new Error('a file of it is not an object');
  const { temporary, final } = file;
  const folder = `${OWN_FOLDER}/tmp/${streamSegment(stream)}/${offsetText(from)}/`;
  const isTemporary = typeof temporary === 'string' && temporary.startsWith(folder);
  if (!isTemporary || !/^[\w-]+$/.test(temporary.slice(folder.length)))
    throw new Error(`${String(temporary)} is no temporary file of it`);
  if (typeof final !== 'string') throw new Error('a file of it has no final path');
  const harm = harmOf(final);
  if (harm !== null) throw new Error(`of ${JSON.stringify(final)}: ${harm}`);
  if (!isNameOf(stream, nameOf(final))) throw new Error(`${final} is no file of ${stream}`);
  return {
    temporary,
    final,
    bytes: whole(file.bytes, 'bytes'),
    values: whole(file.values, 'values'),
    first: whole(file.first, 'first'),
    last: whole(file.last, 'last'),
  };
}

function columnsOf(columns: unknown): ColumnTypes {
  const isObject = typeof columns === 'object' && columns !== null && !Array.isArray(columns);
  if (!isObject || !Object.values(columns).every((type) => typeof type === 'string'))
    throw new Error('its `columns` are not the types of columns');
  return columns as ColumnTypes;
}

function whole(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`its \`${name}\` is ${String(value)}, not a whole number`);
}

import type { LedgerEntry } from '../../sinks/files/ledger/entry.js';
import type { EntryReading } from '../../sinks/files/ledger/reading.js';

/** A file of one bucket, with how many rows and bytes it has. */
export interface ComparedFile {
  /** From the root, with its name. */
  readonly path: string;
  readonly first: number;
  readonly rows: number;
  readonly bytes: number;
}

/** What a ledger says of the newest offsets of a stream: all files of [from, to). */
export interface CommittedRange {
  readonly stream: string;
  readonly from: number;
  readonly to: number;
  readonly files: readonly ComparedFile[];
}

/**
 * The newest entries of a stream, in one run, of at most `most` offsets; at least the newest. Null where there is none with files.
 * Throws an `Error` for an entry that cannot be used.
 */
export function committedRange(stream: string, readings: readonly EntryReading[], most: number): CommittedRange | null {
  const entries = [...readings]
    .sort((a, b) => b.from - a.from)
    .map((reading) => {
      if ('entry' in reading) return reading.entry;
      throw new Error(`the ledger of ${stream} is damaged at ${reading.from}: ${reading.damage}`);
    });
  const chosen: LedgerEntry[] = [];
  for (const entry of entries) {
    // What was skipped was read by nobody; an entry without files at 0 only says where the stream was begun.
    const isBeginning = entry.from === 0 && entry.files.length === 0;
    const after = chosen.at(-1);
    if (entry.skipped === true || isBeginning || (after !== undefined && entry.next !== after.from)) break;
    if (after !== undefined && (chosen[0] as LedgerEntry).next - entry.from > most) break;
    chosen.push(entry);
  }
  const [newest, oldest] = [chosen[0], chosen.at(-1)];
  if (newest === undefined || oldest === undefined) return null;
  const files = chosen.flatMap((entry) => entry.files);
  return {
    ...{ stream, from: oldest.from, to: newest.next },
    files: files.map(({ final, first, values, bytes }) => ({ path: final, first, rows: values, bytes })),
  };
}

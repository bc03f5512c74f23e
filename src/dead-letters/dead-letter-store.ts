import type { Observable } from 'rxjs';
import type { DeadLetter } from '../delivery/dead-letter.js';
import type { Sink } from '../delivery/receipt.js';
import type { FileSystem } from '../ports/file-system.js';

/** Where a line of JSON is: a file below a folder, or a partition of a topic, and its number in it. */
export interface StoredLine {
  /** A path from the root, or the number of a partition. */
  readonly file: string;
  /** Counted from 1; an offset in a partition. */
  readonly line: number;
  readonly text: string;
  /** When its file was changed last, in milliseconds since 1970; the time of a record. */
  readonly modifiedMs: number;
}

/** Dead letters that were written somewhere, and where it is kept which of them were replayed. */
export interface DeadLetterStore {
  /** For messages. No secret. */
  readonly name: string;
  /** All lines that there are now, file by file in the order of their names, or as a topic gives them. */
  lines(): Observable<StoredLine>;
  /** A folder of its own, in which each replay is written down. */
  readonly replays: { readonly fs: FileSystem; readonly folder: string };
  /** Where a letter goes that fails again in a replay, and that the flow does not set aside by itself. */
  again(): Sink<DeadLetter>;
}

/** How a line is called: `dt=2026-03-02/bad.jsonl#12`, `3#1841`. */
export function placeOf({ file, line }: Pick<StoredLine, 'file' | 'line'>): string {
  return `${file}#${line}`;
}

/** The line that is called so. */
export function linePlaced(place: string): { readonly file: string; readonly line: number } {
  const at = place.lastIndexOf('#');
  return { file: place.slice(0, at), line: Number(place.slice(at + 1)) };
}

/**
 * What became of a dead letter. `waiting`: nothing yet. `replaying`: in a replay that has not ended. `duplicate`: of the same record as
 * one that waits or was replayed, which counts for both.
 */
export type DeadLetterState = 'waiting' | 'replaying' | 'replayed' | 'dropped' | 'duplicate';

/** A dead letter where it is stored. */
export interface StoredDeadLetter {
  /** What it is called: `dt=2026-03-02/bad.jsonl#12`, line 12 of that file; `3#1841`, offset 1841 of partition 3. */
  readonly place: string;
  readonly file: string;
  readonly line: number;
  readonly state: DeadLetterState;
  readonly letter: DeadLetter;
}

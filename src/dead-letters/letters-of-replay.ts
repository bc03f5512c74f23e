import { concatMap, defer, EMPTY, map, type Observable, of, toArray } from 'rxjs';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { type DeadLetterStore, linePlaced, placeOf } from './dead-letter-store.js';
import { originalValue, originOf, readLetter } from './letter.js';
import type { LetterRecord } from './letter-source.js';
import { RangeIndex } from './ranges.js';
import type { Replay } from './replay-log.js';

/** A letter of a replay, and its offset in its stream. */
export interface PlacedLetter {
  readonly place: string;
  readonly offset: number;
  readonly letter: DeadLetter;
}

/** What is stored of one part of a replay. */
export interface StoredPart {
  /** Its letters in order of their offsets in its stream: as they were written down, whatever is gone since. */
  readonly letters: readonly PlacedLetter[];
  /** The offsets of those that have failed again in it: the letters that they have become are stored, and stand for them. */
  readonly setAside: ReadonlySet<number>;
}

/** Looks what is stored of a part now. */
export function storedPart(store: DeadLetterStore, { parts, edits }: Replay, at: number): Observable<StoredPart> {
  return defer(() => {
    const index = new RangeIndex<number>();
    for (const [part, { letters }] of parts.entries()) index.add(letters, part);
    const offsetOf = (file: string, line: number) => {
      const found = index.find(file, line);
      return found?.of === at ? found.index : undefined;
    };
    const setAside = new Set<number>();
    return store.lines().pipe(
      concatMap((line) => {
        const again = replayedPlace(line.text);
        const failed = again === undefined ? undefined : offsetOf(again.file, again.line);
        if (failed !== undefined) setAside.add(failed);
        const offset = offsetOf(line.file, line.line);
        if (offset === undefined) return EMPTY;
        const place = placeOf(line);
        return of({ place, offset, letter: edits[place] ?? readLetter(line.text) });
      }),
      toArray(),
      map((letters) => ({ letters: letters.sort((a, b) => a.offset - b.offset), setAside })),
    );
  });
}

/** The letter that a line was a replay of; undefined for most, which are of none. */
function replayedPlace(text: string): { readonly file: string; readonly line: number } | undefined {
  if (!text.includes('"replayOf":"')) return undefined;
  try {
    const { replayOf } = readLetter(text);
    return replayOf === null ? undefined : linePlaced(replayOf);
  } catch {
    return undefined;
  }
}

export function recordOf({ place, offset, letter }: PlacedLetter, stream: string): LetterRecord {
  return { origin: originOf(letter, { stream, offset, letter: place }), value: originalValue(letter) };
}

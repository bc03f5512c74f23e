import { concat, concatMap, defer, EMPTY, filter, ignoreElements, type Observable, of, tap } from 'rxjs';
import { describeError } from '../core/errors.js';
import { expectKnown } from '../core/options.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import {
  type DeadLetterState,
  type DeadLetterStore,
  placeOf,
  type StoredDeadLetter,
  type StoredLine,
} from './dead-letter-store.js';
import { type DeadLetterFilter, matching } from './filter.js';
import { identityOf, readLetter } from './letter.js';
import { type ReplayLog, readReplayLog } from './replay-log.js';

export interface ReadDeadLettersOptions {
  readonly filter?: DeadLetterFilter;
  /** Called for a line that is no dead letter, which is left out: with its place, and what is wrong with it. */
  readonly unreadable?: (place: string, problem: string) => void;
}

/**
 * The dead letters of a folder or a topic, and what became of each.
 *
 * ```ts
 * import { deadLetterFolder, readDeadLetters } from 'rxflume/dead-letters';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export const denied$ = readDeadLetters(deadLetterFolder(localDisk(), { root: '/srv/lake/chat-bad' }), {
 *   filter: { code: 'RXF_DECODE_SYNTAX', since: Date.UTC(2026, 2, 1) },
 * });
 * ```
 *
 * Bounds: one file; 22 characters for each letter that fits. What was replayed or dropped before is read first.
 * Fails: as the storage does; `RXF_DEAD_LETTERS_DAMAGED`.
 */
export function readDeadLetters(
  store: DeadLetterStore,
  options: ReadDeadLettersOptions = {},
): Observable<StoredDeadLetter> {
  expectKnown('readDeadLetters options', options, ['filter', 'unreadable']);
  const fits = matching(options.filter);
  const unreadable = options.unreadable ?? (() => undefined);
  return readReplayLog(store).pipe(concatMap((log) => lettersBy(store, log, fits, unreadable)));
}

/** The same by a log that was read. */
export function lettersBy(
  store: DeadLetterStore,
  log: ReplayLog,
  fits: (letter: StoredDeadLetter) => boolean,
  unreadable: (place: string, problem: string) => void = () => undefined,
): Observable<StoredDeadLetter> {
  return defer(() => {
    const known = new Set<string>();
    // A letter may be of the same record as one further on that was replayed.
    const logged$ =
      log.replays.length === 0
        ? EMPTY
        : store.lines().pipe(
            filter(({ file, line }) => log.of(file, line) !== undefined),
            tap((line) => {
              const letter = letterOf(line, () => undefined);
              if (letter !== undefined) known.add(identityOf(letter));
            }),
            ignoreElements(),
          );
    const letters$ = store.lines().pipe(
      concatMap((line) => {
        const letter = letterOf(line, unreadable);
        if (letter === undefined) return EMPTY;
        const stored = { place: placeOf(line), file: line.file, line: line.line, letter };
        const logged = log.of(line.file, line.line);
        const state = logged === undefined ? 'waiting' : stateOf(logged.replay.kind, logged.isDone);
        if (!fits({ ...stored, state })) return EMPTY;
        if (state !== 'waiting') return of({ ...stored, state });
        const identity = identityOf(letter);
        if (known.has(identity)) return of({ ...stored, state: 'duplicate' as const });
        known.add(identity);
        return of({ ...stored, state });
      }),
    );
    return concat(logged$, letters$);
  });
}

function stateOf(kind: 'replay' | 'drop', isDone: boolean): DeadLetterState {
  if (kind === 'drop') return 'dropped';
  return isDone ? 'replayed' : 'replaying';
}

function letterOf(line: StoredLine, unreadable: (place: string, problem: string) => void): DeadLetter | undefined {
  try {
    return readLetter(line.text);
  } catch (error) {
    unreadable(placeOf(line), describeError(error));
    return undefined;
  }
}

import { concat, concatMap, defer, EMPTY, filter, map, type Observable, of, toArray } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { expectKnown, expectOption } from '../core/options.js';
import { randomName } from '../core/random-name.js';
import type { DeadLetterStore } from './dead-letter-store.js';
import { type DeadLetterFilter, matching } from './filter.js';
import { ownOwner } from './owner.js';
import { rangesOf } from './ranges.js';
import { lettersBy } from './read.js';
import { logReplay, type Replay, readReplayLog } from './replay-log.js';

export interface DropDeadLettersOptions {
  /** Which; required, so that `{}` has to be said for all. */
  readonly filter: DeadLetterFilter;
}

/**
 * Marks dead letters that wait as dropped, durably: they are replayed by nothing from then on. Their lines stay where they are.
 *
 * ```ts
 * import { deadLetterFolder, dropDeadLetters } from 'rxflume/dead-letters';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * const bad = deadLetterFolder(localDisk(), { root: '/srv/lake/chat-bad' });
 * export const dropped$ = dropDeadLetters(bad, { filter: { code: 'RXF_DECODE_EMPTY' } });
 * ```
 *
 * Emits how many were.
 * Bounds: the place of each.
 * Fails: `RXF_DEAD_LETTERS_FENCED` where a replay or another drop begins at the same time; as the storage does.
 */
export function dropDeadLetters(store: DeadLetterStore, options: DropDeadLettersOptions): Observable<number> {
  expectKnown('dropDeadLetters options', options, ['filter']);
  const { filter: given } = options;
  expectOption('filter', given, given !== undefined, 'an object of options, `{}` for all');
  const fits = matching(given);
  return readReplayLog(store).pipe(
    concatMap((log) =>
      lettersBy(store, log, fits).pipe(
        filter(({ state }) => state === 'waiting'),
        map(({ file, line }) => ({ file, line })),
        toArray(),
        concatMap((lines) => {
          const replay: Replay = {
            ...{ version: 1, number: log.nextNumber, id: randomName(), kind: 'drop', flow: null },
            at: new Date(timeOfDayMs()).toISOString(),
            by: ownOwner(),
            parts: [{ step: null, operator: null, letters: rangesOf(lines) }],
            edits: {},
          };
          return concat(
            lines.length === 0 ? EMPTY : logReplay(store, replay),
            defer(() => of(lines.length)),
          );
        }),
      ),
    ),
  );
}

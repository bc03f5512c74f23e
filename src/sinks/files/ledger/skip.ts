import { concatMap, map, type Observable, throwError } from 'rxjs';
import { OptionError } from '../../../core/errors.js';
import type { Monitor } from '../../../core/monitor.js';
import { randomName } from '../../../core/random-name.js';
import type { Range } from './problem.js';
import { recover } from './recovery.js';
import type { LedgerStore } from './store.js';

/**
 * Moves a stream past offsets that its source no longer has: commits an entry without files, marked as skipped, from where
 * the ledger ends to `to`. It competes for its name like every commit, so a writer that commits from there is fenced, or
 * fences this. The files of the newest entry are published first, since a recovery finishes only those of the newest.
 *
 * Emits the offsets that are skipped.
 * Fails: `RXF_OPTION_INVALID` where the ledger is empty or does not end before `to`; `RXF_LEDGER_FENCED`; `RXF_LEDGER_DAMAGED`;
 * as the file system does.
 */
export function skipTo(store: LedgerStore, stream: string, to: number, monitor: Monitor): Observable<Range> {
  return recover(store, stream, monitor).pipe(
    concatMap((from) => store.newest(stream).pipe(map((newest) => ({ from, columns: newest?.columns })))),
    concatMap(({ from, columns }) => {
      if (from === undefined || from >= to) return throwError(() => aheadError(stream, from, to));
      const entry = { writer: `skip-${randomName()}`, stream, from, next: to, files: [], skipped: true } as const;
      const kept = { ...entry, ...(columns !== undefined && { columns }) };
      return store.commit(kept, () => undefined).pipe(map(() => ({ from, next: to })));
    }),
  );
}

function aheadError(stream: string, from: number | undefined, to: number): OptionError {
  const where = from === undefined ? 'has no entry' : `ends at ${from}`;
  return new OptionError(
    'RXF_OPTION_INVALID',
    `\`--skip-to\` must be an offset beyond the end of the ledger. The ledger of ${stream} ${where}, got ${to}. Nothing was changed.`,
    { details: { stream, from: from ?? null, to } },
  );
}

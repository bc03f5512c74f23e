import {
  catchError,
  concatMap,
  defer,
  finalize,
  lastValueFrom,
  map,
  type Observable,
  race,
  reduce,
  of as rxOf,
  Subject,
  take,
  takeUntil,
  tap,
  throwError,
  throwIfEmpty,
  timeout,
  timer,
  toArray,
} from 'rxjs';
import { describeError, isOwnError, OptionError } from '../core/errors.js';
import type { Monitor } from '../core/monitor.js';
import {
  type DeadLetterFilter,
  type DeadLetterState,
  type DeadLetterStore,
  dropDeadLetters,
  type PreviewedDeadLetter,
  previewDeadLetters,
  readDeadLetters,
  replayDeadLetters,
  type StoredDeadLetter,
} from '../dead-letters/index.js';
import type { Flow } from '../flow/flow.js';
import { shownValue } from '../flow/shown-value.js';
import { Denied } from './answers.js';
import type { CommandDone } from './contract.js';
import type {
  DeadLetterEdit,
  DeadLetterGroup,
  DeadLetterList,
  DeadLetterPreview,
  DeadLetterQuery,
  ShownDeadLetter,
} from './dead-letter-contract.js';

/** Requests that read or write dead letters at the same time: each may hold a file of them. */
const MAX_AT_ONCE = 4;
const MAX_READ = 100_000;
const MAX_GROUPS = 1_000;
const MAX_SHOWN = 50;
/** Of the values that are shown together, in characters. */
const MAX_TEXT = 1_048_576;
const MAX_TRIED = 1_000;
const ANSWER_WITHIN_MS = 60_000;
/** A replay that takes longer goes on without the page that asked for it. */
const WAIT_FOR_REPLAY_MS = 20_000;

/** What one request is about. */
export interface DeadLettersOfFlow {
  readonly flow: Flow<unknown>;
  readonly store: DeadLetterStore;
  /** Names of fields, in lower case, whose values are not shown. */
  readonly hidden: ReadonlySet<string>;
}

/**
 * Stored dead letters of flows, for the page: read, tried, replayed and dropped.
 *
 * Bounds: 4 requests at once; of each 100,000 letters are read, 1,000 tried, 50 shown, with 1 Mi characters of values together. An answer
 * comes within a minute; a replay that takes longer than 20 s goes on, and its end is logged.
 */
export class DeadLetterCommands {
  readonly #monitor: Monitor;
  readonly #end$ = new Subject<void>();
  #count = 0;

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  list(of: DeadLettersOfFlow, query: DeadLetterQuery, showsValues: boolean): Promise<DeadLetterList> {
    const found = new Found(of, showsValues);
    const letters$ = readDeadLetters(of.store, { filter: filterOf(of, query), unreadable: () => found.unreadable() });
    const found$ = letters$.pipe(
      take(MAX_READ + 1),
      reduce((list, one) => list.add(one), found),
      // Before the first value is set aside there is no folder.
      catchError((error: unknown) => {
        if (isOwnError(error) && error.details.missing !== undefined) return rxOf(found);
        throw error;
      }),
    );
    return this.#answer(found$).then((list) => list.read());
  }

  async preview(of: DeadLettersOfFlow, query: DeadLetterQuery, edits: Edits): Promise<DeadLetterPreview> {
    const previewed$ = editsOf(of, edits).pipe(
      concatMap((edited) =>
        previewDeadLetters(of.store, of.flow, {
          filter: filterOf(of, query),
          edits: edited,
          maxLetters: MAX_TRIED + 1,
        }),
      ),
      toArray(),
    );
    return previewOf(await this.#answer(previewed$));
  }

  async replay(of: DeadLettersOfFlow, query: DeadLetterQuery, edits: Edits): Promise<CommandDone> {
    const { flow, store } = of;
    const replayed$ = editsOf(of, edits).pipe(
      concatMap((edited) => replayDeadLetters(store, flow, { filter: filterOf(of, query), edits: edited })),
    );
    let isAlone = false;
    const ended = new Promise<CommandDone>((resolve, reject) => {
      const said = (message: string) => {
        if (isAlone) this.#monitor.logEvent('info', 'console.replayed', message, { flow: flow.name });
        resolve({ message });
      };
      this.#limited(replayed$).subscribe({
        next: ({ replayed, setAside, gone, left }) => {
          const stay = Object.entries(left).map(([reason, count]) => `${count} stay: ${reason}.`);
          said(
            [
              `Replayed ${replayed} dead letters through flow ${flow.name}.`,
              ...(setAside > 0 ? [`${setAside} of them failed again, and are dead letters again.`] : []),
              ...(gone > 0 ? [`${gone} of a replay that was interrupted are not stored any more.`] : []),
              ...stay,
            ].join(' '),
          );
        },
        error: (error: unknown) => {
          const message = `A replay of dead letters through flow ${flow.name} has failed: ${describeError(error)}. The next one continues it.`;
          if (isAlone) this.#monitor.logEvent('warn', 'console.replayFailed', message, { flow: flow.name });
          reject(error);
        },
      });
    });
    const message = `The replay through flow ${flow.name} takes longer than ${WAIT_FOR_REPLAY_MS / 1_000} s, and goes on. The log says how it ends.`;
    const late$ = timer(WAIT_FOR_REPLAY_MS).pipe(
      tap(() => {
        isAlone = true;
      }),
      map(() => ({ message })),
    );
    return lastValueFrom(race(ended, late$));
  }

  async drop(of: DeadLettersOfFlow, query: DeadLetterQuery): Promise<CommandDone> {
    const dropped = await this.#answer(dropDeadLetters(of.store, { filter: filterOf(of, query) }));
    return { message: `Dropped ${dropped} dead letters of ${of.store.name}. Their lines stay there.` };
  }

  /** Nothing is answered any more. A replay that goes on is interrupted; the next one finishes it. */
  end(): void {
    this.#end$.next();
  }

  #answer<T>(answer$: Observable<T>): Promise<T> {
    const late = () =>
      throwError(
        () =>
          new Denied(
            503,
            'RXF_CONSOLE_LIMIT',
            `The storage of the dead letters did not answer within ${ANSWER_WITHIN_MS / 1_000} s. Use \`rxflume dlq\`, or try again.`,
          ),
      );
    return lastValueFrom(this.#limited(answer$).pipe(timeout({ first: ANSWER_WITHIN_MS, with: late })));
  }

  #limited<T>(run$: Observable<T>): Observable<T> {
    return defer(() => {
      if (this.#count >= MAX_AT_ONCE) {
        const message = `${MAX_AT_ONCE} requests for dead letters are being answered, which is the limit. Try again in a moment.`;
        throw new Denied(409, 'RXF_CONSOLE_LIMIT', message);
      }
      this.#count += 1;
      const over = () => new Denied(503, 'RXF_CONSOLE_LIMIT', 'The console has ended.');
      return run$.pipe(
        takeUntil(this.#end$),
        throwIfEmpty(over),
        finalize(() => {
          this.#count -= 1;
        }),
      );
    });
  }
}

type Edits = Readonly<Record<string, DeadLetterEdit>>;

/** A store may hold those of other flows too, which are none of this flow's business. */
function filterOf({ flow }: DeadLettersOfFlow, query: DeadLetterQuery): DeadLetterFilter {
  return { ...query, flow: flow.name };
}

/** The letters that are to be replayed in another form: as they are stored, with what was edited of each. */
function editsOf(of: DeadLettersOfFlow, edits: Edits): Observable<Record<string, unknown>> {
  const places = Object.keys(edits);
  if (places.length === 0) return rxOf({});
  return readDeadLetters(of.store, { filter: filterOf(of, { places }) }).pipe(
    reduce<StoredDeadLetter, Record<string, unknown>>(
      (edited, stored) => {
        edited[stored.place] = editedOf(stored, edits[stored.place] as DeadLetterEdit, of.hidden);
        return edited;
      },
      Object.create(null) as Record<string, unknown>,
    ),
  );
}

function editedOf({ place, letter }: StoredDeadLetter, edit: DeadLetterEdit, hidden: ReadonlySet<string>): unknown {
  const { value, key } = edit;
  // What was hidden from who edited it must not become the value.
  if (value?.includes('[redacted') && shownValue(letter.value ?? '', hidden).isRedacted) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `The edited dead letter ${place} holds \`[redacted]\` in place of a value that the console does not show. Edit it with ` +
        '`rxflume dlq replay --edit`, or write a whole value.',
      { details: { place } },
    );
  }
  return {
    ...letter,
    ...(value !== undefined && { value, ...(letter.encoding === 'none' && { encoding: 'utf8', type: 'bytes' }) }),
    ...(key !== undefined && { key, ...(letter.keyEncoding === 'none' && { keyEncoding: 'utf8' }) }),
  };
}

/** What a list shows of letters that are read one by one. */
class Found {
  readonly #of: DeadLettersOfFlow;
  readonly #showsValues: boolean;
  readonly #counts = { waiting: 0, replaying: 0, replayed: 0, dropped: 0, duplicate: 0 };
  readonly #groups = new Map<string, { -readonly [K in keyof DeadLetterGroup]: DeadLetterGroup[K] }>();
  readonly #letters: ShownDeadLetter[] = [];
  #textLeft = MAX_TEXT;
  #read = 0;
  #unreadable = 0;

  constructor(of: DeadLettersOfFlow, showsValues: boolean) {
    this.#of = of;
    this.#showsValues = showsValues;
  }

  unreadable(): void {
    this.#unreadable += 1;
  }

  add(stored: StoredDeadLetter): this {
    this.#read += 1;
    if (this.#read > MAX_READ) return this;
    const { state, letter } = stored;
    this.#counts[state] += 1;
    this.#group(state, letter);
    const isShown = this.#showsValues && state === 'waiting' && this.#letters.length < MAX_SHOWN;
    if (isShown && this.#textLeft > 0) this.#letters.push(this.#shown(stored));
    return this;
  }

  read(): DeadLetterList {
    return {
      where: this.#of.store.name,
      counts: this.#counts,
      groups: [...this.#groups.values()].sort((a, b) => b.waiting - a.waiting),
      letters: this.#letters,
      unreadable: this.#unreadable,
      cut: this.#read > MAX_READ,
    };
  }

  #group(state: DeadLetterState, { code, operator, setAsideAt }: StoredDeadLetter['letter']): void {
    const name = JSON.stringify([code, operator]);
    const group = this.#groups.get(name) ?? {
      ...{ code, operator, waiting: 0, total: 0 },
      ...{ first: setAsideAt, last: setAsideAt },
    };
    group.total += 1;
    if (state === 'waiting') group.waiting += 1;
    if (setAsideAt < group.first) group.first = setAsideAt;
    if (setAsideAt > group.last) group.last = setAsideAt;
    if (this.#groups.size < MAX_GROUPS) this.#groups.set(name, group);
  }

  #shown({ place, state, letter }: StoredDeadLetter): ShownDeadLetter {
    const { code, message, stream, offset, operator, attempt, setAsideAt, key, value, encoding } = letter;
    const shown = value === null ? undefined : shownValue(value, this.#of.hidden);
    this.#textLeft -= shown?.text.length ?? 0;
    return {
      ...{ place, state, code, message, stream, offset, operator, attempt, setAsideAt, key },
      value: shown?.text ?? null,
      encoding,
      cut: shown?.isCut ?? false,
      redacted: shown?.isRedacted ?? false,
    };
  }
}

function previewOf(previewed: readonly PreviewedDeadLetter[]): DeadLetterPreview {
  const tried = previewed.slice(0, MAX_TRIED);
  const outcomes: Record<string, number> = {};
  for (const { outcome } of tried) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const isWell = ({ outcome }: PreviewedDeadLetter) => (outcome === 'stored' || outcome === 'dropped' ? 1 : 0);
  const shown = [...tried].sort((a, b) => isWell(a) - isWell(b)).slice(0, MAX_SHOWN);
  return {
    outcomes,
    letters: shown.map(({ letter: _, ...one }) => one),
    cut: previewed.length > MAX_TRIED,
  };
}

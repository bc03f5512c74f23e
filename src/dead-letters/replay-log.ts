import { concat, concatMap, defer, EMPTY, from, ignoreElements, map, type Observable, of, toArray } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { describeError, FencedError, SourceError } from '../core/errors.js';
import { randomName } from '../core/random-name.js';
import { MiB } from '../core/units.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import type { FileSystem } from '../ports/file-system.js';
import { one, readOrNull, writeWhole } from '../sinks/files/file-calls.js';
import { nameOf } from '../sinks/files/names.js';
import type { DeadLetterStore } from './dead-letter-store.js';
import { checkLetter } from './letter.js';
import { type Owner, ownOwner } from './owner.js';
import { RangeIndex, type Ranges } from './ranges.js';

/** Letters that go through the flow from one step on, as one stream. */
export interface ReplayPart {
  /** The step they enter at, from 0; null where they were dropped. */
  readonly step: number | null;
  /** Its name, such as `1 decode`. */
  readonly operator: string | null;
  readonly letters: Ranges;
}

/** A replay, or that letters were dropped, as it is written down before it begins. */
export interface Replay {
  readonly version: 1;
  /** Counted from 1. Two that begin at once want the same number, and one gets it. */
  readonly number: number;
  /** At random: no two replays have the same, in whatever store. */
  readonly id: string;
  readonly kind: 'replay' | 'drop';
  readonly flow: string | null;
  /** When it began, ISO 8601. */
  readonly at: string;
  readonly by: Owner;
  readonly parts: readonly ReplayPart[];
  /** Letters that were edited, by place: these are replayed instead. */
  readonly edits: Readonly<Record<string, DeadLetter>>;
}

/** A replay, and what became of it. */
export interface LoggedReplay {
  readonly replay: Replay;
  readonly isDone: boolean;
  /** Who runs it, or ran it last; how often it was taken over. */
  readonly owner: Owner;
  readonly takeovers: number;
}

const MAX_REPLAY_BYTES = 256 * MiB;
const DIGITS = 10;

/**
 * What was replayed and dropped of a store: a file for each, made whole by one rename to its number; another says that it is done, and
 * one for each time that it was taken over.
 *
 * Bounds: two numbers for each run of lines that was replayed together.
 */
export class ReplayLog {
  readonly replays: readonly LoggedReplay[];
  readonly #index = new RangeIndex<LoggedReplay>();

  constructor(replays: readonly LoggedReplay[]) {
    this.replays = replays;
    for (const logged of replays) for (const { letters } of logged.replay.parts) this.#index.add(letters, logged);
  }

  /** The replay that a line belongs to; undefined where there was none. */
  of(file: string, line: number): LoggedReplay | undefined {
    return this.#index.find(file, line)?.of;
  }

  get unfinished(): LoggedReplay[] {
    return this.replays.filter(({ isDone }) => !isDone);
  }

  get nextNumber(): number {
    return Math.max(0, ...this.replays.map(({ replay }) => replay.number)) + 1;
  }
}

/** Reads it. Fails: `RXF_DEAD_LETTERS_DAMAGED`; as the file system does. */
export function readReplayLog({ replays: { fs, folder } }: DeadLetterStore): Observable<ReplayLog> {
  return one(() => fs.list(folder)).pipe(
    concatMap((found) => {
      const names = new Set(found.map(({ path }) => nameOf(path)));
      const numbers = [...names].flatMap((name) =>
        /^\d{10}\.json$/.test(name) ? [Number(name.slice(0, DIGITS))] : [],
      );
      return from(numbers.sort((a, b) => a - b)).pipe(
        concatMap((number) => readLogged(fs, folder, number, names)),
        toArray(),
      );
    }),
    map((replays) => new ReplayLog(replays)),
  );
}

function readLogged(
  fs: FileSystem,
  folder: string,
  number: number,
  names: ReadonlySet<string>,
): Observable<LoggedReplay> {
  const isDone = names.has(doneName(number));
  let takeovers = 0;
  while (names.has(ownerName(number, takeovers + 1))) takeovers += 1;
  return readJson(fs, `${folder}/${replayName(number)}`, checkReplay(number)).pipe(
    concatMap((replay) => {
      const base = { replay, isDone: isDone || replay.kind === 'drop', takeovers };
      if (takeovers === 0) return of({ ...base, owner: replay.by });
      const path = `${folder}/${ownerName(number, takeovers)}`;
      return readJson(fs, path, (owner) => owner as Owner).pipe(map((owner) => ({ ...base, owner })));
    }),
  );
}

/**
 * Writes a replay down; from here on its letters are its own.
 *
 * Fails: `RXF_DEAD_LETTERS_FENCED` where another has the number; as the file system does.
 */
export function logReplay(store: DeadLetterStore, replay: Replay): Observable<never> {
  return writeOnce(store, replayName(replay.number), replay, () =>
    fenced(`Another replay or drop of the dead letters in ${store.name} began meanwhile.`, replay.number),
  );
}

/** Takes a replay over whose owner is gone. Fails: `RXF_DEAD_LETTERS_FENCED` where another has. */
export function takeOver(store: DeadLetterStore, { replay, takeovers }: LoggedReplay): Observable<never> {
  return writeOnce(store, ownerName(replay.number, takeovers + 1), ownOwner(), () =>
    fenced(
      `Another process has taken over replay ${replay.number} of the dead letters in ${store.name}.`,
      replay.number,
    ),
  );
}

/** Notes that all of a replay is durable. Another may have noted it before. */
export function logDone(store: DeadLetterStore, { number }: Replay, facts: object): Observable<never> {
  const done = { at: new Date(timeOfDayMs()).toISOString(), ...facts };
  return writeOnce(store, doneName(number), done, () => undefined);
}

function writeOnce(
  store: DeadLetterStore,
  name: string,
  value: object,
  taken: () => Error | undefined,
): Observable<never> {
  const { fs, folder } = store.replays;
  return defer(() => {
    const temporary = `${folder}/tmp/${randomName()}`;
    return concat(
      writeWhole(fs, temporary, Buffer.from(`${JSON.stringify(value)}\n`)),
      defer(() => one(() => fs.rename(temporary, `${folder}/${name}`))).pipe(
        concatMap((answer) => {
          if (answer === 'renamed') return EMPTY;
          const error = taken();
          if (error !== undefined) throw error;
          return one(() => fs.remove(temporary));
        }),
        ignoreElements(),
      ),
    );
  });
}

function readJson<T>(fs: FileSystem, path: string, check: (value: unknown) => T): Observable<T> {
  return readOrNull(fs, path, MAX_REPLAY_BYTES).pipe(
    map((bytes) => {
      try {
        return check(JSON.parse(Buffer.from(bytes as Uint8Array).toString()));
      } catch (cause) {
        throw new SourceError(
          'RXF_DEAD_LETTERS_DAMAGED',
          `${path} on ${fs.name} says which dead letters were replayed, and cannot be used: ${describeError(cause)}. Nothing was replayed. ` +
            'Restore the file.',
          { details: { path }, cause },
        );
      }
    }),
  );
}

function checkReplay(number: number): (value: unknown) => Replay {
  return (value) => {
    const read = value as Replay;
    if (read?.version !== 1) throw new Error(`its version is ${String(read?.version)}, known is 1`);
    if (read.number !== number || !/^\w+$/.test(read.id)) throw new Error(`it is not of replay ${number}`);
    const areRanges =
      Array.isArray(read.parts) && read.parts.every(({ letters }) => Object.values(letters).every(isRuns));
    if (!areRanges) throw new Error('it does not say which letters');
    for (const letter of Object.values(read.edits)) checkLetter(letter);
    return read;
  };
}

function isRuns(runs: unknown): boolean {
  const isRun = (run: unknown) => Array.isArray(run) && run.length === 2 && run.every(Number.isSafeInteger);
  return Array.isArray(runs) && runs.every(isRun);
}

export function fenced(what: string, replay: number): FencedError {
  return new FencedError(
    'RXF_DEAD_LETTERS_FENCED',
    `${what} Nothing was replayed by this one. Try again when that one has ended.`,
    {
      details: { replay },
    },
  );
}

function replayName(number: number): string {
  return `${String(number).padStart(DIGITS, '0')}.json`;
}

function doneName(number: number): string {
  return `${String(number).padStart(DIGITS, '0')}.done.json`;
}

function ownerName(number: number, takeover: number): string {
  return `${String(number).padStart(DIGITS, '0')}.owner-${takeover}.json`;
}

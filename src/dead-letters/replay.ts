import {
  concat,
  concatMap,
  defer,
  EMPTY,
  filter,
  finalize,
  from,
  ignoreElements,
  map,
  type Observable,
  of,
  takeWhile,
  toArray,
} from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import { OptionError } from '../core/errors.js';
import { expectKnown, expectOption, expectWhole } from '../core/options.js';
import { randomName } from '../core/random-name.js';
import { MiB } from '../core/units.js';
import { type Flow, type FlowInside, insideOf } from '../flow/flow.js';
import { stepName } from '../flow/flow-run.js';
import { type DeadLetterStore, linePlaced, type StoredDeadLetter } from './dead-letter-store.js';
import { editedLetter } from './edit.js';
import { entryOf } from './entry.js';
import { type DeadLetterFilter, matching } from './filter.js';
import { recordOf, storedPart } from './letters-of-replay.js';
import { beginRunning, ownOwner, runs } from './owner.js';
import { rangesOf, sizeOf } from './ranges.js';
import { lettersBy } from './read.js';
import { fenced, type LoggedReplay, logDone, logReplay, type Replay, readReplayLog, takeOver } from './replay-log.js';
import { replayPart } from './replay-part.js';

export interface ReplayDeadLettersOptions {
  readonly filter?: DeadLetterFilter;
  /**
   * The step of the flow at which all of them enter, counted from 1. Default: each at the operator that set it aside; those of which
   * that is not known, or is of another flow, stay.
   */
  readonly at?: number;
  /** Letters to replay in another form, by place; of each its record may be changed: value, key, headers, time. */
  readonly edits?: Readonly<Record<string, unknown>>;
  /** Whether a replay that was interrupted on another host is taken over. Default `false`: an error. */
  readonly takeOver?: boolean;
}

/** What a replay came to. */
export interface ReplayedDeadLetters {
  /** How many went through the flow, those of an interrupted replay included. */
  readonly replayed: number;
  /** How many of them failed again, and are dead letters again. */
  readonly setAside: number;
  /** How many of an interrupted replay are not stored any more. */
  readonly gone: number;
  /** Those that cannot enter the flow, and stay, by the reason. */
  readonly left: Readonly<Record<string, number>>;
}

/** Letters of one replay; more are replayed in the next. */
const MAX_LETTERS = 10_000;
const MAX_BYTES = 64 * MiB;
/** Letters that cannot enter are counted by reason, and so many reasons are kept apart. */
const MAX_REASONS = 100;

/**
 * Sends dead letters through the flow that set them aside, from the operator on that did, into its own sink; and notes durably which
 * were, so that no call replays them a second time. First it finishes a replay that was interrupted. A letter that fails again becomes
 * another, with the next attempt, that names the first one.
 *
 * ```ts
 * import type { Flow } from 'rxflume';
 * import { deadLetterFolder, replayDeadLetters } from 'rxflume/dead-letters';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export function again(chat: Flow): void {
 *   const bad = deadLetterFolder(localDisk(), { root: '/srv/lake/chat-bad' });
 *   replayDeadLetters(bad, chat, { filter: { code: 'RXF_DECODE_SHAPE' } }).subscribe(({ replayed, setAside }) =>
 *     console.log(replayed, setAside),
 *   );
 * }
 * ```
 *
 * Settles: exactly once where the flow ends in a file sink, or in a Kafka sink with a fixed topic; elsewhere at least once, where it is
 * interrupted.
 * Bounds: 10,000 letters and 64 MiB at once.
 * Fails: `RXF_DEAD_LETTERS_FENCED` where another replays at the same time; `RXF_DEAD_LETTERS_DAMAGED`; `OptionError` for a flow of a
 * version without this, or an edit that is none; as the storage does, and the sink. What is not marked is replayed by the next call.
 */
export function replayDeadLetters(
  store: DeadLetterStore,
  flow: Flow<unknown>,
  options: ReplayDeadLettersOptions = {},
): Observable<ReplayedDeadLetters> {
  const context = contextOf(store, flow, options);
  return readReplayLog(store).pipe(
    concatMap((log) =>
      concat(
        from(log.unfinished).pipe(concatMap((logged) => finish(context, logged))),
        defer(() => next(context, [])),
      ),
    ),
    ignoreElements(),
    concatMapEnd(() => ({ ...context.sum, left: Object.fromEntries(context.left) })),
  );
}

interface Context {
  readonly store: DeadLetterStore;
  readonly flow: string;
  readonly inside: FlowInside;
  readonly at: number | undefined;
  readonly fits: (letter: StoredDeadLetter) => boolean;
  readonly edits: Readonly<Record<string, unknown>>;
  readonly mayTakeOver: boolean;
  readonly sum: { replayed: number; setAside: number; gone: number };
  readonly left: Map<string, number>;
}

function contextOf(store: DeadLetterStore, flow: Flow<unknown>, options: ReplayDeadLettersOptions): Context {
  expectKnown('replayDeadLetters options', options, ['filter', 'at', 'edits', 'takeOver']);
  const { at, edits = {}, takeOver: mayTakeOver = false } = options;
  expectOption('edits', edits, typeof edits === 'object' && edits !== null, 'letters by place');
  expectOption('takeOver', mayTakeOver, typeof mayTakeOver === 'boolean', 'a boolean');
  const inside = insideToEnter(flow, at);
  const fits = matching(options.filter);
  const sum = { replayed: 0, setAside: 0, gone: 0 };
  const step = at === undefined ? undefined : at - 1;
  return { store, flow: flow.name, inside, at: step, fits, edits, mayTakeOver, sum, left: new Map() };
}

/** What the flow is made of, and whether it has such a step. Throws `OptionError`. */
export function insideToEnter(flow: Flow<unknown>, at: number | undefined): FlowInside {
  const inside = insideOf(flow as Flow);
  if (inside?.through === undefined) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      'The flow is of a version of rxflume that cannot replay dead letters. Update it there.',
    );
  }
  if (at !== undefined) expectWhole('at', at, 1, inside.steps.length);
  return inside;
}

/** Replays the letters that wait, as many as are replayed at once, and then the next ones. */
function next(context: Context, own: readonly string[]): Observable<unknown> {
  const { store, fits } = context;
  return readReplayLog(store).pipe(
    concatMap((log) => {
      // What failed again in this call waits for the next one.
      const ownPlaces = (stored: StoredDeadLetter) => isOwnAgain(log, stored, own);
      context.left.clear();
      let [count, bytes] = [0, 0];
      return lettersBy(store, log, fits).pipe(
        filter((stored) => stored.state === 'waiting' && !ownPlaces(stored)),
        concatMap((stored) => entering(context, stored)),
        takeWhile(({ stored }) => {
          count += 1;
          bytes += stored.letter.value?.length ?? 0;
          return count < MAX_LETTERS && bytes < MAX_BYTES;
        }, true),
        toArray(),
        concatMap((chosen) => {
          if (chosen.length === 0) return EMPTY;
          const replay = replayOf(context, log.nextNumber, chosen);
          const isMore = count >= MAX_LETTERS || bytes >= MAX_BYTES;
          return concat(
            logReplay(store, replay),
            defer(() => run(context, replay)),
            isMore ? defer(() => next(context, [...own, replay.id])) : EMPTY,
          );
        }),
      );
    }),
  );
}

interface Entering {
  readonly stored: StoredDeadLetter;
  readonly step: number;
}

function entering(context: Context, stored: StoredDeadLetter): Observable<Entering> {
  const edit = context.edits[stored.place];
  const letter = edit === undefined ? stored.letter : editedLetter(stored.place, stored.letter, edit);
  const entry = entryOf({ ...stored, letter }, context.flow, context.inside, context.at);
  if ('step' in entry) return of({ stored: { ...stored, letter }, step: entry.step });
  const { left } = context;
  const reason = left.size < MAX_REASONS || left.has(entry.problem) ? entry.problem : 'other reasons';
  left.set(reason, (left.get(reason) ?? 0) + 1);
  return EMPTY;
}

function isOwnAgain(
  log: { of(file: string, line: number): LoggedReplay | undefined },
  { letter }: StoredDeadLetter,
  own: readonly string[],
): boolean {
  if (letter.replayOf === null || own.length === 0) return false;
  const { file, line } = linePlaced(letter.replayOf);
  const of = log.of(file, line);
  return of !== undefined && own.includes(of.replay.id);
}

function replayOf({ flow, inside, edits }: Context, number: number, chosen: readonly Entering[]): Replay {
  const steps = [...new Set(chosen.map(({ step }) => step))].sort((a, b) => a - b);
  const parts = steps.map((step) => {
    const letters = rangesOf(chosen.filter((one) => one.step === step).map(({ stored }) => stored));
    return { step, operator: stepName(inside.steps[step] as { name: string }, step), letters };
  });
  const edited = chosen.filter(({ stored }) => edits[stored.place] !== undefined);
  return {
    ...{ version: 1, number, id: randomName(), kind: 'replay', flow },
    at: new Date(timeOfDayMs()).toISOString(),
    by: ownOwner(),
    parts,
    edits: Object.fromEntries(edited.map(({ stored }) => [stored.place, stored.letter])),
  };
}

/** A replay that has begun and not ended: of a process that is gone, or that still runs. */
function finish(context: Context, logged: LoggedReplay): Observable<unknown> {
  const { replay, owner } = logged;
  const isRunning = runs(owner, replay.id);
  const what = `Process ${owner.pid} on ${owner.host} began replay ${replay.number} of the dead letters in ${context.store.name}`;
  if (isRunning === 'yes') throw fenced(`${what}, and runs.`, replay.number);
  if (isRunning === 'unknown' && !context.mayTakeOver) {
    throw fenced(
      `${what}. If that process has ended, pass \`--take-over\` (\`takeOver: true\`) to finish it.`,
      replay.number,
    );
  }
  if (replay.flow !== context.flow) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Replay ${replay.number} of the dead letters in ${context.store.name}, through flow \`${replay.flow}\`, was interrupted. Finish it with that flow first.`,
    );
  }
  return concat(
    takeOver(context.store, logged),
    defer(() => run(context, replay)),
  );
}

/** Sends all parts through the flow, one after the other, and then notes that the replay is done. */
function run(context: Context, replay: Replay): Observable<never> {
  const { store, sum } = context;
  return defer(() => {
    const ended = beginRunning(replay.id);
    const setAside = new Set<string>();
    const found = replay.parts.map(() => 0);
    const parts$ = from(replay.parts).pipe(
      concatMap(({ step, operator, letters }, at) => {
        const note = (offset: number) => setAside.add(`${at} ${offset}`);
        const part = {
          ...{ replay, step: stepOf(context, step, operator), end: sizeOf(letters) },
          records: (stream: string) =>
            storedPart(store, replay, at).pipe(
              map((stored) => {
                found[at] = stored.letters.length;
                stored.setAside.forEach(note);
                return stored.letters
                  .filter(({ offset }) => !stored.setAside.has(offset))
                  .map((one) => recordOf(one, stream));
              }),
            ),
        };
        return replayPart(part, context.inside, { store, setAside: note });
      }),
    );
    return concat(
      parts$,
      defer(() => {
        const size = replay.parts.reduce((count, { letters }) => count + sizeOf(letters), 0);
        const replayed = found.reduce((count, one) => count + one, 0);
        sum.replayed += replayed;
        sum.setAside += setAside.size;
        sum.gone += size - replayed;
        return logDone(store, replay, { replayed, setAside: setAside.size, gone: size - replayed });
      }),
    ).pipe(finalize(ended));
  });
}

/** The step as the flow has it now. */
function stepOf({ inside, flow }: Context, step: number | null, operator: string | null): number {
  const at = step ?? 0;
  const found = inside.steps[at];
  if (found !== undefined && stepName(found, at) === operator) return at;
  throw new OptionError(
    'RXF_OPTION_INVALID',
    `An interrupted replay enters flow \`${flow}\` at \`${operator}\`, which it has no more. Finish the replay with the flow as it was.`,
  );
}

/** Completes as the source does, and emits this before. */
function concatMapEnd<R>(last: () => R): (source: Observable<never>) => Observable<R> {
  return (source) =>
    concat(
      source,
      defer(() => of(last())),
    );
}

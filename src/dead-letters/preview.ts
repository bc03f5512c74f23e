import {
  concat,
  concatMap,
  defer,
  filter,
  finalize,
  from,
  ignoreElements,
  merge,
  Observable,
  Subject,
  take,
  takeUntil,
  tap,
  timer,
  toArray,
} from 'rxjs';
import { ERRORS } from '../core/error-codes.js';
import { describeError, isOwnError } from '../core/errors.js';
import { expectKnown, expectWhole } from '../core/options.js';
import type { Acker, FlushSignal } from '../delivery/acker.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { Delivery, type Origin } from '../delivery/delivery.js';
import type { Sink } from '../delivery/receipt.js';
import type { Flow, FlowInside } from '../flow/flow.js';
import { stepName } from '../flow/flow-run.js';
import type { DeadLetterStore, StoredDeadLetter } from './dead-letter-store.js';
import { editedLetter } from './edit.js';
import { entryOf } from './entry.js';
import { type DeadLetterFilter, matching } from './filter.js';
import { originalValue, originOf } from './letter.js';
import { lettersBy } from './read.js';
import { insideToEnter } from './replay.js';
import { readReplayLog } from './replay-log.js';

export interface PreviewDeadLettersOptions {
  readonly filter?: DeadLetterFilter;
  /** As for a replay. */
  readonly at?: number;
  readonly edits?: Readonly<Record<string, unknown>>;
  /** The most letters that are tried. Default 1,000. */
  readonly maxLetters?: number;
}

/** The defaults of `previewDeadLetters`. */
export const PREVIEW_DEAD_LETTERS_DEFAULTS = { maxLetters: 1_000 } as const;

/** What the flow of today would do with a dead letter. */
export interface PreviewedDeadLetter {
  readonly place: string;
  readonly letter: DeadLetter;
  /** The operator at which it enters the flow; null where it cannot. */
  readonly operator: string | null;
  /**
   * `stored`: it reaches the sink. `dropped`: an operator filters it out. `set aside`: it becomes a dead letter again. `stops`: it fails
   * with an error that is not its own fault. `unsettled`: nothing became of it within 30 s. `cannot enter`: it stays.
   */
  readonly outcome: 'stored' | 'dropped' | 'set aside' | 'stops' | 'unsettled' | 'cannot enter';
  /** The values of it that reach the sink. */
  readonly values: number;
  readonly code?: string;
  readonly message?: string;
}

const SETTLE_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 100;

/**
 * Runs dead letters that wait through the flow's own operators, without its sink and its branches, and says what became of each. A file
 * sink encodes them, and finds their folders, and writes nothing. Functions of your operators are called.
 *
 * ```ts
 * import type { Flow } from 'rxflume';
 * import { deadLetterFolder, previewDeadLetters } from 'rxflume/dead-letters';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * export function tryThem(chat: Flow): void {
 *   const bad = deadLetterFolder(localDisk(), { root: '/srv/lake/chat-bad' });
 *   previewDeadLetters(bad, chat).subscribe(({ place, outcome, message }) => console.log(place, outcome, message));
 * }
 * ```
 *
 * Bounds: `maxLetters` in memory; 30 s for those that enter at one step.
 * Fails: as the storage does; `OptionError`; with an error of the flow's operators that is of no value.
 */
export function previewDeadLetters(
  store: DeadLetterStore,
  flow: Flow<unknown>,
  options: PreviewDeadLettersOptions = {},
): Observable<PreviewedDeadLetter> {
  expectKnown('previewDeadLetters options', options, ['filter', 'at', 'edits', 'maxLetters']);
  const { at, edits = {}, maxLetters = PREVIEW_DEAD_LETTERS_DEFAULTS.maxLetters } = options;
  expectWhole('maxLetters', maxLetters, 1, 100_000);
  const inside = insideToEnter(flow, at);
  const fits = matching(options.filter);
  return readReplayLog(store).pipe(
    concatMap((log) => lettersBy(store, log, fits)),
    filter(({ state }) => state === 'waiting'),
    take(maxLetters),
    toArray(),
    concatMap((all) => {
      const edited = all.map((stored) => {
        const edit = edits[stored.place];
        return edit === undefined ? stored : { ...stored, letter: editedLetter(stored.place, stored.letter, edit) };
      });
      return previews(edited, flow.name, inside, at);
    }),
  );
}

function previews(
  all: readonly StoredDeadLetter[],
  flow: string,
  inside: FlowInside,
  at: number | undefined,
): Observable<PreviewedDeadLetter> {
  const bySteps = new Map<number, StoredDeadLetter[]>();
  const staying: PreviewedDeadLetter[] = [];
  for (const stored of all) {
    const entry = entryOf(stored, flow, inside, at === undefined ? undefined : at - 1);
    if ('step' in entry) bySteps.set(entry.step, [...(bySteps.get(entry.step) ?? []), stored]);
    else {
      const { place, letter } = stored;
      staying.push({ place, letter, operator: null, outcome: 'cannot enter', values: 0, message: entry.problem });
    }
  }
  const tried = [...bySteps].sort(([a], [b]) => a - b).map(([step, letters]) => rehearsed(letters, step, inside));
  return concat(...tried, from(staying));
}

/** Lets letters enter at a step, all together, since an operator may hold some until others come. */
function rehearsed(
  letters: readonly StoredDeadLetter[],
  step: number,
  inside: FlowInside,
): Observable<PreviewedDeadLetter> {
  return defer(() => {
    const outcomes = new Outcomes(letters.length);
    const deliveries$ = new Observable<Delivery<unknown>>((subscriber) => {
      letters.forEach(({ letter, place }, offset) => {
        const origin = originOf(letter, { stream: STREAM, offset, letter: place });
        subscriber.next(new Delivery(originalValue(letter), origin, outcomes, offset));
      });
      subscriber.complete();
    });
    const beside = (value: unknown, origin: unknown) => outcomes.beside(value, origin as Origin);
    const last = inside.steps.length - 1;
    const until = { first: step, end: last, beside, isRehearsal: true } as const;
    const atSink$ = (inside.through(deliveries$, until) as Observable<Delivery<never>>).pipe(
      tap(({ origin }) => outcomes.reached(origin)),
    );
    const asking = timer(0, ASK_EVERY_MS).subscribe(() => outcomes.flush$.next('settle'));
    return concat(
      endOf(inside.steps[last] as unknown as Sink<never>)(atSink$).pipe(
        ignoreElements(),
        finalize(() => asking.unsubscribe()),
        takeUntil(merge(outcomes.settled$, timer(SETTLE_WITHIN_MS))),
      ),
      defer(() => {
        const operator = stepName(inside.steps[step] as { name: string }, step);
        return letters.map(({ place, letter }, at) => ({ place, letter, operator, ...outcomes.of(at) }));
      }),
    );
  });
}

const STREAM = 'dlq:preview/0';

/** The sink without a trace: a file sink in memory, or something that acks. */
function endOf(sink: Sink<never>): (deliveries: Observable<Delivery<never>>) => Observable<unknown> {
  return sink.rehearsal?.inMemory() ?? ((deliveries) => deliveries.pipe(tap((delivery) => delivery.ack())));
}

type Outcome = Omit<PreviewedDeadLetter, 'place' | 'letter' | 'operator'>;

/** The acker of letters that are tried: notes what becomes of each. */
class Outcomes implements Acker {
  readonly flush$ = new Subject<FlushSignal>();
  readonly settled$ = new Subject<void>();
  readonly #values: number[];
  readonly #settled = new Map<number, { readonly cause?: unknown }>();
  readonly #letters = new Map<number, DeadLetter>();

  constructor(count: number) {
    this.#values = new Array<number>(count).fill(0);
  }

  reached({ offset, lastOffset = offset }: Origin): void {
    for (let at = offset; at <= lastOffset; at += 1) this.#values[at] = (this.#values[at] ?? 0) + 1;
  }

  beside(value: unknown, { stream, offset }: Origin): void {
    const isLetter = typeof value === 'object' && value !== null && 'setAsideAt' in value;
    if (isLetter && stream === STREAM) this.#letters.set(offset, value as DeadLetter);
  }

  ack(first: number, next: number): void {
    for (let at = first; at < next; at += 1) this.#settle(at, {});
  }

  nack(first: number, next: number, cause: unknown): void {
    for (let at = first; at < next; at += 1) this.#settle(at, { cause });
  }

  release(): void {}

  hold(): void {}

  of(at: number): Outcome {
    const values = this.#values[at] ?? 0;
    const letter = this.#letters.get(at);
    if (letter !== undefined) return { outcome: 'set aside', values, code: letter.code, message: letter.message };
    const settled = this.#settled.get(at);
    if (settled === undefined) return { outcome: 'unsettled', values };
    if (settled.cause === undefined) return { outcome: values > 0 ? 'stored' : 'dropped', values };
    const { cause } = settled;
    const code = isOwnError(cause) ? cause.code : 'Error';
    const isOfValue = !isOwnError(cause) || ['DecodeError', 'SinkError'].includes(ERRORS[cause.code]?.family);
    return {
      outcome: isOfValue && !(isOwnError(cause) && cause.retryable) ? 'set aside' : 'stops',
      values,
      code,
      message: describeError(cause),
    };
  }

  #settle(at: number, how: { readonly cause?: unknown }): void {
    if (this.#settled.has(at)) return;
    this.#settled.set(at, how);
    if (this.#settled.size === this.#values.length) this.settled$.next();
  }
}

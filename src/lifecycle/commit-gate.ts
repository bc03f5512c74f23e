import { concatMap, defer, EMPTY, type Observable, race, throwError, timer } from 'rxjs';
import { SinkError } from '../core/errors.js';
import type { ResumeTracker } from '../delivery/acker.js';
import type { Delivery } from '../delivery/delivery.js';

/** The longest a commit waits for values before it that are elsewhere. */
export const BEHIND_MS = 120_000;

/** When a commit may begin and how far it goes, in plain values. Offsets are those of one stream. */
export interface CommitRules {
  /** Where the first commit begins; where nothing is committed yet, all writers must name the same offset. */
  startOf(resumed: { readonly start: number | undefined; readonly firstOffset: number }): number;
  /** Whether what ends at `cut` must wait before it may be committed. */
  mustWait(ending: { readonly cut: number; readonly horizon: number }): boolean;
  /** Where the commit ends: as far as all is accounted for, but not beyond where a later one has begun. */
  endOf(ending: { readonly cut: number; readonly horizon: number; readonly hasLater: boolean }): number;
}

export const COMMIT_RULES: CommitRules = {
  // A writer that had seen another first offset would commit under another name, and nothing would stop it.
  startOf: ({ start }) => start ?? 0,

  // What lies before the cut and is neither acked nor written here would not be read again after a crash.
  mustWait: ({ cut, horizon }) => horizon < cut,

  endOf: ({ cut, horizon, hasLater }) => (hasLater ? cut : Math.max(cut, horizon)),
};

/**
 * Divides one stream, for one epoch, into commits that follow each other without a gap: `[from, cut)`, `[cut, …)`.
 *
 * Fails: `RXF_LEDGER_BEHIND` where values before a commit are neither acked nor written for `BEHIND_MS`; as the source
 * does where one of them is nacked.
 */
export class CommitGate {
  readonly #stream: string;
  readonly #tracker: ResumeTracker;
  readonly #rules: CommitRules;
  #next: number;

  constructor({ origin }: Delivery<unknown>, tracker: ResumeTracker, rules: CommitRules = COMMIT_RULES) {
    this.#stream = origin.stream;
    this.#tracker = tracker;
    this.#rules = rules;
    this.#next = rules.startOf({ start: tracker.start, firstOffset: origin.offset });
  }

  /** Where the next commit begins. What has a lower offset belongs to an earlier one, or comes too late. */
  get next(): number {
    return this.#next;
  }

  /** Whether the stream is done further than the next commit begins: values were dropped, and none was written. */
  get isBehind(): boolean {
    return this.#tracker.horizon > this.#next;
  }

  /** The commit that begins at `next` takes nothing at or above `cut`. Completes once everything below is acked or held. */
  end(cut: number): Observable<never> {
    this.#next = Math.max(this.#next, cut);
    return defer(() => {
      if (!this.#rules.mustWait({ cut, horizon: this.#tracker.horizon })) return EMPTY;
      const late$ = timer(BEHIND_MS).pipe(concatMap(() => throwError(() => this.#behindError(cut))));
      return race(this.#tracker.reached(cut), late$);
    });
  }

  /** The offset up to which what ends at `cut` is committed now; the next commit begins there or later. */
  commitUpTo(cut: number, hasLater: boolean): number {
    const upTo = this.#rules.endOf({ cut, horizon: this.#tracker.horizon, hasLater });
    // Stryker disable next-line ConditionalExpression: only a broken rule ends a commit beyond where a later one has begun
    if (!hasLater) this.#next = Math.max(this.#next, upTo);
    return upTo;
  }

  #behindError(cut: number): SinkError {
    const { horizon } = this.#tracker;
    return new SinkError(
      'RXF_LEDGER_BEHIND',
      `${this.#stream}: a commit up to ${cut} has waited ${BEHIND_MS} ms for offset ${horizon}, which is neither acked nor written by ` +
        'this sink. Something between source and sink holds or has lost it: an operator that drops deliveries without acking ' +
        '(`filter`, `take`), or a write that takes this long. The values are redelivered.',
      { details: { stream: this.#stream, cut, horizon } },
    );
  }
}

/** With what a delivery is nacked that belongs before a commit which takes nothing any more. */
export function orderError({ origin: { stream, offset } }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_LEDGER_ORDER',
    `${stream} offset ${offset} came after everything up to a later offset was accounted for: it came twice, or was joined ` +
      'from offsets that others overtook. See what in the flow copies deliveries (`share`, `mergeMap` to several; use ' +
      '`tee` or `splitValue`) or joins them out of order.',
    { details: { stream, offset } },
  );
}

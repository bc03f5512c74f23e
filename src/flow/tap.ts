import { interval, Observable, type Subscriber } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../core/clock.js';
import { expectOption, expectWhole, withDefaults } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import type { Edge } from './edge.js';
import { shownValue } from './shown-value.js';

export interface TapOptions {
  /** Only values whose text, as it is shown, has this in it. Default: all. */
  readonly contains?: string;
  /** Only every so many-th value is looked at. Default 1. */
  readonly everyN?: number;
  /** Names of fields whose values are hidden, at any depth, in any case. Default: none. */
  readonly redact?: readonly string[];
}

/** The defaults of a tap. */
const TAP_DEFAULTS = { contains: '', everyN: 1, redact: [] as readonly string[] } as const;

/** A value that passed an edge, as text. */
export interface Tapped {
  readonly atMs: number;
  readonly stream: string;
  readonly offset: number;
  /** At most 64 KiB. */
  readonly text: string;
  readonly isCut: boolean;
  readonly isRedacted: boolean;
  /** How many passed since the one before that were not looked at: other than the `everyN`-th, or more than a tap has time for. */
  readonly unseen: number;
}

/** A tap has a turn so often. */
const TURN_MS = 100;
/** In one turn it emits so many values at most… */
const MOST_IN_TURN = 5;
/** … and makes text for so long: 2 % of the time. */
const MOST_MS_IN_TURN = 2;

/**
 * The values that pass an edge, as text made at the moment when they pass, so that it does not matter what becomes of them.
 *
 * Bounds: nothing is kept. 50 values a second, 64 KiB each; beyond that, and beyond 2 % of the time, values pass without a look.
 * Fails: never, and never into the flow. Completes with the flow.
 */
export function tapped(edge: Edge, options: TapOptions, over$: Observable<unknown>): Observable<Tapped> {
  const { contains, everyN, redact } = withDefaults('tap options', TAP_DEFAULTS, options);
  expectOption('contains', contains, typeof contains === 'string', 'a string');
  expectWhole('everyN', everyN, 1);
  const areNames = Array.isArray(redact) && redact.every((name) => typeof name === 'string');
  expectOption('redact', redact, areNames, 'an array of names');
  const hidden = new Set(redact.map((name) => name.toLowerCase()));
  return new Observable((subscriber) => {
    const tap = new Tap(subscriber, contains, everyN, hidden);
    subscriber.add(over$.subscribe({ complete: () => subscriber.complete() }));
    if (subscriber.closed) return;
    subscriber.add(interval(TURN_MS).subscribe(() => tap.turn()));
    subscriber.add(edge.look((delivery) => tap.look(delivery as Delivery<unknown>)));
  });
}

class Tap {
  readonly #out: Subscriber<Tapped>;
  readonly #contains: string;
  readonly #everyN: number;
  readonly #hidden: ReadonlySet<string>;
  #until = 0;
  #unseen = 0;
  #left = MOST_IN_TURN;
  #msLeft = MOST_MS_IN_TURN;

  constructor(out: Subscriber<Tapped>, contains: string, everyN: number, hidden: ReadonlySet<string>) {
    this.#out = out;
    this.#contains = contains;
    this.#everyN = everyN;
    this.#hidden = hidden;
  }

  turn(): void {
    this.#left = MOST_IN_TURN;
    this.#msLeft = MOST_MS_IN_TURN;
  }

  look(delivery: Delivery<unknown>): void {
    if (this.#until > 0) this.#until -= 1;
    if (this.#until > 0 || this.#left === 0 || this.#msLeft <= 0) {
      this.#unseen += 1;
      return;
    }
    this.#until = this.#everyN;
    const began = monotonicMs();
    const shown = shownValue(deliveredValue(delivery), this.#hidden);
    const isWanted = shown.text.includes(this.#contains);
    this.#msLeft -= monotonicMs() - began;
    if (!isWanted) return;
    this.#left -= 1;
    const { stream = '', offset = -1 } = delivery?.origin ?? {};
    const unseen = this.#unseen;
    this.#unseen = 0;
    this.#out.next({ atMs: timeOfDayMs(), stream, offset, ...shown, unseen });
  }
}

/** What passes may be anything, where an operator is the user's own; and a value may be made only when it is asked for. */
function deliveredValue(delivery: Delivery<unknown> | undefined): unknown {
  try {
    return delivery?.value;
  } catch {
    return undefined;
  }
}

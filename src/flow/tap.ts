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
  /**
   * How many passed since the one before that were not looked at: other than the `everyN`-th, or more than a tap has time for. Where
   * the step does not count what it takes, only the former.
   */
  readonly unseen: number;
}

/** A tap has a turn so often. */
const TURN_MS = 100;
/** In one turn it emits so many values at most… */
const MOST_IN_TURN = 5;
/** … and all taps of the process together make and pass on text for so long: 1 % of the time. */
const MOST_MS_IN_TURN = 1;

/** What is tapped. */
export interface TappedEdge {
  readonly edge: Edge;
  /** How many records its step has taken by now; undefined where nothing counts that. */
  readonly received: () => number | undefined;
  /** Ends with the flow. */
  readonly over$: Observable<unknown>;
}

/**
 * The values that pass an edge, as text made at the moment when they pass, so that it does not matter what becomes of them.
 *
 * Bounds: nothing is kept. 50 values a second, 64 KiB each; all taps of the process take 1 % of the time. Beyond that the edge is left
 * alone until the next turn: values pass as if there were no tap. A turn that took longer is made up for by the next ones.
 * Fails: never, and never into the flow. Completes with the flow.
 */
export function tapped({ edge, received, over$ }: TappedEdge, options: TapOptions): Observable<Tapped> {
  const { contains, everyN, redact } = withDefaults('tap options', TAP_DEFAULTS, options);
  expectOption('contains', contains, typeof contains === 'string', 'a string');
  expectWhole('everyN', everyN, 1);
  const areNames = Array.isArray(redact) && redact.every((name) => typeof name === 'string');
  expectOption('redact', redact, areNames, 'an array of names');
  const hidden = new Set(redact.map((name) => name.toLowerCase()));
  return new Observable((subscriber) => {
    const tap = new Tap(subscriber, { edge, received }, { contains, everyN, hidden });
    subscriber.add(over$.subscribe({ complete: () => subscriber.complete() }));
    if (subscriber.closed) return;
    subscriber.add(interval(TURN_MS).subscribe(() => tap.turn()));
    subscriber.add(tap.begin());
  });
}

type Looked = Omit<TappedEdge, 'over$'>;
interface Limits {
  readonly contains: string;
  readonly everyN: number;
  readonly hidden: ReadonlySet<string>;
}

/** Of this process: they share the time. */
const open = new Set<Tap>();

class Tap {
  readonly #out: Subscriber<Tapped>;
  readonly #of: Looked;
  readonly #limits: Limits;
  #until = 0;
  /** How many the step had taken at the last value that was emitted. */
  #receivedThen = 0;
  /** How many passed since then, where the step does not count. */
  #passed = 0;
  #isPaused = false;
  #receivedAtPause = 0;
  #left = MOST_IN_TURN;
  #msLeft = MOST_MS_IN_TURN;

  constructor(out: Subscriber<Tapped>, of: Looked, limits: Limits) {
    this.#out = out;
    this.#of = of;
    this.#limits = limits;
  }

  /** Returns what ends it. */
  begin(): () => void {
    const { edge, received } = this.#of;
    open.add(this);
    this.#receivedThen = received() ?? 0;
    const end = edge.look(this.#look);
    return () => {
      open.delete(this);
      end();
    };
  }

  turn(): void {
    const share = MOST_MS_IN_TURN / open.size;
    this.#left = MOST_IN_TURN;
    this.#msLeft = Math.min(share, this.#msLeft + share);
    if (this.#msLeft <= 0 || !this.#isPaused) return;
    this.#isPaused = false;
    // The step may count a value before or after it passes the edge: rather one later than one too early.
    const passed = (this.#of.received() ?? 0) - this.#receivedAtPause - 1;
    this.#until -= Math.max(0, Math.min(this.#until, passed));
    this.#of.edge.resume(this.#look);
  }

  readonly #look = (value: unknown): void => {
    this.#passed += 1;
    if (this.#until > 0) this.#until -= 1;
    if (this.#until > 0) return;
    this.#until = this.#limits.everyN;
    const began = monotonicMs();
    this.#show(value as Delivery<unknown> | undefined);
    this.#msLeft -= monotonicMs() - began;
    if (this.#left === 0 || this.#msLeft <= 0) this.#pause();
  };

  #pause(): void {
    this.#isPaused = true;
    this.#receivedAtPause = this.#of.received() ?? 0;
    this.#of.edge.pause(this.#look);
  }

  #show(delivery: Delivery<unknown> | undefined): void {
    const { contains, hidden } = this.#limits;
    const shown = shownValue(deliveredValue(delivery), hidden);
    if (!shown.text.includes(contains)) return;
    this.#left -= 1;
    const { stream = '', offset = -1 } = delivery?.origin ?? {};
    const received = this.#of.received();
    const since = received === undefined ? this.#passed : received - this.#receivedThen;
    this.#receivedThen = received ?? 0;
    this.#passed = 0;
    this.#out.next({ atMs: timeOfDayMs(), stream, offset, ...shown, unseen: Math.max(0, since - 1) });
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

import { type Observable, Subject } from 'rxjs';
import { shownText } from './shown-text.js';

export type Labels = Readonly<Record<string, string>>;
export type Level = 'info' | 'warn' | 'error';

/** Something a person running a flow should hear of, once. Never holds a secret. */
export interface Notice {
  readonly level: Level;
  /** An error code or a short name such as `kafka.assigned`. */
  readonly what: string;
  /** Safe to print. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** A figure as read by a monitor: Prometheus' naming (`_total` for counters, the unit in the name). */
export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

/** A figure that a part of a flow keeps. Counters only `add`; gauges are also `set`. */
export class Figure {
  value = 0;

  add(amount: number): void {
    this.value += amount;
  }

  set(value: number): void {
    this.value = value;
  }
}

/**
 * Figures and notices of everything that runs with it. Parts write to it per batch, never per value; whoever watches
 * reads `samples()` when it likes and subscribes to `notices$`.
 *
 * Bounds: one figure for each name and label set ever asked for; notices are not kept.
 */
export class Monitor {
  readonly #figures = new Map<string, { name: string; labels: Labels; figure: Figure }>();
  readonly #notices$ = new Subject<Notice>();
  readonly notices$: Observable<Notice> = this.#notices$.asObservable();

  /** The figure of that name and those labels; the same object at each call. */
  figure(name: string, labels: Labels = {}): Figure {
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`;
    let entry = this.#figures.get(key);
    if (entry === undefined) {
      entry = { name, labels, figure: new Figure() };
      this.#figures.set(key, entry);
    }
    return entry.figure;
  }

  /** Forgets one figure, such as the lag of a partition that went elsewhere. */
  forget(name: string, labels: Labels = {}): void {
    this.#figures.delete(`${name} ${JSON.stringify(Object.entries(labels).sort())}`);
  }

  samples(): Sample[] {
    return [...this.#figures.values()].map(({ name, labels, figure }) => ({ name, labels, value: figure.value }));
  }

  /** The sum of a name over all its labels. */
  total(name: string): number {
    let sum = 0;
    for (const entry of this.#figures.values()) if (entry.name === name) sum += entry.figure.value;
    return sum;
  }

  notice(level: Level, what: string, message: string, details?: Readonly<Record<string, unknown>>): void {
    const shown = { level, what, message: shownText(message) };
    this.#notices$.next(details === undefined ? shown : { ...shown, details });
  }
}

const SHARED = Symbol.for('rxflume.defaultMonitor');

/**
 * The monitor of every part that is not given another: one a process, as Prometheus clients have it, also where a flow
 * file and the command that runs it load two copies of this package.
 */
export const defaultMonitor: Monitor = shared();

function shared(): Monitor {
  const registry = globalThis as { [SHARED]?: Monitor };
  registry[SHARED] ??= new Monitor();
  return registry[SHARED];
}

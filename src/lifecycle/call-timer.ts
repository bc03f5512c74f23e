import { monotonicMs } from '../core/clock.js';
import { flowLabels } from '../core/flow-scope.js';
import type { Histogram } from '../core/histogram.js';
import type { Labels, Monitor, Sample } from '../core/monitor.js';

/** A call that is not answered. */
export interface Call {
  readonly since: number;
}

/**
 * Measures the calls of a sink to its storage or server: how long those took that were answered, and for how long the oldest one
 * has been waiting that is not. The second is what shows a storage that hangs, of which no duration says anything.
 *
 * Bounds: one small object for each call under way.
 */
export class CallTimer {
  readonly #durations: Histogram;
  readonly #labels: Labels;
  readonly #calls = new Set<Call>();
  readonly #oldestOf: () => object | undefined;
  readonly #uncollect: () => void;
  /** The oldest of those that are not timed, and when a reading saw it first. */
  #seen: object | undefined;
  #seenAt = 0;

  /**
   * `call`: what is called, such as `write`. `oldestOf`: the oldest unanswered of all, where only some are timed; of such a one the wait
   * counts from the reading that saw it first.
   */
  constructor(
    monitor: Monitor,
    call: 'write' | 'commit',
    labels: Labels,
    oldestOf: () => object | undefined = () => undefined,
  ) {
    this.#oldestOf = oldestOf;
    this.#labels = { ...flowLabels(), ...labels, call };
    this.#durations = monitor.histogram(`rxflume_sink_${call}_duration_seconds`, labels);
    this.#uncollect = monitor.collect(() => this.#read());
  }

  /** How many that are timed are not answered. */
  get unanswered(): number {
    return this.#calls.size;
  }

  start(): Call {
    const call = { since: monotonicMs() };
    this.#calls.add(call);
    return call;
  }

  /** It was answered as it should be. */
  done(call: Call): void {
    if (this.#calls.delete(call)) this.#durations.observe((monotonicMs() - call.since) / 1_000);
  }

  /** It failed, or is not waited for any more. */
  drop(call: Call): void {
    this.#calls.delete(call);
  }

  end(): void {
    this.#calls.clear();
    this.#uncollect();
  }

  *#read(): Iterable<Sample> {
    const now = monotonicMs();
    const seen = this.#oldestOf();
    if (seen !== this.#seen) this.#seenAt = now;
    this.#seen = seen;
    // In the order in which they were started.
    const [oldest] = this.#calls;
    if (oldest === undefined && seen === undefined) return;
    const since = Math.min(oldest?.since ?? now, seen === undefined ? now : this.#seenAt);
    yield { name: 'rxflume_sink_oldest_call_seconds', labels: this.#labels, value: (now - since) / 1_000 };
  }
}

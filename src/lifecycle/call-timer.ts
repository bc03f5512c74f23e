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
  readonly #uncollect: () => void;

  /** `call`: what is called, such as `write`. */
  constructor(monitor: Monitor, call: 'write' | 'commit', labels: Labels) {
    this.#labels = { ...flowLabels(), ...labels, call };
    this.#durations = monitor.histogram(`rxflume_sink_${call}_duration_seconds`, labels);
    this.#uncollect = monitor.collect(() => this.#read());
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
    // In the order in which they were started.
    const [oldest] = this.#calls;
    if (oldest === undefined) return;
    const value = (monotonicMs() - oldest.since) / 1_000;
    yield { name: 'rxflume_sink_oldest_call_seconds', labels: this.#labels, value };
  }
}

import { flowLabels } from './flow-scope.js';
import { type Labels, Metric, type Monitor } from './monitor.js';

/**
 * Gauges of one part of a flow, which exist for as long as it does. They are no metrics of the monitor, which has one for each set of
 * labels: of two parts with the same labels each shows its own number, and a reader joins them as the metric says.
 *
 * Bounds: a number for each name.
 */
export class Gauges<Names extends string> {
  readonly #gauges: ReadonlyMap<string, Metric>;
  readonly #uncollect: () => void;

  /** They begin at 0. */
  constructor(monitor: Monitor, labels: Labels, names: readonly Names[]) {
    const all = { ...flowLabels(), ...labels };
    const gauges = new Map(names.map((name) => [name as string, new Metric()]));
    this.#gauges = gauges;
    this.#uncollect = monitor.collect(() => [...gauges].map(([name, { value }]) => ({ name, labels: all, value })));
  }

  of(name: Names): Metric {
    return this.#gauges.get(name) as Metric;
  }

  /** Takes them away. */
  end(): void {
    this.#uncollect();
  }
}

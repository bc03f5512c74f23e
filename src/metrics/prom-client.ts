import { OptionError } from '../core/errors.js';
import { defaultMonitor, type Labels, type Monitor } from '../core/monitor.js';
import { expectOption } from '../core/options.js';
import { METRICS } from './catalog.js';
import { eachCell, type Family, familiesOf } from './families.js';
import { collectProcess } from './runtime.js';

/** What `promClientMetrics` uses of a `Registry` of prom-client. */
export interface PromClientRegistry {
  registerMetric(metric: { get(): Promise<unknown> }): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

type Named = Pick<Family, 'name' | 'help' | 'type'>;

/** A number of a metric, in prom-client's form. */
interface Value {
  readonly metricName: string;
  readonly labels: Labels;
  readonly value: number;
}

/**
 * Adds the metrics of a monitor to a registry of prom-client, beside the application's own. They are read only when the registry
 * is. Names, labels and buckets are those of `/metrics`. A metric that the application makes later is in the registry from the scrape after the
 * first that finds it. Returns what takes all of them out again.
 *
 * ```ts
 * import { promClientMetrics } from 'rxflume/metrics';
 * import { register } from 'prom-client';
 *
 * export const remove = promClientMetrics(register);
 * ```
 *
 * Bounds: one reading of the monitor for each scrape of the registry.
 * Fails: `OptionError` at the call where the registry has a metric of one of these names. Where the application registers the name of a later one
 * itself, that one is left out, and reported once as `metrics.name`.
 */
export function promClientMetrics(registry: PromClientRegistry, monitor: Monitor = defaultMonitor): () => void {
  const isRegistry = typeof registry?.registerMetric === 'function' && typeof registry.getSingleMetric === 'function';
  expectOption('registry', registry, isRegistry, 'a Registry of prom-client');
  expectOption('monitor', monitor, typeof monitor?.samples === 'function', 'a Monitor');
  const known = Object.entries(METRICS).map(([name, description]) => ({ ...description, name }));
  const own = familiesOf(monitor.samples()).filter(({ name }) => !Object.hasOwn(METRICS, name));
  const taken = [...known, ...own].find(({ name }) => registry.getSingleMetric(name) !== undefined);
  if (taken !== undefined) throw takenError(taken.name);
  const uncollect = collectProcess(monitor);
  const bridge = new Bridge(registry, monitor);
  for (const one of [...known, ...own]) bridge.add(one);
  return () => {
    bridge.end();
    uncollect();
  };
}

class Bridge {
  readonly #registry: PromClientRegistry;
  readonly #monitor: Monitor;
  readonly #metrics = new Map<string, BridgedMetric>();
  readonly #rejected = new Set<string>();
  #read: ReadonlyMap<string, Family> | undefined;

  constructor(registry: PromClientRegistry, monitor: Monitor) {
    this.#registry = registry;
    this.#monitor = monitor;
  }

  add(described: Named): void {
    const { name } = described;
    const metric = new BridgedMetric(described, () => this.#families().get(name));
    this.#metrics.set(name, metric);
    this.#registry.registerMetric(metric);
  }

  end(): void {
    for (const [name, metric] of this.#metrics) {
      // Another may have this name by now, where the application has cleared its registry.
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
    }
    this.#metrics.clear();
  }

  /** A registry asks all of its metrics within one turn: they share a reading. */
  #families(): ReadonlyMap<string, Family> {
    if (this.#read !== undefined) return this.#read;
    const read = new Map(familiesOf(this.#monitor.samples()).map((family) => [family.name, family]));
    this.#read = read;
    queueMicrotask(() => {
      this.#read = undefined;
    });
    for (const family of read.values()) if (!this.#metrics.has(family.name)) this.#addLater(family);
    return read;
  }

  #addLater(family: Named): void {
    const { name } = family;
    if (this.#rejected.has(name)) return;
    if (this.#registry.getSingleMetric(name) === undefined) {
      this.add(family);
      return;
    }
    this.#rejected.add(name);
    this.#monitor.logEvent('warn', 'metrics.name', takenError(name).message, { name });
  }
}

/** One metric, as a registry of prom-client wants it: it may set the name, to one without `_total` for OpenMetrics. */
class BridgedMetric {
  name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator = 'sum';
  readonly #family: () => Family | undefined;

  constructor({ name, help, type }: Named, family: () => Family | undefined) {
    this.name = name;
    this.help = help;
    this.type = type;
    this.#family = family;
  }

  async get(): Promise<unknown> {
    const { name, help, type, aggregator } = this;
    const values: Value[] = [];
    for (const series of this.#family()?.series ?? []) {
      eachCell(series, (suffix, value, le) => {
        const labels = le === undefined ? { ...series.labels } : { ...series.labels, le };
        values.push({ metricName: `${name}${suffix}`, labels, value });
      });
    }
    return { name, help, type, aggregator, values };
  }

  /** `registry.resetMetrics()` is for tests of the application; a flow counts on. */
  reset(): void {}
}

function takenError(name: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `The registry of prom-client has a metric \`${name}\` already. Give each monitor a registry of its own, or take out what was ` +
      'added before with the function that `promClientMetrics` returned.',
    { details: { option: 'registry', name } },
  );
}

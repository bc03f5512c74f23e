import type { Meter, Observable } from '@opentelemetry/api';
import { defaultMonitor, type Labels, type Monitor } from '../core/monitor.js';
import { expectOption } from '../core/options.js';
import { METRICS } from '../metrics/catalog.js';
import { eachCell, type Family, familiesOf, type Series, type Suffix } from '../metrics/families.js';
import { collectProcess } from '../metrics/runtime.js';
import { instrumentOf } from './instrument-names.js';

type Described = Pick<Family, 'name' | 'help' | 'type'>;

/** What one metric is observed by: a histogram by three instruments, any other by one. */
interface Observed {
  readonly of: Readonly<Partial<Record<Suffix, Observable>>>;
  /** What is observed where a series that was there is not; undefined where its last value stays true. */
  readonly gone: number | undefined;
  readonly seen: Map<string, Labels>;
}

/**
 * Observes the metrics of a monitor as instruments of a meter of OpenTelemetry, in one callback, so that they are read when the SDK
 * collects and at no other time. Attributes are the labels of `/metrics`. A counter is an observable counter; a gauge is an observable gauge, or an
 * observable up-down counter where sums over processes mean something.
 *
 * The API has no observable histogram, and to record each value is what this avoids. So a histogram is three observable counters, `….bucket` with the
 * attribute `le`, `….sum` and `….count`: the exact numbers, of which Prometheus makes quantiles as of its own histograms.
 * Returns what ends it.
 *
 * A series that is absent from then on, such as the age where nothing waits any more, is observed as NaN; of what is summed, as 0.
 *
 * ```ts
 * import { metrics } from '@opentelemetry/api';
 * import { openTelemetryMetrics } from 'rxflume/opentelemetry';
 *
 * export const end = openTelemetryMetrics(metrics.getMeter('rxflume'));
 * ```
 *
 * Bounds: one reading of the monitor for each collection; the labels of each gauge that was ever observed. A metric that the application makes later is observed from the second collection on.
 * Fails: `OptionError` at the call for what is no meter or no monitor.
 * Source: OpenTelemetry, metrics API 1.x; semantic conventions, general guidelines.
 */
export function openTelemetryMetrics(meter: Meter, monitor: Monitor = defaultMonitor): () => void {
  const isMeter = typeof meter?.addBatchObservableCallback === 'function';
  expectOption('meter', meter, isMeter, 'a Meter of @opentelemetry/api');
  expectOption('monitor', monitor, typeof monitor?.samples === 'function', 'a Monitor');
  const uncollect = collectProcess(monitor);
  const observer = new MonitorObserver(meter, monitor);
  return () => {
    observer.end();
    uncollect();
  };
}

class MonitorObserver {
  readonly #meter: Meter;
  readonly #monitor: Monitor;
  readonly #observed = new Map<string, Observed>();
  readonly #observe = (result: Observation): void => this.#observeAll(result);
  #listed: Observable[] = [];
  #isOver = false;

  constructor(meter: Meter, monitor: Monitor) {
    this.#meter = meter;
    this.#monitor = monitor;
    this.#add(Object.entries(METRICS).map(([name, description]) => ({ ...description, name })));
  }

  end(): void {
    this.#isOver = true;
    this.#meter.removeBatchObservableCallback(this.#observe, this.#listed);
  }

  #observeAll(result: Observation): void {
    const families = new Map(familiesOf(this.#monitor.samples()).map((family) => [family.name, family]));
    for (const [name, observed] of this.#observed) observeSeries(result, observed, families.get(name)?.series ?? []);
    const unknown = [...families.values()].filter(({ name }) => !this.#observed.has(name));
    // Not now: the SDK is going through its callbacks.
    if (unknown.length > 0) queueMicrotask(() => this.#add(unknown));
  }

  /** A callback may observe only the instruments that it was added with. */
  #add(families: readonly Described[]): void {
    if (this.#isOver) return;
    this.#meter.removeBatchObservableCallback(this.#observe, this.#listed);
    for (const family of families) this.#observed.set(family.name, observedBy(this.#meter, family));
    this.#listed = [...this.#observed.values()].flatMap((each) => Object.values(each.of));
    this.#meter.addBatchObservableCallback(this.#observe, this.#listed);
  }
}

interface Observation {
  observe(instrument: Observable, value: number, attributes: Labels): void;
}

function observeSeries(result: Observation, { of, gone, seen }: Observed, series: readonly Series[]): void {
  const absent = new Map(seen);
  for (const one of series) {
    if (gone !== undefined) {
      const key = JSON.stringify(one.labels);
      seen.set(key, one.labels);
      absent.delete(key);
    }
    eachCell(one, (suffix, value, le) => {
      const instrument = of[suffix];
      if (instrument === undefined) return;
      result.observe(instrument, value, le === undefined ? one.labels : { ...one.labels, le });
    });
  }
  // An SDK may export the last value of what is no longer observed for as long as the process runs: an age would grow without end.
  const instrument = of[''];
  if (instrument === undefined || gone === undefined) return;
  for (const labels of absent.values()) result.observe(instrument, gone, labels);
}

function observedBy(meter: Meter, { name: metric, type, help: description }: Described): Observed {
  const { name, unit, kind } = instrumentOf(metric, type);
  const options = unit === '' ? { description } : { description, unit };
  const seen = new Map<string, Labels>();
  if (type === 'histogram') {
    const counts = { description };
    const of = {
      _bucket: meter.createObservableCounter(`${name}.bucket`, counts),
      _sum: meter.createObservableCounter(`${name}.sum`, options),
      _count: meter.createObservableCounter(`${name}.count`, counts),
    };
    return { of, gone: undefined, seen };
  }
  if (kind === 'counter') return { of: { '': meter.createObservableCounter(name, options) }, gone: undefined, seen };
  if (kind === 'gauge') return { of: { '': meter.createObservableGauge(name, options) }, gone: Number.NaN, seen };
  return { of: { '': meter.createObservableUpDownCounter(name, options) }, gone: 0, seen };
}

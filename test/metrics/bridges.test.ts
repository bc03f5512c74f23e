import { describe, expect, it } from '@jest/globals';
import type { BatchObservableCallback, Meter, MetricOptions, Observable } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { Monitor } from '../../src/core/monitor.js';
import { expositionOf } from '../../src/metrics/exposition.js';
import { METRICS, promClientMetrics } from '../../src/metrics/index.js';
import { instrumentOf } from '../../src/opentelemetry/instrument-names.js';
import { openTelemetryMetrics } from '../../src/opentelemetry/metrics.js';

/** A monitor with some of everything: odd labels, a histogram, what is no number, and what is there twice. */
function filled(): Monitor {
  const monitor = new Monitor();
  const source = { flow: 'chat', source: 'kafka', name: 'lake' };
  monitor.metric('rxflume_source_records_total', source).add(7);
  monitor.metric('rxflume_source_records_total', { ...source, name: 'a"b\\c\nd\u0000\ud800é' }).add(2);
  monitor.metric('rxflume_source_in_flight_bytes', source).set(1.5);
  monitor.metric('rxflume_source_joined', { ...source, '1st': 'x', __own: 'y' }).set(1);
  monitor.metric('own_total', { lang: 'zh' }).add(3);
  monitor.metric('own_gauge').set(Number.NaN);
  monitor.metric('own gauge').set(1);
  monitor.histogram('rxflume_source_age_seconds', source).observe(0.5, 3);
  monitor.histogram('rxflume_source_age_seconds', source).observe(3e6);
  monitor.collect(() => [
    { name: 'own_infinite', labels: {}, value: Number.POSITIVE_INFINITY },
    { name: 'rxflume_source_joined', labels: source, value: 0 },
  ]);
  return monitor;
}

/** What moves from one reading to the next. */
const MOVING = /^rxflume_(process|event_loop)/;
const seriesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('# ') && !MOVING.test(line))
    .map(withSortedLabels)
    .sort();
const withSortedLabels = (line: string) =>
  line.replace(
    /\{(.*)\}/s,
    (_, pairs: string) =>
      `{${pairs
        .split(/,(?=\w+=")/)
        .sort()
        .join(',')}}`,
  );
const headsOf = (text: string, names: ReadonlySet<string>) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('# ') && names.has(line.split(' ')[2] as string))
    .sort();

describe('promClientMetrics', () => {
  it.each(['prometheus', 'openmetrics'] as const)(
    'has the series of /metrics, to the letter, as %s',
    async (format) => {
      const registry = new Registry();
      if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
      const monitor = filled();
      const remove = promClientMetrics(registry, monitor);
      const [bridged, own] = [await registry.metrics(), expositionOf(monitor.samples(), format)];
      expect(seriesOf(bridged)).toEqual(seriesOf(own));
      expect(seriesOf(own).length).toBeGreaterThan(30);
      const names = new Set(
        own.split('\n').flatMap((line) => (line.startsWith('# TYPE') ? line.split(' ')[2] : [])) as string[],
      );
      expect(headsOf(bridged, names)).toEqual(headsOf(own, names));
      remove();
    },
  );

  it('reads the monitor once for a scrape, and never else', async () => {
    const monitor = filled();
    let readings = 0;
    monitor.collect(() => {
      readings += 1;
      return [];
    });
    const registry = new Registry();
    const remove = promClientMetrics(registry, monitor);
    readings = 0;
    await Promise.resolve();
    expect(readings).toBe(0);
    await registry.metrics();
    await registry.getMetricsAsJSON();
    expect(readings).toBe(2);
    registry.resetMetrics();
    expect(await registry.metrics()).toContain('own_total{lang="zh"} 3');
    remove();
  });

  it('has a metric of the application from the scrape after the first that finds it', async () => {
    const [monitor, registry] = [new Monitor(), new Registry()];
    const remove = promClientMetrics(registry, monitor);
    monitor.metric('later_total').add(1);
    monitor.histogram('later_seconds').observe(1);
    await registry.metrics();
    const text = await registry.metrics();
    expect(text).toContain('\nlater_total 1\n');
    expect(text).toContain('# TYPE later_seconds histogram\n');
    expect(text).toContain('later_seconds_bucket{le="1.0"} 1\n');
    remove();
  });

  it('fails where a name is in the registry already, and adds nothing', () => {
    const registry = new Registry();
    const remove = promClientMetrics(registry, new Monitor());
    expect(() => promClientMetrics(registry, new Monitor())).toThrow(
      expect.objectContaining({
        code: 'RXF_OPTION_INVALID',
        message: expect.stringMatching(/a metric `rxflume_\w+` already\. Give/),
      }),
    );
    remove();
    expect(registry.getMetricsAsArray()).toEqual([]);
    promClientMetrics(registry, new Monitor())();
    expect(() => promClientMetrics({} as never)).toThrow(/`registry`/);
    expect(() => promClientMetrics(registry, {} as never)).toThrow(/`monitor`/);
  });

  it('leaves out a later name that the application has registered itself, says so once, and keeps what is not its own', async () => {
    const [monitor, registry] = [new Monitor(), new Registry()];
    const said: string[] = [];
    monitor.logEvents$.subscribe(({ what }) => said.push(what));
    const remove = promClientMetrics(registry, monitor);
    const own = {
      name: 'later_total',
      help: '',
      type: 'counter',
      get: async () => ({ name: 'later_total', help: '', type: 'counter', values: [{ value: 5, labels: {} }] }),
    };
    registry.registerMetric(own as never);
    monitor.metric('later_total').add(1);
    for (let scrape = 0; scrape < 3; scrape += 1) expect(await registry.metrics()).toContain('\nlater_total 5\n');
    expect(said).toEqual(['metrics.name']);
    remove();
    expect(registry.getMetricsAsArray()).toEqual([own]);
  });
});

interface Instrument {
  readonly kind: string;
  readonly name: string;
  readonly options: MetricOptions;
}

/** A meter that keeps what is made of it; `collect` asks its callback as an SDK does. */
function meterOf() {
  const instruments: Instrument[] = [];
  const callbacks = new Map<BatchObservableCallback, readonly Observable[]>();
  const make = (kind: string) => (name: string, options: MetricOptions) => {
    const made = { kind, name, options };
    instruments.push(made);
    return made;
  };
  const meter = {
    createObservableCounter: make('counter'),
    createObservableGauge: make('gauge'),
    createObservableUpDownCounter: make('upDownCounter'),
    addBatchObservableCallback: (callback: BatchObservableCallback, of: Observable[]) => callbacks.set(callback, of),
    removeBatchObservableCallback: (callback: BatchObservableCallback) => callbacks.delete(callback),
  };
  const collect = () => {
    const seen: [string, number, unknown][] = [];
    for (const [callback, of] of callbacks) {
      const observe = (instrument: Observable, value: number, attributes: unknown) => {
        if (!of.includes(instrument)) throw new Error('not of this callback');
        seen.push([(instrument as unknown as Instrument).name, value, attributes]);
      };
      void callback({ observe } as never);
    }
    return seen;
  };
  return { meter: meter as unknown as Meter, instruments, callbacks, collect };
}

describe('openTelemetryMetrics', () => {
  it('has every number of /metrics in one callback, and none after its end', async () => {
    const { meter, callbacks, collect } = meterOf();
    const monitor = filled();
    const end = openTelemetryMetrics(meter, monitor);
    expect(callbacks.size).toBe(1);
    collect();
    await Promise.resolve();
    const seen = collect().filter(([name]) => !/^rxflume\.(process|event_loop)/.test(name));
    expect(seen).toHaveLength(seriesOf(expositionOf(monitor.samples(), 'prometheus')).length);
    const source = { flow: 'chat', source: 'kafka', name: 'lake' };
    expect(seen).toContainEqual(['rxflume.source.records', 7, source]);
    expect(seen).toContainEqual(['rxflume.source.records', 2, { ...source, name: 'a"b\\c\nd\u0000\ufffdé' }]);
    expect(seen).toContainEqual(['rxflume.source.in_flight', 1.5, source]);
    expect(seen).toContainEqual(['rxflume.source.age.bucket', 3, { ...source, le: '0.5' }]);
    expect(seen).toContainEqual(['rxflume.source.age.bucket', 4, { ...source, le: '+Inf' }]);
    expect(seen).toContainEqual(['rxflume.source.age.sum', 3_000_001.5, source]);
    expect(seen).toContainEqual(['rxflume.source.age.count', 4, source]);
    expect(seen).toContainEqual(['own', 3, { lang: 'zh' }]);
    end();
    expect([callbacks.size, collect()]).toEqual([0, []]);
  });

  it('says that a series is gone, since an SDK exports the last value of what is not observed', () => {
    const { meter, collect } = meterOf();
    const monitor = new Monitor();
    const labels = { source: 'kafka', stream: 'kafka:chat/0' };
    const uncollect = monitor.collect(() => [
      { name: 'rxflume_source_oldest_unsettled_timestamp_seconds', labels, value: 1_700_000_000 },
      { name: 'rxflume_source_backlog_records', labels, value: 9 },
      { name: 'rxflume_source_records_total', labels: { source: 'kafka' }, value: 9 },
    ]);
    const end = openTelemetryMetrics(meter, monitor);
    expect(collect().filter(([name]) => name.startsWith('rxflume.source'))).toHaveLength(3);
    uncollect();
    for (let readers = 0; readers < 2; readers += 1) {
      expect(collect().filter(([name]) => name.startsWith('rxflume.source'))).toEqual([
        ['rxflume.source.backlog_records', 0, labels],
        ['rxflume.source.oldest_unsettled_timestamp', Number.NaN, labels],
      ]);
    }
    end();
  });

  it('makes of each metric one kind of instrument, with its unit and its help', () => {
    const { meter, instruments } = meterOf();
    openTelemetryMetrics(meter, new Monitor())();
    const described = (name: string) => instruments.find((one) => one.name === name);
    expect(described('rxflume.source.records')).toMatchObject({ kind: 'counter', options: { unit: '{record}' } });
    expect(described('rxflume.source.bytes')).toMatchObject({ kind: 'counter', options: { unit: 'By' } });
    expect(described('rxflume.source.backlog_records')).toMatchObject({ kind: 'upDownCounter' });
    expect(described('rxflume.source.oldest_unsettled_timestamp')).toMatchObject({
      kind: 'gauge',
      options: { unit: 's' },
    });
    expect(described('rxflume.source.window_closed')).toMatchObject({ kind: 'counter', options: { unit: 's' } });
    expect(described('rxflume.flow.state')?.options).toEqual({ description: METRICS.rxflume_flow_state?.help });
    expect(new Set(instruments.map(({ name }) => name)).size).toBe(instruments.length);
    expect(() => openTelemetryMetrics({} as Meter)).toThrow(/`meter`/);
    expect(() => openTelemetryMetrics(meter, {} as Monitor)).toThrow(/`monitor`/);
  });

  it('names so that a collector that exports to Prometheus makes the same name of it', () => {
    // Source: OpenTelemetry, Prometheus and OpenMetrics compatibility: units in full, without those in braces, then _total.
    const suffixes: Readonly<Record<string, string>> = { s: '_seconds', By: '_bytes' };
    const exported = (metric: string) => {
      const { name, unit, kind } = instrumentOf(metric, METRICS[metric]?.type ?? 'gauge');
      const plain = name.replaceAll('.', '_');
      const suffix = suffixes[unit] ?? '';
      const withUnit = plain.endsWith(suffix) ? plain : `${plain}${suffix}`;
      return kind === 'counter' && METRICS[metric]?.type !== 'histogram' ? `${withUnit}_total` : withUnit;
    };
    const names = Object.keys(METRICS);
    expect(names.map(exported)).toEqual(names);
    expect(instrumentOf('rxflume_source_bytes_total', 'counter').name).toMatch(/^[a-z_.]+$/);
  });
});

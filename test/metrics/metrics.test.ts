import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { decode, drainOn, filterValue, mapValue } from '../../operators/index.js';
import { BOUNDS, Histogram } from '../../src/core/histogram.js';
import { defaultMonitor, Monitor } from '../../src/core/monitor.js';
import { type DeadLetter, fileSink, flow, json, jsonLines, kafkaSource, text } from '../../src/index.js';
import { expositionOf } from '../../src/metrics/exposition.js';
import {
  culpritOf,
  type FlowStatus,
  livenessOf,
  METRICS,
  metricsHandler,
  readinessOf,
  statusOf,
} from '../../src/metrics/index.js';
import { TimeIndex } from '../../src/offsets/time-index.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { root, textOf } from '../docs/markdown.js';
import { inVirtualTime } from '../support/virtual-time.js';

const LIMITS = { maxNoProgressMs: 600_000, maxAgeMs: Number.POSITIVE_INFINITY };

describe('Histogram', () => {
  it('counts as many values up to each bound as there are, for any values', () => {
    const value = fc.oneof(
      fc.double({ min: 0, max: 2e6, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(...BOUNDS, ...BOUNDS.map((bound) => bound * (1 + Number.EPSILON)), 0, 1e-12, 5e-324),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), (values) => {
        const histogram = new Histogram();
        for (const one of values) histogram.observe(one);
        const { cumulative, count, sum } = histogram.read();
        expect(cumulative).toEqual(BOUNDS.map((bound) => values.filter((one) => one <= bound).length));
        expect(count).toBe(values.length);
        expect(sum).toBeCloseTo(
          values.reduce((all, one) => all + one, 0),
          3,
        );
        const sorted = [...values].sort((a, b) => a - b);
        const median = sorted[Math.max(0, Math.ceil(values.length / 2) - 1)];
        const found = histogram.quantile(0.5);
        if (median === undefined || found === undefined) expect(found).toBe(median);
        else if (median > 2 ** -20 && median <= 2 ** 20) {
          expect(found).toBeGreaterThanOrEqual(median);
          expect(found).toBeLessThanOrEqual(median * (1 + 1 / 8) + Number.EPSILON);
        }
      }),
    );
  });

  it('takes a negative value for 0, counts runs, and leaves out what is not finite', () => {
    const histogram = new Histogram();
    histogram.observe(-5);
    histogram.observe(2, 3);
    for (const odd of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) histogram.observe(odd);
    expect([histogram.read().count, histogram.read().sum, histogram.quantile(0), histogram.quantile(1)]).toEqual([
      4,
      6,
      2 ** -20 * (1 + 1 / 8),
      2,
    ]);
    histogram.observe(1e9);
    expect(histogram.quantile(1)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('TimeIndex', () => {
  it('knows the oldest within its bound, and counts each record once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ fetched: fc.integer({ min: 1, max: 500 }), acked: fc.integer({ min: 0, max: 600 }) }), {
          maxLength: 60,
        }),
        (steps) => {
          const index = new TimeIndex();
          const ages = { age: new Histogram(), settle: new Histogram() };
          let count = 0;
          let end = 0;
          for (const { fetched, acked } of steps) {
            for (let at = 0; at < fetched; at += 1) {
              if (index.wants(count, at === 0)) index.add(count, 1_000 + count, count);
              count += 1;
            }
            end = Math.min(count, end + acked);
            index.ackedUpTo(end, count, { ms: count, date: 1_000 + count }, ages);
            if (end === count) expect(index.oldestTime).toBeUndefined();
            else {
              expect(index.oldestTime).toBeLessThanOrEqual(1_000 + end);
              expect(index.oldestTime).toBeGreaterThan(1_000 + end - 64 - (count - end) / 256);
            }
          }
          index.ackedUpTo(count, count, { ms: count, date: 1_000 + count }, ages);
          expect([ages.age.read().count, ages.settle.read().count]).toEqual([count, count]);
        },
      ),
    );
  });

  it('keeps few entries however many records wait, each fetched alone', () => {
    const index = new TimeIndex();
    for (let seq = 0; seq < 500_000; seq += 1) if (index.wants(seq, true)) index.add(seq, 1_000 + seq, 0);
    const ages = { age: new Histogram(), settle: new Histogram() };
    for (const acked of [100_000, 250_000, 400_000]) {
      index.ackedUpTo(acked, 500_000, { ms: 0, date: 500_000 }, ages);
      expect(index.oldestTime).toBeLessThanOrEqual(1_000 + acked);
      expect(index.oldestTime).toBeGreaterThan(1_000 + acked - 2_000);
    }
  });
});

describe('the text of metrics', () => {
  const monitor = new Monitor();
  monitor.metric('own_total', { text: 'a"b\\c\nd\u0000\ud800é' }).add(2);
  monitor.metric('own_gauge').set(Number.NaN);
  monitor.metric('own gauge').set(1);
  monitor.metric('rxflume_source_joined', { source: 'kafka', '1st': 'x', __own: 'y' }).set(1);
  monitor.histogram('rxflume_source_age_seconds', { source: 'kafka' }).observe(0.5, 3);
  monitor.collect(() => [
    { name: 'rxflume_source_joined', labels: { source: 'kafka' }, value: 0 },
    { name: 'own_infinite', labels: {}, value: Number.POSITIVE_INFINITY },
  ]);

  it('is what Prometheus reads: escaped, one line for each series, without what is no number or no name', () => {
    const lines = expositionOf(monitor.samples(), 'prometheus').split('\n');
    expect(lines).toContain('own_total{text="a\\"b\\\\c\\nd\u0000\ufffdé"} 2');
    expect(lines).toContain('own_infinite +Inf');
    expect(lines.filter((line) => line.startsWith('rxflume_source_joined'))).toEqual([
      'rxflume_source_joined{source="kafka"} 0',
    ]);
    expect(lines.filter((line) => /own.gauge/.test(line))).toEqual([]);
    expect(lines).toContain('# TYPE rxflume_source_age_seconds histogram');
    expect(lines).toContain('rxflume_source_age_seconds_bucket{source="kafka",le="0.25"} 0');
    expect(lines).toContain('rxflume_source_age_seconds_bucket{source="kafka",le="0.5"} 3');
    expect(lines).toContain('rxflume_source_age_seconds_bucket{source="kafka",le="+Inf"} 3');
    expect(lines).toContain('rxflume_source_age_seconds_sum{source="kafka"} 1.5');
    expect(lines).toContain('# TYPE own_total counter');
  });

  it('gives any text of a label back, control characters and quotes included', () => {
    const odd = fc.constantFrom(
      '\n',
      '\r',
      '"',
      '\\',
      '\\n',
      '\u0000',
      '\u001b[2J',
      '\u2028',
      '\u0085',
      '}',
      ',',
      '=',
      ' #',
      '\ud83d',
    );
    const value = fc
      .array(fc.oneof(odd, fc.string({ unit: 'binary' })), { maxLength: 6 })
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(value, value, (first, second) => {
        const labels = { a: first, b: second };
        const lines = expositionOf([{ name: 'own', labels, value: 1 }], 'prometheus').split('\n');
        expect(lines).toHaveLength(4);
        const [, ...texts] =
          /^own\{a="((?:[^"\\\n]|\\["\\n])*)",b="((?:[^"\\\n]|\\["\\n])*)"\} 1$/s.exec(lines[2] as string) ?? [];
        const unescaped = texts.map((text) => text.replace(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one)));
        expect(unescaped).toEqual([first, second].map((text) => Buffer.from(text).toString()));
      }),
    );
  });

  it('is what OpenMetrics has', () => {
    const lines = expositionOf(monitor.samples(), 'openmetrics').split('\n');
    expect(lines).toContain('# TYPE own counter');
    expect(lines.slice(-2)).toEqual(['# EOF', '']);
    expect(lines).toContain('rxflume_source_age_seconds_bucket{source="kafka",le="1.0"} 3');
  });

  it('leaves out a collector that throws, and the rest is there', () => {
    const own = new Monitor();
    const reported: string[] = [];
    own.logEvents$.subscribe(({ what }) => reported.push(what));
    own.collect(() => {
      throw new TypeError('x is undefined');
    });
    own.metric('rest').set(1);
    expect(own.samples().map(({ name }) => name)).toEqual(['rest']);
    expect(reported).toEqual(['metrics.collector']);
  });
});

describe('the catalog', () => {
  const documented = textOf('docs/reference/metrics.md')
    .split('\n')
    .filter((line) => line.startsWith('| `rxflume_'))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\| | \|$/g, '')));

  it('is the documentation', () => {
    const described = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
      `\`${name}\``,
      type,
      labels.length === 0 ? '–' : labels.map((label) => `\`${label}\``).join(', '),
      help,
    ]);
    const byName = (a: string[], b: string[]) => String(a[0]).localeCompare(String(b[0]));
    expect(documented.sort(byName)).toEqual(described.sort(byName));
  });

  it('has every metric of the code, and no other', () => {
    const code = ['src', 'operators'].flatMap((folder) =>
      readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && name !== 'metrics/catalog.ts')
        .map((name) => `${folder}/${name}`),
    );
    const used = new Set<string>();
    for (const file of code) {
      const source = textOf(file);
      for (const [name] of source.matchAll(/rxflume_[a-z_]+[a-z]/g)) used.add(name);
      for (const [, name] of source.matchAll(/(?:known|of)\('([a-z]+_[a-z_]+)'/g))
        used.add(name?.startsWith('rxflume_') === true ? name : `rxflume_source_${name}`);
    }
    for (const call of ['write', 'commit']) used.add(`rxflume_sink_${call}_duration_seconds`);
    for (const what of ['received', 'emitted', 'nacked']) used.add(`rxflume_operator_${what}_total`);
    used.delete('rxflume_source');
    used.delete('rxflume_sink');
    used.delete('rxflume_operator');
    expect([...used].sort()).toEqual(Object.keys(METRICS).sort());
  });

  it('has every metric that the rules of deploy/prometheus ask for', () => {
    const rules = textOf('deploy/prometheus/rxflume.rules.yml');
    const asked = [...new Set(rules.match(/rxflume_[a-z_]+/g))];
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((name) => !(name in METRICS))).toEqual([]);
  });

  it('names by the conventions of Prometheus', () => {
    for (const [name, { type }] of Object.entries(METRICS)) {
      expect([name, name.endsWith('_total')]).toEqual([name, type === 'counter']);
      expect(name).not.toMatch(/_(ms|millis|milliseconds|kb|mb|percent|count|sum|bucket)(_|$)/);
    }
  });
});

describe('the status of a flow', () => {
  it('is that of its parts', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 1);
      kafka.produce('chat', 0, ['{"n":1}', 'not JSON', '{"n":2}', '{"n":3}']);
      const fs = memoryFileSystem();
      const monitor = new Monitor();
      const stop$ = new Subject<void>();
      const letters = fileSink<DeadLetter>(fs, { root: '/letters', format: jsonLines(), monitor });
      const lake = fileSink<string>(fs, { root: '/lake', format: text(), monitor });
      const source = kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', monitor });
      const whole = flow(
        'status',
        source,
        decode(
          json((value) => value as { n: number }),
          { deadLetter: letters.write() },
        ),
        filterValue(({ n }) => n !== 2),
        mapValue(({ n }) => String(n)),
        lake.write(),
      );
      const read = (of: Monitor) => statusOf(of).find(({ flow: name }) => name === 'status') as FlowStatus;
      whole.pipe(drainOn(stop$)).subscribe();
      at(5_000, () => {
        const { sources, sinks } = read(monitor);
        expect(sources).toMatchObject([
          { source: 'kafka', name: 'lake', received: 4, emitted: 4, joined: 1, streams: [{ read: 4, backlog: 0 }] },
        ]);
        expect(sinks.map(({ sink, to }) => `${sink} ${to}`).sort()).toEqual(['files /lake', 'files /letters']);
        const { state, operators, deadLetters } = read(defaultMonitor);
        expect(state).toBe('running');
        expect(operators).toEqual([
          { operator: '1 decode', received: 4, emitted: 3, nacked: 0 },
          { operator: '2 filterValue', received: 3, emitted: 2, nacked: 0 },
          { operator: '3 mapValue', received: 2, emitted: 2, nacked: 0 },
        ]);
        expect(deadLetters).toEqual({ RXF_DECODE_SYNTAX: 1 });
        stop$.next();
      });
      at(20_000, () => {
        expect(read(defaultMonitor).state).toBe('completed');
        expect(read(monitor).sources[0]?.streams).toEqual([]);
        expect(read(monitor).sources[0]?.acked).toBe(4);
        const durations = monitor.samples().filter(({ name }) => name === 'rxflume_sink_commit_duration_seconds');
        expect(durations.map(({ value, labels }) => [labels.flow, value])).toContainEqual(['status', 1]);
      });
    }));
});

describe('health', () => {
  const source = { source: 'kafka', name: 'lake', joined: 1, interrupted: 0, streams: [] };
  const status = (given: Partial<FlowStatus> = {}): FlowStatus => ({
    flow: 'chat',
    state: 'running',
    sources: [source],
    operators: [],
    sinks: [],
    deadLetters: {},
    ...given,
  });
  const messageOf = (of: FlowStatus) => culpritOf(of).message;
  const whats = ({ reasons }: { reasons: readonly { what: string }[] }) => reasons.map(({ what }) => what);

  it('fails liveness only where nothing moves for long', () => {
    expect(livenessOf([status()], LIMITS)).toEqual({ ok: true, reasons: [] });
    const stalled = status({ sources: [{ ...source, noProgressSeconds: 601 }] });
    expect(whats(livenessOf([stalled], LIMITS))).toEqual(['no-progress']);
    expect(whats(livenessOf([status({ state: 'draining' })], LIMITS))).toEqual([]);
  });

  it('is ready where all flows run, are connected and read', () => {
    expect(readinessOf([status()], LIMITS).ok).toBe(true);
    expect(whats(readinessOf([], LIMITS))).toEqual(['not-running']);
    expect(whats(readinessOf([status({ state: 'failed' })], LIMITS))).toEqual(['not-running']);
    expect(whats(readinessOf([status({ sources: [{ ...source, joined: 0 }] })], LIMITS))).toEqual(['not-connected']);
    expect(whats(readinessOf([status({ sources: [] })], LIMITS))).toEqual(['not-connected']);
    expect(whats(readinessOf([status({ sources: [{ ...source, interrupted: 1 }] })], LIMITS))).toEqual(['not-reading']);
  });

  it('says where a record waits that is too old, as far as it is known', () => {
    const old = { stream: 'kafka:chat/0', oldestUnsettledSeconds: 1 };
    const calls = [{ sink: 'files', to: '/lake', waitingSeconds: { write: 40 } }];
    const [reason] = readinessOf([status({ sources: [{ ...source, streams: [old] }], sinks: calls })], {
      ...LIMITS,
      maxAgeMs: 900_000,
    }).reasons;
    expect(reason?.what).toBe('too-old');
    expect(reason?.message).toMatch(
      /kafka:chat\/0 is \d+ s old\. A write of sink files \(\/lake\) has been unanswered for 40\.0 s\./,
    );
    expect(messageOf(status({ sources: [{ ...source, inFlight: 3 }] }))).toMatch(/in an operator/);
    expect(messageOf(status({ sources: [{ ...source, interrupted: 1 }] }))).toMatch(/cannot read/);
    expect(messageOf(status({ sinks: [{ ...calls[0], waitingSeconds: {}, openFiles: 1 } as never] }))).toMatch(/roll/);
    expect(messageOf(status())).toMatch(/broker/);
  });

  it('counts no age below 0 where the clock was set back', () => {
    const old = { stream: 'kafka:chat/0', oldestUnsettledSeconds: Date.now() / 1_000 + 3_600 };
    const limits = { ...LIMITS, maxAgeMs: 1 };
    expect(readinessOf([status({ sources: [{ ...source, streams: [old] }] })], limits)).toEqual({
      ok: true,
      reasons: [],
    });
  });
});

describe('metricsHandler', () => {
  const ask = (handle: ReturnType<typeof metricsHandler>, path: string, init: RequestInit = {}) =>
    handle(new Request(`http://localhost${path}`, init));

  it('answers GET and HEAD on its three paths, and nothing else', async () => {
    const monitor = new Monitor();
    const handle = metricsHandler({ monitor });
    const metrics = ask(handle, '/metrics?x=1');
    expect([metrics.status, metrics.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(await metrics.text()).toMatch(/^rxflume_build_info\{node="v[\d.]+",version="[\d.]+"\} 1$/m);
    const open = ask(handle, '/metrics', {
      headers: { accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' },
    });
    expect(await open.text()).toMatch(/# EOF\n$/);
    const head = ask(handle, '/metrics', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    const post = ask(handle, '/metrics', { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect([ask(handle, '/').status, ask(handle, '/__proto__').status]).toEqual([404, 404]);
    const ready = ask(handle, '/readyz');
    expect([ready.status, await ready.json()]).toMatchObject([503, { ok: false, reasons: [{ what: 'not-running' }] }]);
    expect([ask(handle, '/livez').status, await ask(handle, '/livez').json()]).toEqual([
      200,
      { ok: true, reasons: [] },
    ]);
    handle.end();
    expect(monitor.samples().map(({ name }) => name)).toEqual(['rxflume_event_loop_delay_seconds']);
  });

  it('renders once for all who ask at the same moment', () => {
    const monitor = new Monitor();
    let readings = 0;
    monitor.collect(() => {
      readings += 1;
      return [];
    });
    const handle = metricsHandler({ monitor });
    for (let scrapes = 0; scrapes < 1_000; scrapes += 1) ask(handle, '/metrics');
    expect(readings).toBeLessThan(20);
    handle.end();
  });

  it('rejects a bad option at the call', () => {
    expect(() => metricsHandler({ maxAgeMs: 0 })).toThrow(/maxAgeMs/);
    expect(() => metricsHandler({ monitor: {} as Monitor })).toThrow(/monitor/);
  });
});

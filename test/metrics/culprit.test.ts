import { describe, expect, it } from '@jest/globals';
import { NEVER, of, Subject } from 'rxjs';
import { batch, dedupeBy, mapValue, mapValueAsync, splitValue, transmit, trusted } from '../../operators/index.js';
import { Histogram } from '../../src/core/histogram.js';
import { defaultMonitor, type LogEvent, Monitor, type Sample } from '../../src/core/monitor.js';
import { flow, kafkaSource, nullSink } from '../../src/index.js';
import { expositionOf } from '../../src/metrics/exposition.js';
import { culpritOf, type FlowStatus, METRICS, readinessOf, statusOf } from '../../src/metrics/index.js';
import { mergedSamples } from '../../src/metrics/merged.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../support/virtual-time.js';

const source = { source: 'kafka', name: 'lake', joined: 1, interrupted: 0, inFlight: 5, streams: [] };
const sink = (waitingSeconds: Record<string, number> = {}, to = '/lake', openFiles = 0) => ({
  sink: 'files',
  to,
  openFiles,
  waitingSeconds,
});
const operator = (name: string, inFlight?: number, waitingSeconds?: number) => ({
  operator: name,
  ...(inFlight === undefined ? {} : { inFlight }),
  ...(waitingSeconds === undefined ? {} : { waitingSeconds }),
});

describe('the culprit', () => {
  const CASES: readonly [string, Partial<FlowStatus>, [string, string, number | undefined]][] = [
    ['a sink whose call is not answered', { sinks: [sink({ write: 40 })] }, ['sink', 'sink files (/lake)', 40]],
    [
      'of several calls the one that waits longest',
      { sinks: [sink({ write: 3, commit: 9 }), sink({ write: 40 }, '/letters')] },
      ['sink', 'sink files (/letters)', 40],
    ],
    [
      'the sink, not the operators that wait for it',
      { operators: [operator('1 mapValueAsync', 4, 50)], sinks: [sink({ write: 39 })] },
      ['sink', 'sink files (/lake)', 39],
    ],
    [
      'the operator, where the sink answers',
      { operators: [operator('1 mapValueAsync', 4, 50)], sinks: [sink({ write: 0.2 })] },
      ['operator', 'operator 1 mapValueAsync', 50],
    ],
    [
      'of operators the last, since those before wait for it',
      { operators: [operator('1 rateLimit', 100, 60), operator('2 decode'), operator('3 mapValueAsync', 4, 20)] },
      ['operator', 'operator 3 mapValueAsync', 20],
    ],
    [
      'an operator that is stuck before one that is only busy',
      { operators: [operator('1 mapValueAsync', 4, 60), operator('2 batch', 3, 0.5)] },
      ['operator', 'operator 1 mapValueAsync', 60],
    ],
    [
      'a partition that cannot be read, where all behind is only busy',
      {
        sources: [{ ...source, interrupted: 1 }],
        operators: [operator('1 batch', 3, 0.5)],
        sinks: [sink({ write: 0.1 })],
      },
      ['source', 'source kafka (lake)', undefined],
    ],
    [
      'a busy sink, where nothing else is known',
      { sinks: [sink({ write: 0.2 })] },
      ['sink', 'sink files (/lake)', 0.2],
    ],
    [
      'an operator that holds something, where nothing else is known',
      { operators: [operator('1 batch', 1, 0.5), operator('2 mapValue', 0)] },
      ['operator', 'operator 1 batch', 0.5],
    ],
    ['unknown, where records are out and nothing shows where', {}, ['unknown', '', undefined]],
    [
      'open files, where all is released',
      { sources: [{ ...source, inFlight: 0 }], sinks: [sink({}, '/lake', 2)] },
      ['sink', 'sink files (/lake)', undefined],
    ],
    [
      'the source, where nothing is out',
      { sources: [{ ...source, inFlight: 0 }] },
      ['source', 'source kafka (lake)', undefined],
    ],
    ['nobody, where there is no source', { sources: [] }, ['source', '', undefined]],
  ];

  it.each(CASES)('is %s', (_, given, expected) => {
    const status = { flow: 'chat', state: 'running' as const, sources: [source], operators: [], sinks: [], ...given };
    const { kind, name, seconds, message } = culpritOf({ ...status, deadLetters: {} });
    expect([kind, name, seconds]).toEqual(expected);
    expect(message).toMatch(/^[A-Z].*\.$/);
    if (seconds !== undefined) expect(message).toContain(`${seconds.toFixed(1)} s`);
  });
});

describe('samples with the same labels', () => {
  const joined = (name: string, ...values: number[]) =>
    mergedSamples(values.map((value): Sample => ({ name, labels: { source: 'amqp', name: 'q' }, value }))).map(
      ({ value }) => value,
    );

  it('are one, joined as the metric says', () => {
    expect(joined('rxflume_source_in_flight_records', 2, 3)).toEqual([5]);
    expect(joined('rxflume_source_joined', 1, 0)).toEqual([0]);
    expect(joined('rxflume_source_oldest_unsettled_timestamp_seconds', 90, 70)).toEqual([70]);
    expect(joined('rxflume_source_no_progress_seconds', 0, 12)).toEqual([12]);
    expect(joined('own_gauge', 7, 8)).toEqual([7]);
  });

  it('are joined whatever the order of the labels, in the text and in the status', () => {
    const monitor = new Monitor();
    const name = 'rxflume_source_in_flight_records';
    monitor.collect(() => [
      { name, labels: { source: 'amqp', name: 'q' }, value: 2 },
      { name, labels: { name: 'q', source: 'amqp' }, value: 3 },
    ]);
    expect(expositionOf(monitor.samples(), 'prometheus')).toContain(`${name}{name="q",source="amqp"} 5`);
    expect(statusOf(monitor)[0]?.sources[0]?.inFlight).toBe(5);
  });

  it('are of gauges only: what is counted by all is one already', () => {
    const odd = Object.entries(METRICS).filter(([, { type, merge }]) => (type === 'gauge') === (merge === undefined));
    expect(odd).toEqual([]);
    const histogram = new Histogram().read();
    const sample = { name: 'rxflume_source_age_seconds', labels: {}, value: 1, histogram };
    expect(mergedSamples([sample, sample])).toEqual([sample]);
  });
});

/** A flow of numbers from Kafka, as its status has it. */
function chat(values: readonly string[]) {
  const kafka = new MemoryKafka();
  kafka.createTopic('chat', 1);
  kafka.produce('chat', 0, values);
  const from = (groupId: string) => kafkaSource(kafka, { topics: ['chat'], groupId });
  const read = (name: string) => statusOf(defaultMonitor).find(({ flow: of }) => of === name) as FlowStatus;
  return { from, read };
}

describe('the operators of a flow', () => {
  it('count what they take, give, nack and hold, also those that do not count themselves', () =>
    inVirtualTime((at) => {
      const { from, read } = chat(['a', 'b', 'b', 'c', 'd']);
      const whole = flow(
        'counts',
        from('counts'),
        mapValue((value) => String(value)),
        dedupeBy((value) => value, { windowMs: 1_000_000 }),
        trusted((deliveries) => deliveries),
        splitValue((value) => [value, value]),
        batch({ count: 3, maxWaitMs: 1_000_000 }),
        mapValueAsync((values) => (values.includes('c') ? NEVER : of(values.join('')))),
        nullSink().write(),
      );
      const running = whole.subscribe();
      at(2_000, () => read('counts'));
      at(5_000, () => {
        const status = read('counts');
        expect(status.operators).toMatchObject([
          { operator: '1 mapValue', received: 5, emitted: 5, nacked: 0 },
          { operator: '2 dedupeBy', received: 5, emitted: 4, nacked: 0 },
          { received: 4, emitted: 4 },
          { operator: '4 splitValue', received: 4, emitted: 8, nacked: 0 },
          { operator: '5 batch', received: 8, emitted: 2, inFlight: 2 },
          { operator: '6 mapValueAsync', received: 2, emitted: 1, inFlight: 1 },
        ]);
        expect(culpritOf(status)).toMatchObject({ kind: 'operator', name: 'operator 6 mapValueAsync' });
        expect(culpritOf(status).seconds).toBeGreaterThanOrEqual(3);
        const streams = [{ stream: 'kafka:chat/0', oldestUnsettledSeconds: 0.001 }];
        const aged = { ...status, sources: status.sources.map((one) => ({ ...one, streams })) };
        const [reason] = readinessOf([aged], { maxNoProgressMs: 1_000, maxAgeMs: 1_000 }).reasons;
        expect(reason?.what).toBe('too-old');
        expect(reason?.culprit?.name).toBe('operator 6 mapValueAsync');
        running.unsubscribe();
      });
    }));

  it('count what they nack, and the last one, that writes by itself', () =>
    inVirtualTime((at) => {
      const { from, read } = chat(['a', 'x']);
      const answer$ = new Subject<number>();
      const whole = flow(
        'transmits',
        from('transmits'),
        mapValue((value) => {
          if (String(value) === 'x') throw new TypeError('no');
          return value;
        }),
        transmit(() => answer$),
      );
      const running = whole.subscribe({ error: () => undefined });
      at(1_000, () => {
        expect(read('transmits').operators).toMatchObject([
          { operator: '1 mapValue', received: 2, emitted: 1, nacked: 1 },
          { operator: '2 transmit', received: 1, inFlight: 1, nacked: 0 },
        ]);
        running.unsubscribe();
      });
    }));
});

describe('two flows of one name', () => {
  it('are reported, share what they count, and the worst state shows until the next begins', () =>
    inVirtualTime((at) => {
      const said: LogEvent[] = [];
      const listening = defaultMonitor.logEvents$.subscribe((event) => said.push(event));
      const { from, read } = chat(['a']);
      const stop$ = new Subject<void>();
      const build = (group: string) => flow('same', from(group), mapValue(String), nullSink().write());
      const first = build('one').subscribe();
      expect(said.filter(({ what }) => what === 'flow.twice')).toEqual([]);
      build('two').drainedBy(stop$).subscribe();
      expect(said.filter(({ what }) => what === 'flow.twice')).toHaveLength(1);
      at(1_000, () => {
        expect(read('same').operators).toMatchObject([{ operator: '1 mapValue', received: 2 }]);
        expect(read('same').state).toBe('running');
        stop$.next();
      });
      at(5_000, () => {
        // One has completed, the other runs.
        expect(read('same').state).toBe('running');
        first.unsubscribe();
        expect(read('same').state).toBe('abandoned');
        const third = build('three').subscribe();
        expect(read('same').state).toBe('running');
        third.unsubscribe();
        listening.unsubscribe();
      });
    }));
});

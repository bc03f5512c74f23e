import { describe, expect, it } from '@jest/globals';
import { defaultMonitor, type LogEvent, Monitor } from '../../src/core/monitor.js';
import { inVirtualTime } from '../support/virtual-time.js';

describe('Monitor', () => {
  it('keeps one metric for each name and labels, in any order of the labels', () => {
    const monitor = new Monitor();
    const metric = monitor.metric('lag', { topic: 'chat', group: 'lake' });
    metric.set(5);
    monitor.metric('lag', { group: 'lake', topic: 'chat' }).add(2);
    monitor.metric('lag').add(1);
    expect(monitor.metric('lag', { group: 'lake', topic: 'chat' })).toBe(metric);
    expect(monitor.samples()).toEqual([
      { name: 'lag', labels: { topic: 'chat', group: 'lake' }, value: 7 },
      { name: 'lag', labels: {}, value: 1 },
    ]);
    expect([monitor.total('lag'), monitor.total('none')]).toEqual([8, 0]);
  });

  it('tells labels apart that look alike when they are put together', () => {
    const monitor = new Monitor();
    monitor.metric('n', { a: 'x,b', c: '' }).add(1);
    monitor.metric('n', { a: 'x', 'b,c': '' }).add(1);
    expect(monitor.samples().length).toBe(2);
  });

  it('forgets a metric, and only that', () => {
    const monitor = new Monitor();
    monitor.metric('lag', { partition: '0' }).set(3);
    monitor.metric('lag', { partition: '1' }).set(4);
    monitor.forget('lag', { partition: '0' });
    expect(monitor.samples()).toEqual([{ name: 'lag', labels: { partition: '1' }, value: 4 }]);
  });

  it('emits log events to its subscribers, and keeps none', () => {
    const monitor = new Monitor();
    const heard: LogEvent[] = [];
    monitor.logEvent('info', 'early', 'Nobody listens.');
    monitor.logEvents$.subscribe((logEvent) => heard.push(logEvent));
    monitor.logEvent('warn', 'RXF_KAFKA_LOST', 'Lost k1.', { broker: 'k1' });
    monitor.logEvent('error', 'x', 'y');
    expect(heard).toEqual([
      { level: 'warn', what: 'RXF_KAFKA_LOST', message: 'Lost k1.', details: { broker: 'k1' } },
      { level: 'error', what: 'x', message: 'y' },
    ]);
  });

  describe('failures', () => {
    const heardOf = () => {
      const monitor = new Monitor();
      const heard: string[] = [];
      monitor.logEvents$.subscribe(({ level, what, message }) => heard.push(`${level} ${what}: ${message}`));
      return { monitor, heard };
    };

    it('are reported in full by the first to see them, by others with what they add, or not at all', () => {
      const { monitor, heard } = heardOf();
      const cause = new Error('disk full');
      const seen = new Error('Cannot write: disk full', { cause });
      monitor.report({ what: 'A', message: 'Cannot write: disk full', addition: 'never', cause: seen });
      monitor.report({ what: 'B', message: 'refused: disk full', addition: 'Read again.', cause: seen });
      monitor.report({ what: 'C', level: 'error', message: 'end: disk full', addition: 'Ends.', cause });
      monitor.report({ what: 'D', message: 'refused', cause: new Error('wrapped', { cause: seen }) });
      expect(heard).toEqual(['warn A: Cannot write: disk full', 'info B: Read again.', 'info C: Ends.']);
      expect(monitor.reportedOf(new Error('wrapped', { cause: seen }))).toBe(seen);
    });

    it('are distinguished where they only look alike, and where what was thrown is no object', () => {
      const { monitor, heard } = heardOf();
      monitor.report({ what: 'A', about: 'chat/0', message: '0: full', cause: new Error('full') });
      monitor.report({ what: 'A', about: 'chat/1', message: '1: full', cause: new Error('full') });
      monitor.report({ what: 'B', about: 'chat/1', message: 'b', cause: 'full' });
      monitor.report({ what: 'C', about: 'chat/1', message: 'c', cause: 'full' });
      expect(heard).toEqual(['warn A: 0: full', 'warn A: 1: full', 'warn B: b', 'warn C: c']);
      expect([monitor.reportedOf('full'), monitor.reportedOf(undefined)]).toEqual([undefined, undefined]);
    });

    it('of one thing that differ in numbers are said once in 10 s, and how many they were with the next', () =>
      inVirtualTime((at) => {
        const { monitor, heard } = heardOf();
        for (let n = 0; n <= 120; n += 1) {
          const message = `Cannot write /tmp/f-${n}`;
          at(n * 100, () => monitor.report({ what: 'A', about: 'chat/0', message, cause: new Error(message) }));
        }
        at(12_100, () =>
          expect(heard).toEqual([
            'warn A: Cannot write /tmp/f-0',
            'warn A: Cannot write /tmp/f-100 (99 similar failures since the last report.)',
          ]),
        );
      }));

    it('are news again a minute later', () =>
      inVirtualTime((at) => {
        const { monitor, heard } = heardOf();
        const cause = new Error('full');
        for (const ms of [0, 59_000, 61_000]) at(ms, () => monitor.report({ what: 'A', message: 'full', cause }));
        at(62_000, () => expect(heard).toEqual(['warn A: full', 'warn A: full']));
      }));

    it('may be their own cause', () => {
      const { monitor, heard } = heardOf();
      const first: Error & { cause?: unknown } = new Error('a');
      first.cause = new Error('b', { cause: first });
      monitor.report({ what: 'A', message: 'a', cause: first });
      expect([heard, monitor.reportedOf(first.cause)]).toEqual([['warn A: a'], first.cause]);
    });

    it('are remembered within a bound', () => {
      const { monitor, heard } = heardOf();
      for (let n = 0; n < 3_000; n += 1) {
        monitor.report({ what: 'A', about: `${n}`, message: `${n}`, cause: new Error('x') });
      }
      monitor.report({ what: 'A', about: '0', message: 'forgotten', cause: new Error('x') });
      monitor.report({ what: 'A', about: '2999', message: 'remembered', cause: new Error('x') });
      expect(heard.slice(2_999)).toEqual(['warn A: 2999', 'warn A: forgotten']);
    });
  });

  it('is one a process where none is given, also for two copies of the package', () => {
    expect((globalThis as Record<symbol, unknown>)[Symbol.for('rxflume.defaultMonitor')]).toBe(defaultMonitor);
  });
});

import { describe, expect, it } from '@jest/globals';
import { defaultMonitor, Monitor, type Notice } from '../../src/core/monitor.js';

describe('Monitor', () => {
  it('keeps one figure for each name and labels, in any order of the labels', () => {
    const monitor = new Monitor();
    const figure = monitor.figure('lag', { topic: 'chat', group: 'lake' });
    figure.set(5);
    monitor.figure('lag', { group: 'lake', topic: 'chat' }).add(2);
    monitor.figure('lag').add(1);
    expect(monitor.figure('lag', { group: 'lake', topic: 'chat' })).toBe(figure);
    expect(monitor.samples()).toEqual([
      { name: 'lag', labels: { topic: 'chat', group: 'lake' }, value: 7 },
      { name: 'lag', labels: {}, value: 1 },
    ]);
    expect([monitor.total('lag'), monitor.total('none')]).toEqual([8, 0]);
  });

  it('tells labels apart that look alike when they are put together', () => {
    const monitor = new Monitor();
    monitor.figure('n', { a: 'x,b', c: '' }).add(1);
    monitor.figure('n', { a: 'x', 'b,c': '' }).add(1);
    expect(monitor.samples().length).toBe(2);
  });

  it('forgets a figure, and only that', () => {
    const monitor = new Monitor();
    monitor.figure('lag', { partition: '0' }).set(3);
    monitor.figure('lag', { partition: '1' }).set(4);
    monitor.forget('lag', { partition: '0' });
    expect(monitor.samples()).toEqual([{ name: 'lag', labels: { partition: '1' }, value: 4 }]);
  });

  it('tells notices to whoever listens, and keeps none', () => {
    const monitor = new Monitor();
    const heard: Notice[] = [];
    monitor.notice('info', 'early', 'Nobody listens.');
    monitor.notices$.subscribe((notice) => heard.push(notice));
    monitor.notice('warn', 'RXF_KAFKA_LOST', 'Lost k1.', { broker: 'k1' });
    monitor.notice('error', 'x', 'y');
    expect(heard).toEqual([
      { level: 'warn', what: 'RXF_KAFKA_LOST', message: 'Lost k1.', details: { broker: 'k1' } },
      { level: 'error', what: 'x', message: 'y' },
    ]);
  });

  it('is one a process where none is given, also for two copies of the package', () => {
    expect((globalThis as Record<symbol, unknown>)[Symbol.for('rxflume.defaultMonitor')]).toBe(defaultMonitor);
  });
});

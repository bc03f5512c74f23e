import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ConsoleLog } from '../../src/cli/console-log.js';
import { run } from '../../src/cli/run.js';
import { Monitor } from '../../src/core/monitor.js';
import { Source } from '../../src/delivery/source.js';
import type { Flow } from '../../src/flow/flow.js';
import { registerRun } from '../../src/flow/flow-registry.js';

const quiet: ConsoleLog = { say: () => undefined, progress: () => undefined, progressEveryMs: 60_000, columns: 80 };

/** A flow that completes when it is told to stop. */
function endless(): Flow {
  const source = new Source<never>((subscriber, stop$) => stop$.subscribe(() => subscriber.complete()));
  return Object.assign(source, {
    name: 'endless',
    guarantee: { level: 'at-least-once', because: ['x'] },
    warnings: [],
  }) as unknown as Flow;
}

/** Says nothing, and keeps the summary. */
function summaryLog(): ConsoleLog & { summary?: string; facts?: object | undefined } {
  const log: ConsoleLog & { summary?: string; facts?: object | undefined } = {
    ...quiet,
    say: (_, what, message, facts) => {
      if (what !== 'summary') return;
      log.summary = message;
      log.facts = facts;
    },
  };
  return log;
}

const hold = (ms: number) => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

describe('--until-idle', () => {
  it.each([
    ['before the group is joined', 'rxflume_source_joined', 0, 1],
    ['while fetches fail', 'rxflume_source_interrupted', 1, 0],
    ['while records wait for the sink', 'rxflume_source_held_back_partitions', 1, 0],
  ])('does not take silence for the end %s', async (_, metric, troubled, well) => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    monitor.metric(metric).set(troubled);
    let code: number | undefined;
    const running = run(endless(), quiet, { untilIdleMs: 20, drainTimeoutMs: 1_000, monitor });
    void running.exitCode.then((ended) => {
      code = ended;
    });
    await hold(100);
    expect(code).toBeUndefined();
    monitor.metric(metric).set(well);
    await hold(30);
    expect(code).toBe(0);
  });

  it('does not take a pause for the end', async () => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    const control = { name: 'endless', state: 'paused' };
    const unregister = registerRun({ flow: {}, control });
    const running = run(endless(), quiet, { untilIdleMs: 20, drainTimeoutMs: 1_000, monitor });
    let code: number | undefined;
    void running.exitCode.then((ended) => {
      code = ended;
    });
    await hold(100);
    expect(code).toBeUndefined();
    control.state = 'running';
    await hold(30);
    expect(code).toBe(0);
    unregister();
  });

  it('starts anew with each record', async () => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    const startedAt = Date.now();
    let endedAt = Number.NaN;
    const running = run(endless(), quiet, { untilIdleMs: 60, drainTimeoutMs: 1_000, monitor });
    void running.exitCode.then(() => {
      endedAt = Date.now();
    });
    for (let n = 0; n < 4; n += 1) {
      await hold(30);
      monitor.metric('rxflume_source_records_total').add(1);
    }
    await hold(1_000);
    expect(endedAt - startedAt).toBeGreaterThanOrEqual(170);
    expect(endedAt - startedAt).toBeLessThanOrEqual(210);
  });

  it.each([
    ['of silence', undefined],
    ['of silence after fetches that failed', 'rxflume_source_interrupted'],
    ['of silence after a rebalance', 'rxflume_source_joined'],
  ])('reports a rate that does not count the time %s', async (_, metric) => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    const log = summaryLog();
    const running = run(endless(), log, { untilIdleMs: 5_000, drainTimeoutMs: 1_000, monitor });
    for (let second = 0; second < 10; second += 1) {
      monitor.metric('rxflume_source_records_total').add(100);
      await hold(1_000);
    }
    if (metric !== undefined) {
      const before = monitor.metric(metric).value;
      monitor.metric(metric).set(1 - before);
      await hold(60_000);
      monitor.metric(metric).set(before);
    }
    await hold(6_000);
    expect(await running.exitCode).toBe(0);
    // The last hundred came after nine seconds; a look each 100 ms sees it.
    const rate = Number(/1000 records in \((\d+)\/s\)/.exec(log.summary ?? '')?.[1]);
    expect(rate).toBeGreaterThanOrEqual(1_000 / 9.2);
    expect(rate).toBeLessThanOrEqual(1_000 / 9 + 1);
  });

  it('counts the whole time where it was stopped otherwise', async () => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_records_total').add(1_000);
    const log = summaryLog();
    const running = run(endless(), log, { untilIdleMs: 60_000, drainTimeoutMs: 1_000, monitor });
    await hold(20_000);
    running.stop('SIGTERM');
    await running.exitCode;
    expect(log.summary).toBe('endless drained after 20.0 s: 1000 records in (50/s), 0 settled.');
    expect(log.facts).toMatchObject({ records: 1_000, recordsPerSecond: 50, seconds: 20 });
  });

  it('reports no rate of nothing', async () => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    const log = summaryLog();
    const running = run(endless(), log, { untilIdleMs: 500, drainTimeoutMs: 1_000, monitor });
    await hold(1_000);
    await running.exitCode;
    expect(log.summary).toContain('0 records in (0/s)');
  });
});

import { describe, expect, it } from '@jest/globals';
import type { ConsoleLog } from '../../src/cli/console-log.js';
import { run } from '../../src/cli/run.js';
import { Monitor } from '../../src/core/monitor.js';
import { Source } from '../../src/delivery/source.js';
import type { Flow } from '../../src/flow/flow.js';

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

const hold = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

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
    await running.exitCode;
    expect(code).toBe(0);
  });

  it('starts anew with each record', async () => {
    const monitor = new Monitor();
    monitor.metric('rxflume_source_joined').set(1);
    const startedAt = Date.now();
    const running = run(endless(), quiet, { untilIdleMs: 60, drainTimeoutMs: 1_000, monitor });
    for (let n = 0; n < 4; n += 1) {
      await hold(30);
      monitor.metric('rxflume_source_records_total').add(1);
    }
    await running.exitCode;
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(170);
  });
});

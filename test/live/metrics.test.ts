import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { freePort, hasPrometheus, Prometheus, promtool } from './prometheus.js';
import { type Command, createTopic, fresh, produce, produceRaw, root, runFlow, services, sleep } from './support.js';

jest.setTimeout(120_000);

let command: Command | undefined;
let prometheus: Prometheus | undefined;

afterAll(async () => {
  command?.child.kill('SIGKILL');
  await prometheus?.stop();
  await services('resume', 'datanode').catch(() => undefined);
});

const AGE = 'max(rxflume:age_seconds)';
const BACKLOG = 'sum(rxflume_source_backlog_records)';
const LAG = 'sum(rxflume_source_committed_lag_records)';

/** Records of 10 KB: what the system's buffers hold is soon full. */
async function produceLarge(topic: string, from: number, to: number): Promise<void> {
  const text = 'Where is my order? '.repeat(530);
  for (let first = from; first < to; first += 50) {
    const messages = Array.from({ length: 50 }, (_, at) => ({ value: JSON.stringify({ n: first + at, text }) }));
    await produceRaw(topic, messages);
  }
}

// Skipped only where it is not installed (Debian: apt-get install prometheus), and never in CI, which installs it.
(hasPrometheus || process.env.CI === 'true' ? describe : describe.skip)('Prometheus, for real', () => {
  it('sees age, backlog and lag of a flow from Kafka to HDFS, also while HDFS hangs and when it was killed', async () => {
    const topic = fresh('metrics');
    await createTopic(topic, 1);
    const target = `127.0.0.1:${await freePort()}`;
    const env = { TEST_TOPIC: topic, TEST_GROUP: topic, TEST_ROOT: `/lake/${topic}`, TEST_ROLL_MS: '600000' };
    command = runFlow(
      'test/live/flows/numbered.ts',
      { ...env, TEST_WINDOW: '500', TEST_COMPRESSION: 'none' },
      '--metrics',
      target,
    );
    const seen = await Prometheus.start(target);
    prometheus = seen;
    await command.until('kafka.assigned');
    await produce(topic, 0, 400, 1);

    // Read, and in open files: nothing is committed, and all of it ages.
    await seen.until('sum(rxflume_source_read_offset)', ([read]) => read === 400);
    await seen.until(BACKLOG, ([value]) => value === 0);
    await seen.until(LAG, ([lag]) => lag === 400);
    const [age = 0] = await seen.until(AGE, ([value = 0]) => value > 0);
    const [older = 0] = await seen.until(AGE, ([value = 0]) => value > age + 2);
    expect(older).toBeLessThan(60);
    await seen.until('min(rxflume_source_retention_headroom_seconds)', ([value = 0]) => value > 6 * 24 * 3_600);
    const ready = await fetch(`http://${target}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ok: true, reasons: [] }]);

    const text = await (await fetch(`http://${target}/metrics`)).text();
    expect(promtool(['check', 'metrics'], text)).toBe('');
    const rules = promtool(['check', 'rules', `${root}deploy/prometheus/rxflume.rules.yml`]);
    expect(rules).toMatch(/SUCCESS: \d+ rules found$/);

    // HDFS takes nothing, and the system's buffers are full: the window fills, the partition pauses, and the end of its log still moves.
    await services('pause', 'datanode');
    await produceLarge(topic, 400, 6_400);
    await seen.until('max(rxflume_source_no_progress_seconds)', ([seconds = 0]) => seconds > 5);
    await produceLarge(topic, 6_400, 7_400);
    await seen.until('sum(rxflume_source_log_end_offset)', ([value]) => value === 7_400);
    const [backlog] = await seen.query(BACKLOG);
    expect(backlog).toBeGreaterThan(1_000);
    await seen.until('max(rxflume_source_no_progress_seconds)', ([seconds = 0]) => seconds > 10);
    await command.until('flow.stalled');
    const stalled = command.lines().find(({ what }) => what === 'flow.stalled');
    expect(stalled?.message).toMatch(
      /A write of sink files \(\/lake\/metrics-.*\) has been unanswered for \d+\.\d s\./,
    );
    await services('resume', 'datanode');
    await command.until('flow.resumed');
    await seen.until(BACKLOG, ([value]) => value === 0);
    await seen.until('max(rxflume_source_no_progress_seconds)', ([seconds]) => seconds === 0);

    // Killed: nothing tells its age any more, and it goes on growing.
    command.child.kill('SIGKILL');
    await seen.until('up', ([up]) => up === 0);
    const [killed = 0] = await seen.until(AGE, ([value = 0]) => value > older);
    await sleep(3_000);
    const [later = 0] = await seen.query(AGE);
    expect(later).toBeGreaterThan(killed + 2);
  });
});

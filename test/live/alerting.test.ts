import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { dashboard } from '../../scripts/dashboard.js';
import { expositionOf } from '../../src/metrics/exposition.js';
import { Alertmanager, checked, freePort, hasPrometheus, Prometheus } from './prometheus.js';
import { StallingProxy } from './stalling-proxy.js';
import { type Command, createTopic, dataNode, fresh, produce, produceRaw, root, runFlow, sleep } from './support.js';

jest.setTimeout(180_000);

let command: Command | undefined;
const started: { stop(): Promise<void> }[] = [];

afterAll(async () => {
  command?.child.kill('SIGKILL');
  for (const one of started.reverse()) await one.stop();
});

function kept<T extends { stop(): Promise<void> }>(one: T): T {
  started.push(one);
  return one;
}

const AGE = 'max(rxflume:age_seconds)';
const BACKLOG = 'sum(rxflume_source_backlog_records)';
const NO_PROGRESS = 'max(rxflume_source_no_progress_seconds)';

/** A query of the board, as Grafana sends it. */
function withVariables(expression: string): string {
  const values = { $job: 'rxflume', $flow: 'numbered', $__rate_interval: '2m', $age_limit: '1800' };
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), expression);
}

/** Records of 10 KB: what the system's buffers hold is soon full. */
async function produceLarge(topic: string, from: number, to: number): Promise<void> {
  const text = 'Where is my order? '.repeat(530);
  for (let first = from; first < to; first += 50) {
    const messages = Array.from({ length: 50 }, (_, at) => ({ value: JSON.stringify({ n: first + at, text }) }));
    await produceRaw(topic, messages);
  }
}

// Skipped only where they are not installed (Debian: prometheus, prometheus-alertmanager), and never in CI, which installs them.
(hasPrometheus || process.env.CI === 'true' ? describe : describe.skip)('Prometheus and Alertmanager', () => {
  it('see age, backlog and lag of a flow from Kafka to HDFS, fire while HDFS hangs, resolve, and see it killed', async () => {
    const topic = fresh('alerting');
    await createTopic(topic, 1);
    const node = await dataNode();
    const proxy = kept(await StallingProxy.start(node.hostname, Number(node.port)));
    const target = `127.0.0.1:${await freePort()}`;
    const env = {
      ...{ TEST_TOPIC: topic, TEST_GROUP: topic, TEST_ROOT: `/lake/${topic}`, TEST_ROLL_MS: '8000' },
      ...{
        TEST_WINDOW: '500',
        TEST_COMPRESSION: 'none',
        TEST_HOST_MAP: JSON.stringify({ [node.host]: proxy.address }),
      },
    };
    command = runFlow('test/live/flows/numbered.ts', env, '--metrics', target);
    const alertmanager = kept(await Alertmanager.start());
    const seen = kept(
      await Prometheus.start(target, alertmanager.url, [
        ['age_seconds) > 1800', 'age_seconds) > 20'],
        ['no_progress_seconds) > 60', 'no_progress_seconds) > 5'],
        ['for: 1m', 'for: 1s'],
        ['for: 2m', 'for: 1s'],
      ]),
    );
    await command.until('kafka.assigned');
    await produce(topic, 0, 400, 1);

    // Read, and in open files: until the roll nothing is committed, and all of it ages. The committed lag of a healthy flow saw-tooths.
    await seen.until('sum(rxflume_source_read_offset)', ([read]) => read === 400);
    await seen.until(BACKLOG, ([value]) => value === 0);
    const [age = 0] = await seen.until(AGE, ([value = 0]) => value > 0);
    await seen.until(AGE, ([value = 0]) => value > age + 2);
    await seen.until('sum(rxflume_source_committed_lag_records)', ([lag]) => lag === 0);
    expect(await seen.query('max_over_time(sum(rxflume_source_committed_lag_records)[1m:1s])')).toEqual([400]);
    const [headroom] = await seen.query('min_over_time(min(rxflume_source_retention_headroom_seconds)[1m:1s])');
    expect(headroom).toBeGreaterThan(6 * 24 * 3_600);
    const ready = await fetch(`http://${target}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([200, { ok: true, reasons: [] }]);

    const text = await (await fetch(`http://${target}/metrics`)).text();
    expect(checked('promtool', ['check', 'metrics'], text)).toBe('');
    const odd = { name: 'chat_odd_total', labels: { text: 'a"b\\c\nd\r\u0000\u001b[2J\u2028\ud83d}' }, value: 1 };
    const described = expositionOf([odd], 'prometheus');
    expect(checked('promtool', ['check', 'metrics'], described)).toBe('');
    expect(checked('promtool', ['check', 'rules', `${root}deploy/prometheus/rxflume.rules.yml`])).toMatch(
      /SUCCESS: \d+ rules found$/,
    );
    expect(checked('promtool', ['check', 'config', `${root}deploy/prometheus/prometheus.yml`])).not.toMatch(/FAILED/);
    expect(checked('amtool', ['check-config', `${root}deploy/alertmanager/alertmanager.yml`])).toMatch(/SUCCESS/);
    expect(alertmanager.sent).toEqual([]);

    // HDFS takes nothing, and the system's buffers are full: the window fills, the partition pauses, and the end of its log still moves.
    proxy.stall();
    const stalledAt = Date.now();
    await produceLarge(topic, 400, 4_400);
    const noProgress = await alertmanager.sends('RxflumeNoProgress', 'firing');
    // 5 s by the rule; before it what fills the buffers of the system, behind it a second each to scrape, evaluate and group.
    expect(Date.now() - stalledAt).toBeLessThan(30_000);
    expect(noProgress.labels).toMatchObject({ flow: 'numbered', severity: 'critical', job: 'rxflume' });
    expect(noProgress.annotations.summary).toMatch(
      /^numbered has a backlog and has not moved for [\d.]+s\. See \/livez/,
    );
    await produceLarge(topic, 4_400, 5_400);
    await seen.until('sum(rxflume_source_log_end_offset)', ([value]) => value === 5_400);
    expect((await seen.query(BACKLOG))[0]).toBeGreaterThan(1_000);
    await alertmanager.sends('RxflumeDataTooOld', 'firing');
    expect((await alertmanager.firing()).sort()).toEqual(['RxflumeDataTooOld', 'RxflumeNoProgress']);
    await command.until('flow.stalled');

    proxy.resume();
    const healedAt = Date.now();
    for (const alert of ['RxflumeNoProgress', 'RxflumeDataTooOld']) await alertmanager.sends(alert, 'resolved');
    expect(Date.now() - healedAt).toBeLessThan(30_000);
    await command.until('flow.resumed');
    await seen.until(BACKLOG, ([value]) => value === 0);
    await seen.until(NO_PROGRESS, ([seconds]) => seconds === 0);
    expect(await alertmanager.firing()).toEqual([]);

    // Every query of the board has data; some only while records wait.
    const empty: string[] = [];
    for (const { title, expr } of dashboard().panels.flatMap(({ title, targets = [] }) =>
      targets.map((one) => ({ ...one, title })),
    )) {
      const values = await seen.query(`last_over_time((${withVariables(expr)})[3m:1s])`);
      if (values.filter(Number.isFinite).length === 0) empty.push(`${title}: ${expr}`);
    }
    expect(empty).toEqual([]);

    // Killed with something that is not stored: nothing tells its age any more, and it goes on growing.
    proxy.stall();
    await produce(topic, 5_400, 5_450, 1);
    await seen.until(AGE, ([value = 0]) => value > 2);
    command.child.kill('SIGKILL');
    await seen.until('up', ([up]) => up === 0);
    await alertmanager.sends('RxflumeDown', 'firing');
    const [killed = 0] = await seen.query(AGE);
    await sleep(3_000);
    expect((await seen.query(AGE))[0]).toBeGreaterThan(killed + 2);
  });
});

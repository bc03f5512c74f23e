import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { freePort } from './prometheus.js';
import { createTopic, fresh, produceRaw, root, sleep } from './support.js';

jest.setTimeout(120_000);

const hasAlertmanager = spawnSync('prometheus-alertmanager', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'rxflume-alerting-'));
const children: ChildProcess[] = [];
let hook: Server | undefined;

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  hook?.close();
  hook?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});

interface Hooked {
  readonly status: string;
  readonly version: string;
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

/** A webhook that keeps what it is sent, of a valid signature. */
async function startHook(): Promise<{ readonly url: string; readonly got: Hooked[] }> {
  const got: Hooked[] = [];
  hook = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { 'x-rxflume-timestamp': time, 'x-rxflume-signature': signature } = request.headers;
      const mac = createHmac('sha256', 'live-secret').update(`${time}.${body}`).digest('hex');
      if (signature === `sha256=${mac}`) got.push(JSON.parse(body) as Hooked);
      response.end();
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => hook?.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${port}/hook`, got };
}

async function startAlertmanager(port: number): Promise<void> {
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, JSON.stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] }));
  const child = spawn(
    'prometheus-alertmanager',
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, `data-${port}`)}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
    ],
    { stdio: 'ignore' },
  );
  children.push(child);
  await until(async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok);
}

interface Active {
  readonly labels: Readonly<Record<string, string>>;
  readonly endsAt: string;
}

async function active(port: number, flow: string): Promise<Active | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v2/alerts`);
  return ((await response.json()) as Active[]).find(({ labels }) => labels.flow === flow);
}

async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 30_000;
  for (;;) {
    if (await Promise.resolve(holds()).catch(() => false)) return;
    if (Date.now() > deadline) throw new Error(`it did not come: ${String(holds)}`);
    await sleep(200);
  }
}

// Skipped only where it is not installed (Debian: apt-get install prometheus-alertmanager), and never in CI, which installs it.
(hasAlertmanager || process.env.CI === 'true' ? describe : describe.skip)(
  'Alertmanager and a webhook, for real',
  () => {
    it('get alerts, each instance on its own, once over a restart by kill -9, and their end', async () => {
      const flow = fresh('alerting');
      const [first, second] = [await freePort(), await freePort()];
      const { url, got } = await startHook();
      const [state, saved] = [join(folder, 'state'), join(folder, 'saved.json')];
      writeFileSync(state, 'running');
      const run = () => {
        const env = {
          ...process.env,
          TEST_FLOW: flow,
          TEST_STATE: state,
          TEST_SAVED: saved,
          TEST_WEBHOOK: url,
          TEST_ALERTMANAGERS: `http://127.0.0.1:${first},http://127.0.0.1:${second}`,
        };
        const child = spawn(process.execPath, ['--import', 'tsx', `${root}test/live/flows/alerting.ts`], {
          cwd: root,
          env,
          stdio: 'ignore',
        });
        children.push(child);
        return child;
      };
      const texts = () => got.map(({ alerts }) => alerts.map((one) => `${one.labels.alertname} ${one.status}`).join());
      // The second is down.
      await startAlertmanager(first);
      const running = run();
      await sleep(1_000);
      writeFileSync(state, 'failed');
      await until(() => got.length === 1);
      expect(texts()).toEqual(['FlowStopped firing']);
      expect(got[0]?.version).toBe('4');
      await until(async () => (await active(first, flow)) !== undefined);
      const once = await active(first, flow);
      expect(once?.labels).toMatchObject({ alertname: 'FlowStopped', severity: 'critical', flow });
      // It is sent again, and so does not end by itself.
      await until(async () => Date.parse((await active(first, flow))?.endsAt ?? '') > Date.parse(once?.endsAt ?? ''));

      await startAlertmanager(second);
      await until(async () => (await active(second, flow)) !== undefined);
      expect(statSync(saved).mode & 0o777).toBe(0o600);

      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGKILL');
      await ended;
      run();
      await sleep(6_000);
      await until(async () => (await active(first, flow)) !== undefined);
      expect(texts()).toEqual(['FlowStopped firing']);

      writeFileSync(state, 'running');
      await until(() => got.length === 2);
      expect(texts()).toEqual(['FlowStopped firing', 'FlowStopped resolved']);
      for (const port of [first, second]) await until(async () => (await active(port, flow)) === undefined);

      writeFileSync(state, 'failed');
      await until(() => got.length === 3);
      expect(texts()[2]).toBe('FlowStopped firing');
    });
  },
);

describe('rxflume alerts backtest', () => {
  it('replays a topic up to its end, an empty partition included', async () => {
    const topic = fresh('backtest');
    await createTopic(topic, 3);
    const day = Date.UTC(2026, 0, 5);
    const messages = Array.from({ length: 4_400 }, (_, n) => {
      const bad = n < 4_000 ? n % 10 === 0 : n % 2 === 0;
      return { partition: n % 2, value: JSON.stringify({ bad, at: day + n * 10_000 }) };
    });
    await produceRaw(topic, messages);
    const rules = join(root, 'test/live/flows', `.rules-${topic}.ts`);
    writeFileSync(
      rules,
      `import { surge } from 'rxflume/alerts';
export const rules = [surge({ name: 'Anger', key: () => 'all', of: (value: any) => value.bad, timestamp: (value: any) => value.at })];
`,
    );
    const broker = process.env.RXFLUME_KAFKA_BROKERS ?? '127.0.0.1:19092';
    const args = ['--import', 'tsx', `${root}src/cli/main.ts`, 'alerts', 'backtest', rules, '--json'];
    try {
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [...args, '--from', `kafka://${broker}/${topic}`],
        { cwd: root },
      );
      const { values, unreadable, events } = JSON.parse(stdout) as {
        values: number;
        unreadable: number;
        events: unknown[];
      };
      expect([values, unreadable]).toEqual([4_400, 0]);
      expect(events).toMatchObject([{ state: 'firing', labels: { alertname: 'Anger', key: 'all' } }]);
    } finally {
      rmSync(rules);
    }
  });
});

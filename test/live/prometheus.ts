import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, sleep } from './support.js';

/** Whether Debian's packages `prometheus` and `prometheus-alertmanager` are installed. */
export const hasPrometheus = ['prometheus', 'prometheus-alertmanager'].every(
  (program) => spawnSync(program, ['--version']).status === 0,
);

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = server.address() as { port: number };
        server.close(() => resolve(port));
      });
  });
}

/** Words of a file of ours, and what a test has in their place; each must be there. */
export type Changes = readonly (readonly [from: string, to: string])[];

function changed(file: string, changes: Changes): string {
  return changes.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
      return text.replaceAll(from, to);
    },
    readFileSync(root + file, 'utf8'),
  );
}

/** A program with a folder and a port of its own, which ends with the test. */
class Program {
  readonly url: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  constructor(program: string, files: Readonly<Record<string, string>>, args: readonly string[], port: number) {
    this.url = `http://127.0.0.1:${port}`;
    this.#folder = mkdtempSync(join(tmpdir(), 'rxflume-prometheus-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text);
    const all = [...args, '--log.level=error', `--web.listen-address=127.0.0.1:${port}`];
    this.#child = spawn(program, all, { stdio: 'ignore', cwd: this.#folder });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  async get<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`);
    return (await response.json()) as T;
  }

  async ready(): Promise<void> {
    await until(`${this.url} to be ready`, async () => (await fetch(`${this.url}/-/ready`)).ok);
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 45_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(250);
  }
}

/** A Prometheus of its own on our configuration, which scrapes one target each second. */
export class Prometheus {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** `changes`: of our rules, whose limits are too long for a test. */
  static async start(target: string, alertmanager: string, changes: Changes): Promise<Prometheus> {
    const config = changed('deploy/prometheus/prometheus.yml', [
      ['15s', '1s'],
      ['127.0.0.1:9464', target],
      ['127.0.0.1:9093', new URL(alertmanager).host],
    ]);
    const files = {
      'prometheus.yml': config,
      'rxflume.rules.yml': changed('deploy/prometheus/rxflume.rules.yml', changes),
    };
    // An alert is sent again each second while it fires, as often as the test's Alertmanager is asked.
    const args = ['--config.file=prometheus.yml', '--storage.tsdb.path=data', '--rules.alert.resend-delay=1s'];
    const prometheus = new Prometheus(new Program('prometheus', files, args, await freePort()));
    await prometheus.until('up', ([up]) => up !== undefined);
    return prometheus;
  }

  /** The values of an instant query, in any order. */
  async query(expression: string): Promise<number[]> {
    const { data, error } = await this.#program.get<{
      data?: { result: { value: [number, string] }[] };
      error?: string;
    }>(`/api/v1/query?query=${encodeURIComponent(expression)}`);
    if (data === undefined) throw new Error(`${expression}: ${error}`);
    return data.result.map(({ value }) => Number(value[1]));
  }

  /** Asks until the values are as wanted, for at most 45 s. */
  async until(expression: string, isWanted: (values: number[]) => boolean): Promise<number[]> {
    let values: number[] = [];
    await until(expression, async () => {
      values = await this.query(expression);
      return isWanted(values);
    }).catch(() => {
      throw new Error(`${expression} is still ${JSON.stringify(values)}`);
    });
    return values;
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** What Alertmanager sends to a webhook of one alert. */
export interface Sent {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** An Alertmanager of its own on our configuration, and the webhook that it sends to. */
export class Alertmanager {
  readonly sent: Sent[] = [];
  readonly url: string;
  readonly #program: Program;
  readonly #webhook: Server;

  private constructor(webhook: Server, port: number) {
    const { port: hook } = webhook.address() as { port: number };
    const config = changed('deploy/alertmanager/alertmanager.yml', [
      ['http://127.0.0.1:9095/', `http://127.0.0.1:${hook}/`],
      ['group_wait: 30s', 'group_wait: 1s'],
      ['group_interval: 5m', 'group_interval: 1s'],
    ]);
    const args = ['--config.file=alertmanager.yml', '--storage.path=data', '--cluster.listen-address='];
    this.#program = new Program('prometheus-alertmanager', { 'alertmanager.yml': config }, args, port);
    this.url = this.#program.url;
    this.#webhook = webhook;
    webhook.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      request.on('end', () => {
        this.sent.push(...(JSON.parse(body) as { alerts: Sent[] }).alerts);
        response.end();
      });
    });
  }

  static async start(): Promise<Alertmanager> {
    const webhook = createHttpServer();
    await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
    const alertmanager = new Alertmanager(webhook, await freePort());
    await alertmanager.#program.ready();
    return alertmanager;
  }

  /** The names of the alerts that fire here. */
  async firing(): Promise<string[]> {
    const alerts = await this.#program.get<{ labels: { alertname: string } }[]>('/api/v2/alerts?active=true');
    return alerts.map(({ labels }) => labels.alertname);
  }

  /** Waits until the webhook was sent that last, of an alert. */
  async sends(alert: string, status: Sent['status']): Promise<Sent> {
    const last = () => this.sent.findLast(({ labels }) => labels.alertname === alert);
    await until(
      `${alert} ${status} in the webhook: ${JSON.stringify(this.sent)}`,
      async () => last()?.status === status,
    );
    return last() as Sent;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
    this.#webhook.closeAllConnections();
    await new Promise((resolve) => this.#webhook.close(resolve));
  }
}

/** What `promtool` or `amtool` says; of metrics and rules nothing, or a success, where all is well. */
export function checked(tool: 'promtool' | 'amtool', args: readonly string[], input = ''): string {
  const { stdout, stderr } = spawnSync(tool, [...args], { input, encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, sleep } from './support.js';

/** Whether Debian's package `prometheus` is installed. */
export const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0;

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

/** A Prometheus of its own, with our rules, that scrapes one target each second. */
export class Prometheus {
  readonly #url: string;
  readonly #folder: string;
  readonly #child: ChildProcess;

  private constructor(port: number, folder: string) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#folder = folder;
    const args = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, '--log.level=error'];
    this.#child = spawn('prometheus', [...args, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
    process.once('exit', () => this.#child.kill('SIGKILL'));
  }

  static async start(target: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'rxflume-prometheus-'));
    writeFileSync(
      join(folder, 'prometheus.yml'),
      JSON.stringify({
        global: { scrape_interval: '1s', evaluation_interval: '1s' },
        rule_files: [`${root}deploy/prometheus/rxflume.rules.yml`],
        scrape_configs: [{ job_name: 'rxflume', static_configs: [{ targets: [target] }] }],
      }),
    );
    const prometheus = new Prometheus(await freePort(), folder);
    await prometheus.until('up', ([up]) => up !== undefined);
    return prometheus;
  }

  /** The values of an instant query, in any order. */
  async query(expression: string): Promise<number[]> {
    const response = await fetch(`${this.#url}/api/v1/query?query=${encodeURIComponent(expression)}`);
    const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
    return data.result.map(({ value }) => Number(value[1]));
  }

  /** Asks until the values are as wanted, for at most 30 s. */
  async until(expression: string, isWanted: (values: number[]) => boolean): Promise<number[]> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const values = await this.query(expression).catch(() => []);
      if (isWanted(values)) return values;
      if (Date.now() > deadline) throw new Error(`${expression} is still ${JSON.stringify(values)}`);
      await sleep(500);
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** What `promtool` says of metrics or rules; nothing where all is well. */
export function promtool(args: readonly string[], input = ''): string {
  const { stdout, stderr } = spawnSync('promtool', [...args], { input, encoding: 'utf8' });
  return `${stdout}${stderr}`.trim();
}

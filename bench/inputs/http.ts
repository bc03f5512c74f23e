// Requests a CPU second of the server: httpSource in a flow into a null sink, beside a bare server of node:http that reads each body.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { atLeast, barLines } from '../lab/bars.js';
import { compiled } from '../lab/compiled.js';
import { median } from '../lab/statistics.js';

const run = promisify(execFile);
const WARM_UP_SECONDS = 3;
const CLIENTS = 32;

/** A server in a process of its own. */
class Server {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: Interface;
  port = '';

  constructor(which: string) {
    const flags = (process.env.RXFLUME_BENCH_NODE_OPTIONS ?? '').split(' ').filter(Boolean);
    const child = spawn(process.execPath, [...flags, compiled('inputs/http-server'), which], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child = child;
    this.#input = createInterface({ input: child.stdout });
    this.#lines = this.#input[Symbol.asyncIterator]();
  }

  async start(): Promise<this> {
    this.port = await this.#next();
    return this;
  }

  async cpuSeconds(): Promise<number> {
    this.#child.stdin?.write('\n');
    return Number(await this.#next());
  }

  end(): void {
    this.#child.stdin?.end();
  }

  async #next(): Promise<string> {
    const { value } = await this.#lines.next();
    if (value === undefined) throw new Error('The server ended before it answered.');
    return value;
  }
}

/** Measures in turn, so often, and prints medians. */
export async function benchHttp(options: {
  readonly bytes: number;
  readonly rounds: number;
  readonly seconds: number;
}) {
  const { bytes, rounds, seconds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'rxf-bench-http-'));
  const script = join(folder, 'post.lua');
  writeFileSync(
    script,
    `wrk.method = "POST"
wrk.body = '{"text":"${'x'.repeat(Math.max(0, bytes - 11))}"}'
wrk.headers["content-type"] = "application/json"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\n%d %d\\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
`,
  );
  const load = async ({ port }: Server, forSeconds: number): Promise<number> => {
    const args = ['-t', '1', '-c', String(CLIENTS), '-d', `${forSeconds}s`, '-s', script, `http://127.0.0.1:${port}/`];
    const { stdout } = await run('wrk', args);
    const [requests = 0, errors = 0] = stdout.trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    if (errors > 0) throw new Error(`${errors} requests failed.`);
    return requests;
  };
  const found = { rxflume: [] as number[], bare: [] as number[] };
  const servers = { rxflume: await new Server('rxflume').start(), bare: await new Server('bare').start() };
  try {
    for (const server of Object.values(servers)) await load(server, WARM_UP_SECONDS);
    for (let round = 0; round < rounds; round += 1) {
      for (const which of ['rxflume', 'bare'] as const) {
        const server = servers[which];
        const before = await server.cpuSeconds();
        const requests = await load(server, seconds);
        found[which].push(requests / ((await server.cpuSeconds()) - before));
      }
    }
  } finally {
    for (const server of Object.values(servers)) server.end();
    rmSync(folder, { recursive: true, force: true });
  }
  const ratios = found.rxflume.map((rate, round) => rate / (found.bare[round] ?? Number.NaN));
  console.log(
    `\nBodies of ${bytes} bytes, ${CLIENTS} clients, medians of ${rounds} rounds, Node ${process.versions.node}\n`,
  );
  console.log('                   requests a CPU second');
  for (const [name, all] of Object.entries(found)) {
    console.log(`${name.padEnd(16)} ${Math.round(median(all)).toLocaleString('en-US').padStart(23)}`);
  }
  for (const line of barLines([atLeast('httpSource beside a bare node:http server', median(ratios), 0.7)]))
    console.log(line);
}

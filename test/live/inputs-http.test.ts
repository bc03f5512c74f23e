import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { type NodeHttpServerOptions, nodeHttpServer } from 'rxflume/drivers/node';
import { type HttpSourceOptions, httpSource } from 'rxflume/inputs';
import type { Subscription } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { certificate } from '../drivers/avro-rpc/certificate.js';

jest.setTimeout(60_000);

const work = mkdtempSync(join(tmpdir(), 'rxflume-http-'));
const authority = join(work, 'ca.pem');
writeFileSync(authority, certificate.cert);
const children = new Set<ChildProcess>();
const lives: Subscription[] = [];

afterEach(() => {
  for (const life of lives.splice(0)) life.unsubscribe();
  for (const child of children) child.kill('SIGKILL');
});
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** A source at a free port, and what came; acks all, unless told otherwise. */
async function serve(
  server: Partial<NodeHttpServerOptions> = {},
  source: Partial<HttpSourceOptions> = {},
  take = (delivery: Delivery<unknown>) => delivery.ack(),
) {
  const monitor = new Monitor();
  const values: unknown[] = [];
  const port = await new Promise<string>((resolve, reject) => {
    monitor.logEvents$.subscribe(({ what, message }) => {
      if (what === 'http.listening') resolve(/:(\d+)\.$/.exec(message)?.[1] ?? '');
    });
    const options = { name: 't', monitor, ...source };
    lives.push(
      httpSource(nodeHttpServer({ port: 0, ...server }), options).subscribe({
        next: (delivery) => {
          values.push(delivery.value);
          take(delivery);
        },
        error: reject,
      }),
    );
  });
  return { port, values, url: `http://127.0.0.1:${port}/` };
}

async function outputOf(command: string, args: readonly string[], input: string | Buffer = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  await once(child, 'close');
  children.delete(child);
  return output;
}

/** Posts what it is given by curl; its version of HTTP, the status, `Retry-After`, and the answer. */
async function curl(url: string, input: string | Buffer, ...args: string[]): Promise<string> {
  const shown = '%{http_version} %{http_code} %header{retry-after} ';
  return outputOf('curl', ['-s', '-m', '20', '-w', shown, '--data-binary', '@-', ...args, url], input);
}

describe('curl', () => {
  const AS_JSON = ['-H', 'content-type: application/json'];

  it('posts a value, an array, NDJSON and what is deflated', async () => {
    const { url, values } = await serve();
    const gzip = gzipSync(JSON.stringify([{ n: 4 }, { n: 5 }]));
    const answers = [
      await curl(url, '{"n":0}', ...AS_JSON),
      await curl(url, '[{"n":1}]', ...AS_JSON),
      await curl(url, '{"n":2}\n{"n":3}\n', '-H', 'content-type: application/x-ndjson'),
      await curl(url, gzip, ...AS_JSON, '-H', 'content-encoding: gzip'),
      await curl(url, '{"n":6}', ...AS_JSON, '-H', 'transfer-encoding: chunked'),
      await curl(url, '{"n":7}', ...AS_JSON, '-H', 'expect: 100-continue'),
    ];
    expect(answers).toEqual([1, 1, 2, 2, 1, 1].map((count) => `{"accepted":${count}}1.1 200  `));
    expect(values).toEqual(Array.from({ length: 8 }, (_, n) => ({ n })));
  });

  it('speaks HTTP/2 and HTTP/1.1 over TLS at one port', async () => {
    const { port, values } = await serve({ tls: certificate });
    const to = ['--cacert', authority, '--resolve', `agent.test:${port}:127.0.0.1`, ...AS_JSON];
    expect([
      await curl(`https://agent.test:${port}/`, '[1]', '--http2', ...to),
      await curl(`https://agent.test:${port}/`, '[2]', '--http1.1', ...to),
    ]).toEqual(['{"accepted":1}2 200  ', '{"accepted":1}1.1 200  ']);
    expect(values).toEqual([1, 2]);
  });

  it('is answered what is wrong, and where the window is full, when to send again', async () => {
    const held: Delivery<unknown>[] = [];
    const options = { window: { count: 1 }, retryAfterMs: 3_000 };
    const { url } = await serve({ maxBodyBytes: 1_000_000 }, options, (delivery) => held.push(delivery));
    // Larger than what curl sends without asking, so that it sends `expect: 100-continue`.
    expect(await curl(url, Buffer.alloc(3_000_000, 0x20), ...AS_JSON)).toMatch(/1\.1 413 {2}$/);
    expect(await curl(url, '[1,oops]', ...AS_JSON)).toMatch(/1\.1 400 {2}$/);
    const first = curl(url, '[1]', ...AS_JSON);
    while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await curl(url, '[2]', ...AS_JSON)).toMatch(/1\.1 503 3 $/);
    held[0]?.ack();
    expect(await first).toBe('{"accepted":1}1.1 200  ');
    // As a client does it: the same request again, after what the answer says.
    const again = curl(url, '[2]', ...AS_JSON, '--retry', '3');
    while (held.length === 1) await new Promise((resolve) => setTimeout(resolve, 20));
    held[1]?.ack();
    expect(await again).toBe('{"accepted":1}1.1 200  ');
  });
});

describe('wrk', () => {
  it('is answered 200 each time while others send byte by byte, and while one of 1 GiB comes', async () => {
    const { port, url, values } = await serve({ headersTimeoutMs: 1_000, bodyTimeoutMs: 1_000 });
    const script = join(work, 'post.lua');
    writeFileSync(
      script,
      `wrk.method = "POST"
wrk.body = '[{"n":1},{"n":2}]'
wrk.headers["content-type"] = "application/json"
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("\\n%d %d\\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
`,
    );
    const slow = Array.from({ length: 50 }, () => connect({ port: Number(port), host: '127.0.0.1' }));
    const closed = slow.map(async (socket) => {
      socket.on('error', () => undefined).resume();
      socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n');
      const writing = setInterval(() => socket.write('1'), 100);
      await new Promise<void>((resolve) => socket.once('close', () => resolve()));
      clearInterval(writing);
    });
    const loading = outputOf('wrk', ['-t', '1', '-c', '50', '-d', '3s', '-s', script, url]);
    const large = outputOf('sh', [
      '-c',
      `head -c 1073741824 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -T - -X POST ${url}`,
    ]);
    const [requests = 0, errors] = (await loading).trim().split('\n').at(-1)?.split(' ').map(Number) ?? [];
    expect(errors).toBe(0);
    expect(requests).toBeGreaterThan(100);
    expect(values.length).toBeGreaterThanOrEqual(2 * requests);
    expect(await large).toBe('413');
    await Promise.all(closed);
  });
});

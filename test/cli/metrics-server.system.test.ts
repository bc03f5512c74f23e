import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { mapValue } from '../../operators/index.js';
import { readArguments } from '../../src/cli/arguments.js';
import type { HttpServer } from '../../src/cli/http-server.js';
import { serveMetrics } from '../../src/cli/metrics-server.js';
import { StallWatch } from '../../src/cli/stall-watch.js';
import type { RxflumeError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { fileSink, flow, kafkaSource, text } from '../../src/index.js';
import { metricsHandler, statusOf } from '../../src/metrics/index.js';
import { memoryFileSystem } from '../../src/testing/memory/memory-file-system.js';
import { MemoryKafka } from '../../src/testing/memory/memory-kafka.js';
import { inVirtualTime } from '../support/virtual-time.js';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

async function serving(silentForMs?: number, monitor = new Monitor()): Promise<HttpServer> {
  monitor.metric('own').set(1);
  const handle = metricsHandler({ monitor });
  const server = await serveMetrics(handle, LOOPBACK, silentForMs);
  ended.push(server.close, handle.end);
  return server;
}

/** A client that sends a request and never reads the answer. */
async function deafClient(url: string, request: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  ended.push(() => socket.destroy());
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.pause();
  socket.write(request);
  return socket;
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.closed) resolve();
    socket.once('close', () => resolve());
    socket.resume();
  });

describe('the server of metrics', () => {
  it('answers over HTTP, and says what is wrong with a request', async () => {
    const { url } = await serving();
    const metrics = await fetch(`${url}/metrics`);
    expect([metrics.status, await metrics.text()]).toEqual([200, expect.stringContaining('\nown 1\n')]);
    expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(`${url}/metrics`, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(`${url}/other`)).status).toBe(404);
  });

  it('fails with a code, and what to do next, where it cannot listen', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    ended.push(() => other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    const failure = (host: string, of: number) =>
      serveMetrics(() => new Response(), { host, port: of }).catch((error: unknown) => error as RxflumeError);
    const inUse = await failure('127.0.0.1', port);
    expect(inUse).toMatchObject({ code: 'RXF_METRICS_LISTEN', retryable: false, details: { port } });
    expect((inUse as RxflumeError).message).toBe(
      `Cannot serve metrics on 127.0.0.1:${port}: another program, or another flow, listens on that port. Stop it, or choose ` +
        'another port, for example with `--metrics 127.0.0.1:9465`. The flow was not started.',
    );
    // An address for documentation, which belongs to no machine.
    expect(await failure('192.0.2.1', 0)).toMatchObject({
      code: 'RXF_METRICS_LISTEN',
      message: expect.stringContaining('192.0.2.1:0: the address does not belong to this machine'),
    });
    expect(await failure('no-such-host.invalid', 0)).toMatchObject({
      code: 'RXF_METRICS_LISTEN',
      message: expect.stringMatching(/the host name (is not known|cannot be looked up)/),
    });
  });

  it('disconnects clients that send or read nothing, and those beyond its bound, and serves the rest', async () => {
    const { url } = await serving(300);
    const requests = ['GET /metrics HTTP/1.1\r\n', 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n', ''];
    const clients = await Promise.all(
      Array.from({ length: 300 }, (_, at) => deafClient(url, requests[at % requests.length] as string)),
    );
    await Promise.all(clients.map(closed));
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  }, 15_000);

  it('disconnects clients that do not read an answer of megabytes, and keeps none of it', async () => {
    const monitor = new Monitor();
    const name = 'x'.repeat(10_000);
    for (let at = 0; at < 600; at += 1) monitor.metric('own', { name: `${name}${at}` }).set(at);
    const { url } = await serving(300, monitor);
    const body = await (await fetch(`${url}/metrics`)).text();
    expect(body.length).toBeGreaterThan(5_000_000);
    const request = 'GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n';
    const clients = await Promise.all(Array.from({ length: 10 }, () => deafClient(url, request)));
    const [first] = clients;
    await sleep(1_500);
    // What it had been sent is in the buffers of the system, and there is less than an answer.
    let read = 0;
    first?.on('data', (chunk: Buffer) => {
      read += chunk.length;
    });
    await Promise.all(clients.map(closed));
    expect(read).toBeLessThan(body.length);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  }, 20_000);

  it('answers or disconnects each of 1,000 scrapes at once, reads the monitor a few times, and serves on', async () => {
    const monitor = new Monitor();
    let readings = 0;
    monitor.collect(() => {
      readings += 1;
      return [{ name: 'own', labels: {}, value: 1 }];
    });
    const { url } = await serving(2_000, monitor);
    const before = process.memoryUsage().heapUsed;
    const scrape = () =>
      fetch(`${url}/metrics`).then(
        (response) => response.text(),
        () => 'disconnected',
      );
    const answers = await Promise.all(Array.from({ length: 1_000 }, scrape));
    const served = answers.filter((text) => text.includes('\nown 1\n'));
    expect(served.length).toBeGreaterThanOrEqual(50);
    expect(answers.length - served.length).toBe(answers.filter((text) => text === 'disconnected').length);
    expect(readings).toBeLessThan(100);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200_000_000);
    expect(await scrape()).toContain('\nown 1\n');
  }, 20_000);
});

describe('--metrics', () => {
  const metricsOf = (...args: string[]) => readArguments(['run', ...args]).metrics;

  it('is an address, a port, or nothing', () => {
    expect(metricsOf('flow.ts')).toBeNull();
    const byDefault = { host: '127.0.0.1', port: 9464 };
    expect([metricsOf('flow.ts', '--metrics'), metricsOf('--metrics', 'flow.ts')]).toEqual([byDefault, byDefault]);
    expect(metricsOf('--metrics', '--until-idle', '5', 'flow.ts')).toEqual(byDefault);
    expect(metricsOf('flow.ts', '--metrics', '9000')).toEqual({ host: '127.0.0.1', port: 9000 });
    expect(metricsOf('flow.ts', '--metrics=0.0.0.0:9000')).toEqual({ host: '0.0.0.0', port: 9000 });
    expect(metricsOf('flow.ts', '--metrics', '[::1]:9000')).toEqual({ host: '::1', port: 9000 });
    expect(() => metricsOf('flow.ts', '--metrics=nowhere')).toThrow(/127\.0\.0\.1:9464, got `nowhere`/);
    expect(() => metricsOf('flow.ts', '--metrics', '1:70000')).toThrow(/expected `--metrics`/);
  });
});

describe('a flow that stalls', () => {
  it('is reported after 10 s without progress while there is a backlog, and again when it goes on', () =>
    inVirtualTime((at) => {
      const kafka = new MemoryKafka();
      kafka.createTopic('chat', 1);
      kafka.produce('chat', 0, ['a', 'b', 'c', 'd']);
      let writes = 0;
      const latencyMs = (verb: string) => {
        if (verb !== 'write') return 0;
        writes += 1;
        return writes === 1 ? 30_000 : 0;
      };
      const fs = memoryFileSystem({ latencyMs });
      const monitor = new Monitor();
      const said: string[] = [];
      const watch = new StallWatch((level, what, message) => said.push(`${level} ${what}: ${message}`));
      const window = { count: 2 };
      const lake = fileSink<string>(fs, { root: '/lake', format: text(), chunk: { maxWaitMs: 10 }, monitor });
      const running = flow(
        'chat',
        kafkaSource(kafka, { topics: ['chat'], groupId: 'lake', window, monitor }),
        mapValue(String),
        lake.write(),
      ).subscribe();
      for (let second = 1; second <= 60; second += 1) at(second * 1_000, () => watch.look(statusOf(monitor)));
      at(10_500, () => expect(said).toEqual([]));
      at(12_500, () => {
        expect(said).toHaveLength(1);
        expect(said[0]).toMatch(
          /^warn flow\.stalled: No progress for 1\d s, though 2 records are not read yet\. A write of sink files \(\/lake\) has been unanswered for 1\d\.\d s\./,
        );
      });
      at(29_500, () => expect(said).toHaveLength(1));
      at(32_500, () => {
        expect(said).toHaveLength(2);
        expect(said[1]).toMatch(/^info flow\.resumed: Progress again, after 2[89] s without any\.$/);
      });
      at(60_500, () => running.unsubscribe());
    }));
});

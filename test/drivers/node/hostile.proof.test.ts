import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { request as requestHttp } from 'node:http';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Subscription } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Source } from '../../../src/delivery/source.js';
import {
  type NodeHttpServerOptions,
  nodeHttpServer,
  type TcpServerOptions,
  tcpServer,
} from '../../../src/drivers/node/index.js';
import { httpSource, netSource, syslogSource } from '../../../src/inputs/index.js';

jest.setTimeout(120_000);

const MiB = 1024 * 1024;
const lives: Subscription[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const life of lives.splice(0)) life.unsubscribe();
  for (const socket of sockets) socket.destroy();
  sockets.clear();
});

/** Runs a source that acks all it is given, until the end of the test; its port, and what came. */
async function run<T>(make: (monitor: Monitor) => Source<Delivery<T>>) {
  const monitor = new Monitor();
  const values: T[] = [];
  const messages: string[] = [];
  const port = await new Promise<number>((resolve, reject) => {
    monitor.logEvents$.subscribe(({ what, message }) => {
      messages.push(message);
      if (what.endsWith('.listening')) resolve(Number(/:(\d+)\.$/.exec(message)?.[1]));
    });
    const next = (delivery: Delivery<T>) => {
      values.push(delivery.value);
      delivery.ack();
    };
    lives.push(make(monitor).subscribe({ next, error: reject }));
  });
  return { port, values, messages, monitor };
}

const http = (options: Partial<NodeHttpServerOptions> = {}) =>
  run((monitor) => httpSource(nodeHttpServer({ port: 0, ...options }), { name: 't', monitor }));
const lines = (options: Partial<TcpServerOptions> = {}, maxBufferedBytes = 256 * MiB) =>
  run((monitor) =>
    netSource(tcpServer({ port: 0, ...options }), { name: 't', monitor, maxMessageBytes: 10_000, maxBufferedBytes }),
  );

async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => sockets.delete(socket));
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  return socket;
}

async function isClosed(socket: Socket): Promise<boolean> {
  socket.resume();
  if (!socket.destroyed) await once(socket, 'close');
  return true;
}

/** All that a raw HTTP client gets until the server closes. */
async function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  const socket = await dial(port);
  let got = '';
  socket.on('data', (chunk: Buffer) => {
    got += chunk.toString('latin1');
  });
  for (const part of parts) socket.write(part);
  await isClosed(socket);
  return got;
}

function post(port: number, body: string | Buffer, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = requestHttp({ port, host: '127.0.0.1', method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** An honest client is served. */
async function isServed(port: number, isHttp: boolean, values: readonly unknown[]): Promise<boolean> {
  if (isHttp) return (await post(port, '[1]')) === 200;
  const socket = await dial(port);
  socket.write('honest\n');
  const end = performance.now() + 10_000;
  while (!values.some((value) => String(value) === 'honest')) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return true;
}

/** The most that the process grows by meanwhile, in MiB. */
async function growthOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let most = before;
  const looking = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  await work();
  clearInterval(looking);
  return (most - before) / MiB;
}

async function flood(socket: Socket, total: number): Promise<void> {
  const chunk = Buffer.alloc(MiB, 0x61);
  for (let sent = 0; sent < total && !socket.destroyed; sent += chunk.length) {
    if (socket.write(chunk)) continue;
    await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', () => resolve()));
  }
}

describe('HTTP', () => {
  it('cuts off a client that sends its head or body byte by byte, and serves others meanwhile', async () => {
    const { port, values } = await http({ headersTimeoutMs: 600, bodyTimeoutMs: 600 });
    const slow = [
      raw(port, 'POST / HTTP/1.1\r\nhost: a\r\nx: '),
      raw(port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n['),
    ];
    expect(await isServed(port, true, values)).toBe(true);
    expect((await Promise.all(slow)).map((got) => got.slice(9, 12))).toEqual(['408', '408']);
  });

  it('rejects a body that is too large, as sent or as inflated, in little memory', async () => {
    const bomb = gzipSync(Buffer.alloc(256 * MiB), { level: 9 });
    const { port, values } = await http({ maxBodyBytes: MiB });
    expect(bomb.length).toBeLessThan(MiB);
    const grown = await growthOf(async () => {
      for (let n = 0; n < 10; n += 1) expect(await post(port, bomb, { 'content-encoding': 'gzip' })).toBe(413);
      const endless = await dial(port);
      endless.write('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n40000000\r\n');
      await flood(endless, 256 * MiB);
      expect(await isClosed(endless)).toBe(true);
      const declared = await raw(port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1073741824\r\n\r\n');
      expect(declared.slice(9, 12)).toBe('413');
    });
    expect(grown).toBeLessThan(200);
    expect([await isServed(port, true, values), values]).toEqual([true, [1]]);
  });

  it('answers heads that are too large or broken, encodings it does not know, and what is not UTF-8', async () => {
    const { port, values } = await http();
    const status = async (...parts: (string | Buffer)[]) => (await raw(port, ...parts)).slice(9, 12);
    expect(await status(`POST / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`)).toBe('431');
    expect(await status('POST / HTTP/1.1\r\nhost: a\r\nx y: z\r\n\r\n')).toBe('400');
    expect(await status(Buffer.from([0x16, 3, 1, 2, 0, 1, 0]))).toBe('400');
    expect(await post(port, '[1]', { 'content-encoding': 'br' })).toBe(415);
    expect(await post(port, 'no gzip', { 'content-encoding': 'gzip' })).toBe(400);
    expect(await post(port, Buffer.of(0x22, 0xff, 0x22))).toBe(400);
    expect([await isServed(port, true, values), values]).toEqual([true, [1]]);
  });

  it('bounds what all clients send at once', async () => {
    const { port, values } = await http({ maxBufferedBytes: 4 * MiB, maxBodyBytes: 3 * MiB });
    const half = Buffer.alloc(2 * MiB, 0x20);
    const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${3 * MiB}\r\n\r\n`;
    const answers = Array.from({ length: 4 }, () => raw(port, head, half));
    expect((await Promise.race(answers)).slice(9, 12)).toBe('503');
    for (const socket of sockets) socket.destroy();
    await Promise.all(answers);
    expect(await isServed(port, true, values)).toBe(true);
  });

  it('takes a token or a signature only where it is right', async () => {
    const { port } = await http({ auth: { bearer: ['one', 'other'] } });
    const given = ['Bearer on', 'Basic b3RoZXI=', 'Bearer other'];
    const answers = await Promise.all(given.map((authorization) => post(port, '[1]', { authorization })));
    expect([await post(port, '[1]'), ...answers]).toEqual([401, 401, 401, 200]);
    const signing = await http({ auth: { hmac: 'secret' } });
    const signed = (body: string, secret: string, at = Date.now()) => {
      const timestamp = String(Math.floor(at / 1_000));
      const mac = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
      return { 'x-rxflume-timestamp': timestamp, 'x-rxflume-signature': `sha256=${mac}` };
    };
    const attempts = [
      signed('[1]', 'secret'),
      signed('[2]', 'secret'),
      signed('[1]', 'other'),
      signed('[1]', 'secret', Date.now() - 600_000),
    ];
    const statuses = await Promise.all(attempts.map((headers) => post(signing.port, '[1]', headers)));
    expect(statuses).toEqual([200, 401, 401, 401]);
  });
});

describe.each([['HTTP'], ['lines']])('10,000 connections of %s', (kind) => {
  it('are bounded: a new client gets the slot of one that is idle', async () => {
    const isHttp = kind === 'HTTP';
    const { port, values, monitor } = isHttp ? await http({ maxClients: 3_000 }) : await lines({ maxClients: 3_000 });
    for (let n = 0; n < 10_000; n += 500) await Promise.all(Array.from({ length: 500 }, () => dial(port)));
    expect(await isServed(port, isHttp, values)).toBe(true);
    const [clients] = monitor.samples().filter(({ name }) => name === 'rxflume_source_clients');
    expect(clients?.value).toBeLessThanOrEqual(3_000);
  });
});

describe('sockets', () => {
  it('shorten a line of 1 GiB, in little memory, and serve others meanwhile', async () => {
    const { port, values } = await lines();
    const grown = await growthOf(async () => {
      const socket = await dial(port);
      const flooding = flood(socket, 1024 * MiB);
      expect(await isServed(port, false, values)).toBe(true);
      await flooding;
      socket.end('\nshort\n');
      await isClosed(socket);
    });
    expect(grown).toBeLessThan(200);
    const lengths = (values as Uint8Array[]).map(({ length }) => length).sort((a, b) => b - a);
    expect(lengths).toEqual([10_000, 6, 5]);
  });

  it('close a client that stays in the middle of a line, and one that begins too much', async () => {
    const { port, values } = await lines({ stallTimeoutMs: 400 });
    const slow = await dial(port);
    const writing = setInterval(() => slow.write('a'), 100);
    expect(await isClosed(slow)).toBe(true);
    clearInterval(writing);
    const few = await lines({}, 100_000);
    const greedy = await Promise.all(Array.from({ length: 30 }, () => dial(few.port)));
    for (const socket of greedy) socket.resume().write('a'.repeat(9_000));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(few.monitor.total('rxflume_source_lost_total')).toBeGreaterThan(15);
    expect([await isServed(port, false, values), await isServed(few.port, false, few.values)]).toEqual([true, true]);
  });

  it('of syslog keep bytes that are not UTF-8, and close a client that speaks no RELP', async () => {
    const { port, values } = await run((monitor) => syslogSource(tcpServer({ port: 0 }), { name: 't', monitor }));
    const socket = await dial(port);
    socket.end(Buffer.from([0x3c, 0x31, 0x3e, 0xff, 0xfe, 0x0a]));
    await isClosed(socket);
    expect(values.map(({ raw: bytes }) => [...bytes])).toEqual([[0x3c, 0x31, 0x3e, 0xff, 0xfe]]);
    const relp = await run((monitor) => syslogSource(tcpServer({ port: 0 }), { name: 't', monitor, framing: 'relp' }));
    const other = await dial(relp.port);
    other.write('GET / HTTP/1.1\r\n\r\n');
    expect(await isClosed(other)).toBe(true);
    expect(relp.messages.at(-1)).toContain('RELP');
  });
});

import { createHmac } from 'node:crypto';
import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type NodeHttpServerOptions, nodeHttpServer } from '../../../src/drivers/node/index.js';
import { httpSource } from '../../../src/inputs/index.js';
import { certificate } from '../avro-rpc/certificate.js';
import {
  dial,
  flood,
  growthOf,
  hangUp,
  holdConnections,
  holdsSoon,
  isClosed,
  MiB,
  manyConnections,
  run,
  stopAll,
} from './hostile-clients.js';

jest.setTimeout(120_000);

afterEach(stopAll);

const http = (options: Partial<NodeHttpServerOptions> = {}) =>
  run((monitor) => httpSource(nodeHttpServer({ port: 0, ...options }), { name: 't', monitor }));

/** All that a raw HTTP client gets until the server closes. */
async function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return rawOn(await dial(port), ...parts);
}

async function rawOn(socket: Socket, ...parts: (string | Buffer)[]): Promise<string> {
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
const isServed = async (port: number) => (await post(port, '[1]')) === 200;

describe('HTTP', () => {
  it('cuts off a client that sends its head or body byte by byte, and serves others meanwhile', async () => {
    const { port } = await http({ headersTimeoutMs: 600, bodyTimeoutMs: 600 });
    const slow = [
      raw(port, 'POST / HTTP/1.1\r\nhost: a\r\nx: '),
      raw(port, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n['),
    ];
    expect(await isServed(port)).toBe(true);
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
    expect([await isServed(port), values]).toEqual([true, [1]]);
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
    expect([await isServed(port), values]).toEqual([true, [1]]);
  });

  it('bounds what all clients send at once', async () => {
    const { port } = await http({ maxBufferedBytes: 4 * MiB, maxBodyBytes: 3 * MiB });
    const half = Buffer.alloc(2 * MiB, 0x20);
    const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${3 * MiB}\r\n\r\n`;
    const answers = Array.from({ length: 4 }, () => raw(port, head, half));
    expect((await Promise.race(answers)).slice(9, 12)).toBe('503');
    hangUp();
    await Promise.all(answers);
    expect(await isServed(port)).toBe(true);
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

describe('HTTP over TLS', () => {
  it('cuts off a client that sends its head or body byte by byte, or nothing more, and one with too large a head', async () => {
    const { port } = await http({
      tls: certificate,
      headersTimeoutMs: 600,
      bodyTimeoutMs: 600,
      keepAliveTimeoutMs: 600,
    });
    const clients = await Promise.all(Array.from({ length: 4 }, () => dial(port, true)));
    const got = await Promise.all([
      rawOn(clients[0] as Socket, 'POST / HTTP/1.1\r\nhost: a\r\nx: '),
      rawOn(clients[1] as Socket, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n['),
      rawOn(clients[2] as Socket, 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n[1]'),
      rawOn(clients[3] as Socket, `POST / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`),
    ]);
    expect(got.map((answer) => answer.slice(9, 12))).toEqual(['408', '408', '200', '431']);
  });

  it('of HTTP/2 rejects too large a head, and serves the other requests of the connection', async () => {
    const { port, values } = await http({ tls: certificate, maxBodyBytes: MiB });
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    session.on('error', () => undefined);
    const ask = (headers: Record<string, string>, body: string | Buffer) =>
      new Promise<number>((resolve) => {
        const stream = session.request({ ':method': 'POST', ':path': '/', ...headers });
        let status = 0;
        stream.on('response', (head) => {
          status = head[':status'] ?? 0;
        });
        stream.on('error', () => undefined);
        stream.on('close', () => resolve(status));
        stream.resume().end(body);
      });
    expect(await ask({ x: 'a'.repeat(60_000) }, '[0]')).toBe(431);
    expect(await ask({}, Buffer.alloc(2 * MiB, 0x20))).toBe(413);
    expect(await ask({}, Buffer.of(0x22, 0xff, 0x22))).toBe(400);
    expect([await ask({}, '[1]'), values]).toEqual([200, [1]]);
    session.destroy();
  });
});

describe('connections', () => {
  it('are bounded: a new client gets the slot of one that is idle', async () => {
    const { port, monitor } = await http({ maxClients: 500 });
    for (let n = 0; n < 2_000; n += 200) await Promise.all(Array.from({ length: 200 }, () => dial(port)));
    expect(await isServed(port)).toBe(true);
    expect(monitor.total('rxflume_source_clients')).toBeLessThanOrEqual(500);
  });

  it('are held in little memory, 10,000 of them, and others are served', async () => {
    const count = manyConnections();
    const { port, monitor } = await http({ maxClients: 20_000 });
    const grown = await growthOf(() => holdConnections(port, count));
    expect(await holdsSoon(() => monitor.total('rxflume_source_clients') === count)).toBe(true);
    expect(grown).toBeLessThan(count / 40);
    expect(await isServed(port)).toBe(true);
  });
});

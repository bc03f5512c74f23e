import { rmSync } from 'node:fs';
import { request as requestHttp } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttps } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, it } from '@jest/globals';
import { nodeHttpServer, tcpServer, unixServer } from '../../../src/drivers/node/index.js';
import type { HttpReply } from '../../../src/ports/http-server.js';
import { httpServerContract } from '../../../src/testing/contracts/http-server-contract.js';
import { socketServerContract } from '../../../src/testing/contracts/socket-server-contract.js';
import type { MemoryPost } from '../../../src/testing/memory/memory-http-server.js';
import type { MemorySocket } from '../../../src/testing/memory/memory-sockets.js';
import { certificate } from '../avro-rpc/certificate.js';

const portOf = (address: string) => Number(address.split(':').at(-1));
const textHeaders = (headers: object) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

/** A request of HTTP/1.1, on a connection of its own. */
function send1(isTls: boolean) {
  return (
    address: string,
    { method = 'POST', path = '/', headers = {}, body = '' }: MemoryPost,
    leave?: Promise<unknown>,
  ) =>
    new Promise<HttpReply>((resolve, reject) => {
      const options = { port: portOf(address), host: '127.0.0.1', method, path, headers, agent: false };
      const request = isTls
        ? requestHttps({ ...options, ca: certificate.cert, servername: 'agent.test' })
        : requestHttp(options);
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: textHeaders(response.headers),
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      void leave?.then(() => request.destroy());
      request.end(body);
    });
}

/** A request of HTTP/2. */
function send2(
  address: string,
  { method = 'POST', path = '/', headers = {}, body = '' }: MemoryPost,
  leave?: Promise<unknown>,
) {
  return new Promise<HttpReply>((resolve, reject) => {
    const session = connectHttp2(`https://127.0.0.1:${portOf(address)}`, {
      ca: certificate.cert,
      servername: 'agent.test',
    });
    session.on('error', reject);
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const stream = session.request({ ':method': method, ':path': path, ...lower });
    const chunks: Buffer[] = [];
    let head: Record<string, string> = {};
    stream.on('error', reject);
    stream.on('response', (given) => {
      head = textHeaders(given);
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => {
      session.close();
      if (head[':status'] === undefined) reject(new Error('no answer'));
      else resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks).toString() });
    });
    void leave?.then(() => stream.destroy());
    stream.end(body);
  });
}

const WAYS = {
  'HTTP/1.1': { tls: {}, send: send1(false) },
  'HTTP/1.1 over TLS': { tls: { tls: certificate }, send: send1(true) },
  'HTTP/2': { tls: { tls: () => certificate }, send: send2 },
};

describe.each(Object.entries(WAYS))('nodeHttpServer by %s keeps the contract', (_, { tls, send }) => {
  it.each(httpServerContract)('$name', async ({ run }) => {
    await run({
      server: nodeHttpServer({ port: 0, closeTimeoutMs: 1_000, ...tls }),
      send: (listening, request, leave) => send(listening.address, request, leave),
    });
  });
});

function clientOf(socket: Socket, event = 'connect'): Promise<MemorySocket> {
  const client = {
    received: '',
    isClosed: false,
    send: (bytes: string | Uint8Array) => void socket.write(bytes),
    close: () => socket.destroy(),
  };
  socket.on('data', (chunk: Buffer) => {
    client.received += chunk.toString();
  });
  socket.on('close', () => {
    client.isClosed = true;
  });
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.once(event, () => resolve(client));
  });
}

describe('tcpServer keeps the contract', () => {
  it.each(socketServerContract)('$name', async ({ run }) => {
    const server = tcpServer({ port: 0, closeTimeoutMs: 1_000 });
    await run({ server, connect: ({ address }) => clientOf(connect(portOf(address), '127.0.0.1')) });
  });
});

describe('tcpServer with TLS keeps the contract', () => {
  it.each(socketServerContract)('$name', async ({ run }) => {
    const server = tcpServer({ port: 0, closeTimeoutMs: 1_000, tls: certificate });
    const options = { host: '127.0.0.1', ca: certificate.cert, servername: 'agent.test' };
    await run({
      server,
      connect: ({ address }) => clientOf(connectTls({ ...options, port: portOf(address) }), 'secureConnect'),
    });
  });
});

describe('unixServer keeps the contract', () => {
  it.each(socketServerContract)('$name', async ({ run }) => {
    const path = join(tmpdir(), `rxf-${process.pid}-${Math.random().toString(36).slice(2)}.sock`);
    const server = unixServer({ path, closeTimeoutMs: 1_000 });
    await run({ server, connect: ({ address }) => clientOf(connect(address)) });
    rmSync(path, { force: true });
  });
});

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import type { RxflumeError } from '../../../src/core/errors.js';
import { type UndiciOptions, undici } from '../../../src/drivers/undici/index.js';
import type { HttpAnswer, HttpClient } from '../../../src/ports/http-client.js';
import { until } from '../../../src/testing/contracts/checking.js';
import { certificate } from '../avro-rpc/certificate.js';
import { ScriptedServer } from './scripted-server.js';

const servers: Server[] = [];
const sockets = new Set<Socket>();
const scripted: ScriptedServer[] = [];

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
  for (const server of scripted.splice(0)) await server.stop();
});

/** A server that speaks bytes: told of each connection, and of what comes on it. */
async function serve(
  received: (socket: Socket, bytes: Buffer, connection: number) => void,
  connected: (socket: Socket) => void = () => undefined,
  server = createServer(),
): Promise<string> {
  let connections = 0;
  server.on(server.listeners('secureConnection').length > 0 ? 'secureConnection' : 'connection', (socket: Socket) => {
    const connection = connections;
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', (bytes) => received(socket, bytes, connection));
    connected(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

const ask = (url: string, options: UndiciOptions = {}, body = Buffer.from('a'), client: HttpClient = undici(options)) =>
  lastValueFrom(client.request({ method: 'POST', url, headers: { authorization: 'Bearer hidden' }, body }));

async function failure(asking: Promise<HttpAnswer>): Promise<RxflumeError> {
  return await asking.then(
    (answer) => {
      throw new Error(`answered ${JSON.stringify(answer)}`);
    },
    (error: RxflumeError) => error,
  );
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

describe('undici, answered badly', () => {
  it.each<[string, string, boolean, string, string]>([
    [
      'nothing',
      '',
      true,
      'RXF_HTTP_LOST',
      'the connection closed before the response was complete: other side closed.',
    ],
    ['half of its headers', 'HTTP/1.1 200 OK\r\ncontent-', true, 'RXF_HTTP_LOST', 'before the response was complete'],
    ['half of its body', OK.slice(0, -1), true, 'RXF_HTTP_LOST', 'before the response was complete'],
    [
      'half of its chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n',
      true,
      'RXF_HTTP_LOST',
      'before the response was complete',
    ],
    ['garbage', '\x16\x03\x01 what?\r\n\r\n', false, 'RXF_HTTP_PROTOCOL', 'the response is not HTTP'],
    [
      'another protocol',
      '220 mail.test ESMTP\r\n',
      false,
      'RXF_HTTP_PROTOCOL',
      'Check the port, and whether it requires https.',
    ],
    [
      'a bad length',
      'HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n',
      false,
      'RXF_HTTP_PROTOCOL',
      'the response is not HTTP',
    ],
    [
      'a bad chunk',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      false,
      'RXF_HTTP_PROTOCOL',
      'the response is not HTTP',
    ],
    [
      'a permission to go on that nobody asked for',
      'HTTP/1.1 100 Continue\r\n\r\n',
      false,
      'RXF_HTTP_PROTOCOL',
      'the response is not HTTP',
    ],
    [
      'headers without end',
      `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`,
      false,
      'RXF_HTTP_PROTOCOL',
      'the response is not HTTP',
    ],
  ])('%s', async (_, bytes, ends, code, message) => {
    const address = await serve((socket) => (ends ? socket.end(bytes) : socket.write(bytes)));
    const error = await failure(ask(`http://${address}/chat?key=sesame`));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(`POST http://${address}/chat: `);
    expect(error.message).toContain(message);
    expect(error.message).not.toMatch(/sesame|hidden/);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('a reset', async () => {
    const address = await serve((socket) => socket.resetAndDestroy());
    expect(await failure(ask(`http://${address}/`))).toMatchObject({ code: 'RXF_HTTP_LOST', retryable: true });
  });

  it('a connection that ends before it is asked', async () => {
    const address = await serve(
      () => undefined,
      (socket) => socket.destroy(),
    );
    expect(await failure(ask(`http://${address}/`))).toMatchObject({ code: 'RXF_HTTP_LOST' });
  });

  it('an answer announced by others comes through', async () => {
    const address = await serve((socket) => socket.write(`HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${OK}`));
    expect(await ask(`http://${address}/`)).toMatchObject({ status: 200, excerpt: 'ok' });
  });

  it('an answer without end is cut, and ends its connection', async () => {
    let written = 0;
    const head = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';
    const address = await serve((socket) => {
      socket.write(head);
      const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
      const pump = () => {
        while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
      };
      socket.on('drain', pump);
      pump();
    });
    const answer = await ask(`http://${address}/`, { maxResponseBytes: 100_000 });
    const [socket] = sockets;
    await new Promise((resolve) => (socket?.destroyed ? resolve(0) : socket?.once('close', resolve)));
    expect(answer).toMatchObject({ status: 200, isWhole: false });
    expect(answer.excerpt).toHaveLength(100_000);
    expect(written).toBeLessThan(20_000_000);
  });

  it('a rejection before the body was read, as of a body that is too large', async () => {
    let isAnswered = false;
    const address = await serve((socket) => {
      if (isAnswered) return;
      isAnswered = true;
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
    expect(await ask(`http://${address}/`, {}, Buffer.alloc(20_000_000))).toMatchObject({ status: 413 });
  });

  it('bytes that are no text', async () => {
    const address = await serve((socket) => {
      socket.write('HTTP/1.1 400 Bad\r\ncontent-length: 3\r\n\r\n');
      socket.write(Buffer.from([0xff, 0x00, 0xfe]));
    });
    expect(await ask(`http://${address}/`)).toMatchObject({ status: 400, excerpt: '\ufffd\u0000\ufffd' });
  });
});

describe('undici, answered slowly', () => {
  it('no headers', async () => {
    const address = await serve(() => undefined);
    const error = await failure(ask(`http://${address}/`, { headersTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'RXF_HTTP_TIMEOUT', retryable: true });
    expect(error.message).toBe(
      `POST http://${address}/: no response within 200 ms (headersTimeoutMs). The server may or may not have carried it out.`,
    );
  });

  it('a body that stalls', async () => {
    const address = await serve((socket) => socket.write(OK.slice(0, -1)));
    const error = await failure(ask(`http://${address}/`, { bodyTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'RXF_HTTP_TIMEOUT' });
    expect(error.message).toContain('the response stalled for 200 ms (bodyTimeoutMs)');
  });

  it('no handshake', async () => {
    const address = await serve(() => undefined);
    const error = await failure(ask(`https://${address}/`, { connectTimeoutMs: 200 }));
    expect(error).toMatchObject({ code: 'RXF_HTTP_UNREACHABLE', retryable: true });
    expect(error.message).toContain('no connection within 200 ms');
  });
});

describe('undici, not connected', () => {
  it('a name that does not resolve', async () => {
    const error = await failure(ask('http://nobody.invalid/'));
    expect(error).toMatchObject({ code: 'RXF_HTTP_UNREACHABLE' });
    expect(error.message).toMatch(/POST http:\/\/nobody.invalid\/: cannot connect: getaddrinfo \w+ nobody.invalid/);
  });

  it('TLS where there is none, and none where there is', async () => {
    const plain = await serve((socket) => socket.end('HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n'));
    expect(await failure(ask(`https://${plain}/`))).toMatchObject({ code: 'RXF_HTTP_TLS', retryable: false });
    const tls = await new ScriptedServer(certificate).listen();
    scripted.push(tls);
    const error = await failure(ask(tls.origin.replace('https', 'http')));
    expect(error.code).toMatch(/RXF_HTTP_(LOST|PROTOCOL)/);
    expect(error.message).toMatch(/requires https\.$/);
  });

  it('a certificate of nobody known, and one of another name', async () => {
    const tls = await new ScriptedServer(certificate).listen();
    scripted.push(tls);
    const stranger = await failure(ask(tls.origin));
    expect(stranger).toMatchObject({ code: 'RXF_HTTP_TLS', retryable: false });
    expect(stranger.message).toContain('certificate');
    const trust = { ca: certificate.cert, servername: 'other.test' };
    const other = await failure(ask(tls.origin, { tls: trust }));
    expect(other).toMatchObject({ code: 'RXF_HTTP_TLS' });
    expect(other.message).toContain('other.test');
  });

  it('a client certificate that is asked for and not given', async () => {
    const server = createTlsServer({
      ...certificate,
      requestCert: true,
      rejectUnauthorized: true,
      ca: certificate.cert,
    });
    const address = await serve(() => undefined, undefined, server);
    const error = await failure(ask(`https://${address}/`, { tls: { ca: certificate.cert } }));
    expect(error.code).toMatch(/RXF_HTTP_(TLS|LOST)/);
  });
});

describe('undici, over time', () => {
  it('asks again on a new connection where the server has closed an idle one', async () => {
    const client = undici();
    const connections = new Set<number>();
    let closed = 0;
    const address = await serve((socket, _, connection) => {
      connections.add(connection);
      socket.write(OK);
      socket.once('close', () => {
        closed += 1;
      });
      setTimeout(() => socket.destroy(), 20);
    });
    for (let n = 0; n < 3; n += 1) {
      expect(await ask(`http://${address}/`, {}, Buffer.from('a'), client)).toMatchObject({ status: 200 });
      await until(() => closed === n + 1, 'the end of the connection');
      // The client learns of it in a later turn.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(connections.size).toBe(3);
  });

  it('uses connections again, and no more than allowed', async () => {
    const client = undici({ connections: 3 });
    const connections = new Set<number>();
    const address = await serve((socket, _, connection) => {
      connections.add(connection);
      setTimeout(() => socket.write(OK), 5);
    });
    for (let n = 0; n < 5; n += 1) await ask(`http://${address}/`, {}, Buffer.from('a'), client);
    // undici frees a connection a turn after its answer: the next request may have taken another by then.
    expect(connections.size).toBeLessThanOrEqual(2);
    await Promise.all(Array.from({ length: 30 }, () => ask(`http://${address}/`, {}, Buffer.from('a'), client)));
    expect(connections.size).toBe(3);
  });

  it('rejects wrong options', () => {
    expect(() => undici({ connections: 0 })).toThrow('Expected `connections`');
    expect(() => undici({ tls: 'yes' as never })).toThrow('Expected `tls` to be an object of options');
    expect(() => undici({ timeout: 5 } as never)).toThrow('got `timeout`');
  });
});

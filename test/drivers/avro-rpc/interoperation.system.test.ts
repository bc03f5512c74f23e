import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import avsc from 'avsc';
import { lastValueFrom, type Subscription } from 'rxjs';
import { avroRpcClient, avroRpcServer } from '../../../src/drivers/avro-rpc/index.js';
import { PROTOCOL_TEXT } from '../../../src/drivers/avro-rpc/protocol.js';
import type { FlumeBatch, FlumeConnection, FlumeListening, FlumeStatus } from '../../../src/ports/flume-rpc.js';

/** Flume's own protocol is ours with the licence as `doc`: another hash, so a whole handshake. */
const documented = JSON.stringify({ ...(JSON.parse(PROTOCOL_TEXT) as object), doc: 'Licensed to the ASF …' });

const lives: Subscription[] = [];
afterEach(() => {
  for (const life of lives.splice(0)) life.unsubscribe();
});

async function listen(batches: FlumeBatch[]): Promise<FlumeListening> {
  return await new Promise((resolve, reject) => {
    const server = avroRpcServer({ port: 0, host: '127.0.0.1' });
    const listener = {
      batch: (batch: FlumeBatch) => {
        batches.push(batch);
        batch.reply('OK');
      },
      clients: () => undefined,
      logEvent: () => undefined,
    };
    lives.push(server.listen(listener).subscribe({ next: resolve, error: reject }));
  });
}

async function connected(port: number): Promise<FlumeConnection> {
  return await new Promise((resolve, reject) => {
    lives.push(
      avroRpcClient({ agents: [`127.0.0.1:${port}`] })
        .connect(0)
        .subscribe({ next: resolve, error: reject }),
    );
  });
}

describe('with another Avro RPC library', () => {
  it.each([
    ['the same protocol', PROTOCOL_TEXT],
    ['another text of it', documented],
  ])('its client sends to our server: %s', async (_, protocol) => {
    const batches: FlumeBatch[] = [];
    const { address } = await listen(batches);
    const service = avsc.Service.forProtocol(JSON.parse(protocol));
    for (let round = 0; round < 2; round += 1) {
      const socket = connect(Number(address.split(':')[1]), '127.0.0.1');
      // Its types know nothing of calls.
      const client = service.createClient() as unknown as {
        createChannel(socket: unknown): unknown;
        append(event: unknown, done: (error: Error | null, status: string) => void): void;
        appendBatch(events: unknown, done: (error: Error | null, status: string) => void): void;
      };
      client.createChannel(socket);
      const event = { headers: { n: String(round) }, body: Buffer.from('one') };
      const call = (send: (done: (error: Error | null, status: string) => void) => void) =>
        new Promise((resolve, reject) =>
          send((error, status) => (error === null || error === undefined ? resolve(status) : reject(error))),
        );
      expect(await call((done) => client.append(event, done))).toBe('OK');
      expect(await call((done) => client.appendBatch([event, event], done))).toBe('OK');
      socket.destroy();
    }
    expect(batches.map(({ events }) => events.map(({ headers }) => headers.n))).toEqual([
      ['0'],
      ['0', '0'],
      ['1'],
      ['1', '1'],
    ]);
  });

  it.each([
    ['the same protocol', PROTOCOL_TEXT],
    ['another text of it', documented],
  ])('our client sends to its server: %s', async (_, protocol) => {
    const seen: string[] = [];
    const answers: FlumeStatus[] = ['OK', 'FAILED', 'UNKNOWN'];
    const service = avsc.Service.forProtocol(JSON.parse(protocol));
    const server = (service as unknown as { createServer(): ForeignServer }).createServer();
    server.onAppend((event, done) => {
      seen.push(String(event.body));
      done(null, answers[seen.length - 1] as string);
    });
    server.onAppendBatch((_events, done) => done(new Error('the disk is full')));
    server.on('error', () => undefined);
    const sockets = createServer((socket) => void server.createChannel(socket));
    await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve));
    const { port } = sockets.address() as { port: number };
    const connection = await connected(port);
    for (const status of answers) {
      expect(await lastValueFrom(connection.append([{ headers: {}, body: Buffer.from(status) }]))).toBe(status);
    }
    const event = { headers: {}, body: Buffer.from('x') };
    await expect(lastValueFrom(connection.append([event, event]))).rejects.toMatchObject({
      code: 'RXF_FLUME_REJECTED',
    });
    expect(seen).toEqual(answers);
    sockets.close();
  });

  it('what is no Flume source is recognized', async () => {
    const other = { protocol: 'Other', messages: { hello: { request: [], response: 'string' } } };
    const server = (avsc.Service.forProtocol(other) as unknown as { createServer(): ForeignServer }).createServer();
    server.on('error', () => undefined);
    const sockets = createServer((socket) => void server.createChannel(socket));
    await new Promise<void>((resolve) => sockets.listen(0, '127.0.0.1', resolve));
    const { port } = sockets.address() as { port: number };
    await expect(connected(port)).rejects.toMatchObject({ code: 'RXF_FLUME_PROTOCOL', retryable: false });
    sockets.close();

    const web = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    await expect(connected((web.address() as { port: number }).port)).rejects.toMatchObject({
      code: 'RXF_FLUME_PROTOCOL',
    });
    web.close();
  });

  it('an agent that does not answer is given up, and its connection with it', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const client = avroRpcClient({ agents: [`127.0.0.1:${port}`], connectTimeoutMs: 100 });
    await expect(lastValueFrom(client.connect(0))).rejects.toMatchObject({
      code: 'RXF_FLUME_UNREACHABLE',
      retryable: true,
    });
    mute.close();

    const batches: FlumeBatch[] = [];
    const silent = avroRpcServer({ port: 0, host: '127.0.0.1' });
    const listening = await new Promise<FlumeListening>((resolve, reject) => {
      const listener = {
        batch: (batch: FlumeBatch) => batches.push(batch),
        clients: () => undefined,
        logEvent: () => undefined,
      };
      lives.push(silent.listen(listener).subscribe({ next: resolve, error: reject }));
    });
    const slow = avroRpcClient({ agents: [listening.address], requestTimeoutMs: 100 });
    let ended = '';
    const connection = await new Promise<FlumeConnection>((resolve) => {
      lives.push(
        slow.connect(0).subscribe({
          next: resolve,
          error: (error: { code: string }) => {
            ended = error.code;
          },
        }),
      );
    });
    const event = { headers: {}, body: Buffer.from('x') };
    await expect(lastValueFrom(connection.append([event]))).rejects.toMatchObject({
      code: 'RXF_FLUME_TIMEOUT',
      retryable: true,
    });
    expect(ended).toBe('RXF_FLUME_UNREACHABLE');
    expect(batches).toHaveLength(1);
  });
});

interface ForeignServer {
  onAppend(handler: (event: { body: Buffer }, done: (error: Error | null, status?: string) => void) => void): void;
  onAppendBatch(handler: (events: unknown, done: (error: Error | null, status?: string) => void) => void): void;
  on(what: 'error', handler: () => void): void;
  createChannel(socket: unknown): unknown;
}

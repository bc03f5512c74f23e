import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { lastValueFrom, type Subscription } from 'rxjs';
import { frameOf } from '../../../src/drivers/avro-rpc/frames.js';
import { writeRequest } from '../../../src/drivers/avro-rpc/handshake.js';
import { type AvroRpcServerOptions, avroRpcClient, avroRpcServer } from '../../../src/drivers/avro-rpc/index.js';
import { PROTOCOL_HASH, PROTOCOL_TEXT } from '../../../src/drivers/avro-rpc/protocol.js';
import type { AvroWriter } from '../../../src/formats/avro-bytes.js';
import type { FlumeBatch, FlumeListening } from '../../../src/ports/flume-rpc.js';
import { certificate } from './certificate.js';

const lives: Subscription[] = [];
const sockets: Socket[] = [];

afterEach(() => {
  for (const life of lives.splice(0)) life.unsubscribe();
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A server that answers OK to everything, unless told otherwise. */
async function serve(
  options: Partial<AvroRpcServerOptions> = {},
  answer: (batch: FlumeBatch) => void = (batch) => batch.reply('OK'),
) {
  const run = {
    batches: [] as FlumeBatch[],
    logEvents: [] as string[],
    clients: 0,
    port: 0,
    listening: undefined as unknown as FlumeListening,
  };
  run.listening = await new Promise<FlumeListening>((resolve, reject) => {
    const server = avroRpcServer({ port: 0, host: '127.0.0.1', ...options });
    const listener = {
      batch: (batch: FlumeBatch) => {
        run.batches.push(batch);
        answer(batch);
      },
      clients: (count: number) => {
        run.clients = count;
      },
      logEvent: (_level: string, _what: string, message: string) => run.logEvents.push(message),
    };
    lives.push(server.listen(listener).subscribe({ next: resolve, error: reject }));
  });
  run.port = Number(run.listening.address.split(':').at(-1));
  return run;
}

async function dial(port: number): Promise<Socket & { ended: Promise<void> }> {
  const socket = connect({ host: '127.0.0.1', port });
  sockets.push(socket);
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()));
  return Object.assign(socket, { ended });
}

/** An honest client is served. */
async function isServed(port: number, tls = false): Promise<boolean> {
  const client = avroRpcClient({
    agents: [`127.0.0.1:${port}`],
    tls: tls ? { ca: certificate.cert, servername: 'agent.test' } : false,
  });
  return await new Promise((resolve, reject) => {
    const life = client.connect(0).subscribe({
      next: (connection) => {
        lastValueFrom(connection.append([{ headers: {}, body: Buffer.from('honest') }])).then((status) => {
          connection.close();
          resolve(status === 'OK');
        }, reject);
      },
      error: reject,
    });
    lives.push(life);
  });
}

const handshake = (writer: AvroWriter) =>
  writeRequest(writer, { clientHash: PROTOCOL_HASH, clientProtocol: null, serverHash: PROTOCOL_HASH });

const call = (serial: number, name: string, rest: (writer: AvroWriter) => void) =>
  frameOf(serial, 64, (writer) => {
    writer.long(0);
    writer.text(name);
    rest(writer);
  });

const hello = () =>
  frameOf(1, 64, (writer) => {
    handshake(writer);
    writer.long(0);
    writer.text('');
  });

/** Everything a socket brings until these bytes are among it. */
async function heard(socket: Socket, awaited: string | Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => Buffer.concat(chunks).includes(awaited));
  return Buffer.concat(chunks);
}

const passed = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds() && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}

const int32 = (...values: number[]) => {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeInt32BE(value, at * 4);
  return bytes;
};

describe('the server, sent what is no Flume', () => {
  it.each([
    ['a frame of 2 GiB by its header', int32(1, 1, 2 ** 31 - 1)],
    ['a frame of 2^31 - 1 buffers', int32(1, 2 ** 31 - 1)],
    ['a negative length', int32(1, 1, -1)],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['TLS', Buffer.from('1603010200010001fc0303', 'hex')],
    ['a handshake of garbage', Buffer.concat([int32(1, 1, 100), Buffer.alloc(100, 0xff)])],
    ['a handshake that ends too early', Buffer.concat([int32(1, 1, 4), Buffer.alloc(4)])],
    [
      'a handshake whose text is 2^40 bytes',
      Buffer.concat([int32(1, 1, 24), Buffer.alloc(16), Buffer.from('0280808080808040', 'hex')]),
    ],
  ])('sends %s away, says so, and serves others', async (_, bytes) => {
    const run = await serve();
    const socket = await dial(run.port);
    socket.write(bytes);
    // TLS looks like a frame that has not ended: only its time ends it.
    if (bytes[0] !== 0x16) await socket.ended;
    expect(await isServed(run.port)).toBe(true);
    if (bytes[0] !== 0x16) expect(run.logEvents).toHaveLength(1);
    expect(run.logEvents[0] ?? 'Rejected what 127.0.0.1:').toContain('Rejected what 127.0.0.1:');
  });

  it('answers a batch that cannot be read with an error, and reads on', async () => {
    const run = await serve();
    const socket = await dial(run.port);
    socket.write(hello());
    // An array of 2^40 events in four bytes; a map of as many headers; a body beyond the end; an unknown call.
    const huge = Buffer.from('808080808040', 'hex');
    socket.write(call(2, 'appendBatch', (writer) => writer.fixed(huge)));
    socket.write(call(3, 'append', (writer) => writer.fixed(huge)));
    socket.write(call(4, 'append', (writer) => writer.fixed(Buffer.from([0, 100]))));
    socket.write(call(5, 'drop', () => undefined));
    socket.write(call(6, 'appendBatch', (writer) => writer.fixed(Buffer.from([0]))));
    // An empty batch is taken.
    const taken = Buffer.concat([int32(6, 1, 3), Buffer.from([0, 0, 0])]);
    const answers = await heard(socket, taken);
    for (const serial of [2, 3, 4, 5]) expect(answers.includes(int32(serial, 1))).toBe(true);
    expect(answers.includes(Buffer.from('items are declared'))).toBe(true);
    expect(answers.includes(Buffer.from('there is no call "drop"'))).toBe(true);
    expect(answers.subarray(-15)).toEqual(taken);
    expect(run.batches).toEqual([]);
  });

  it('rejects a batch of more events than are taken before it reads them', async () => {
    const run = await serve({ maxBatchCount: 10 });
    const socket = await dial(run.port);
    socket.write(hello());
    socket.write(
      call(2, 'appendBatch', (writer) => {
        writer.long(11);
        for (let at = 0; at < 11; at += 1) writer.fixed(Buffer.from([0, 0]));
        writer.long(0);
      }),
    );
    await heard(socket, 'at most 10 are taken');
    expect(run.batches).toEqual([]);
  });

  it('rejects an event with more headers than memory should be spent on', async () => {
    const run = await serve({ maxBatchCount: 10 });
    const socket = await dial(run.port);
    socket.write(hello());
    socket.write(
      call(2, 'append', (writer) => {
        writer.long(101);
        for (let at = 0; at < 101; at += 1) {
          writer.text(String(at));
          writer.text('');
        }
        writer.long(0);
        writer.bytes(Buffer.alloc(0));
      }),
    );
    await heard(socket, 'too many headers');
    expect(run.batches).toEqual([]);
  });

  it.each([
    ['TLS', { tls: certificate }],
    ['deflate', { compression: 'deflate' }],
  ] as const)('tells of a plain client where %s is set', async (_, options) => {
    const run = await serve({ ...options });
    const socket = await dial(run.port);
    socket.write(hello());
    await socket.ended;
    expect(run.logEvents).toHaveLength(1);
  });

  it('rejects a protocol that has other calls, and says so', async () => {
    const run = await serve();
    const socket = await dial(run.port);
    const other = PROTOCOL_TEXT.replace('"body","type":"bytes"', '"body","type":"string"');
    socket.write(
      frameOf(1, 64, (writer) => {
        writeRequest(writer, { clientHash: Buffer.alloc(16, 7), clientProtocol: other, serverHash: PROTOCOL_HASH });
        writer.long(0);
        writer.text('append');
      }),
    );
    await heard(socket, 'takes something else than Flume');
    await socket.ended;
  });

  it('stops reading a client that does not read its answers, and ends it', async () => {
    const run = await serve({ stallTimeoutMs: 400 });
    const socket = await dial(run.port);
    socket.pause();
    socket.write(hello());
    const many = Buffer.concat(
      Array.from({ length: 2_000 }, (_, n) => call(n + 2, 'append', (writer) => writer.fixed(Buffer.from([0, 0])))),
    );
    let isOver = false;
    void socket.ended.then(() => {
      isOver = true;
    });
    for (let n = 0; n < 20_000 && !isOver; n += 1) {
      if (!socket.write(many))
        await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), socket.ended]);
    }
    await socket.ended;
    expect(run.logEvents.join()).toContain('does not read');
    expect(await isServed(run.port)).toBe(true);
  }, 60_000);

  it('leaves a client alone that sends without a pause', async () => {
    const run = await serve({ stallTimeoutMs: 500 });
    const socket = await dial(run.port);
    socket.resume();
    socket.write(hello());
    const frame = call(2, 'append', (writer) => writer.fixed(Buffer.from([0, 0])));
    // Whenever it is looked at, it is in the middle of a frame.
    socket.write(frame.subarray(0, 5));
    for (let n = 0; n < 50; n += 1) {
      await passed(25);
      socket.write(Buffer.concat([frame.subarray(5), frame.subarray(0, 5)]));
    }
    await until(() => run.batches.length === 50);
    expect(run.logEvents).toEqual([]);
  });

  it('ends a frame that does not end, and a TLS handshake that does not', async () => {
    const run = await serve({ stallTimeoutMs: 200 });
    const socket = await dial(run.port);
    socket.write(int32(1, 1, 1_000));
    await socket.ended;
    expect(run.logEvents.join()).toContain('a frame');

    const secure = await serve({ stallTimeoutMs: 200, tls: certificate });
    const mute = await dial(secure.port);
    await mute.ended;
    expect(secure.logEvents.join()).toContain('the TLS handshake');
    expect(await isServed(secure.port, true)).toBe(true);
  });

  it('keeps 1,000 idle clients at little cost, and serves others', async () => {
    const run = await serve();
    const before = process.memoryUsage().rss;
    for (let n = 0; n < 10; n += 1) await Promise.all(Array.from({ length: 100 }, () => dial(run.port)));
    await until(() => run.clients === 1_000);
    expect(await isServed(run.port)).toBe(true);
    // Both ends of each are in this process.
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(100);
  }, 30_000);

  it('sends away clients beyond the most, and addresses that are not allowed', async () => {
    const few = await serve({ maxClients: 1 });
    const first = await dial(few.port);
    await (await dial(few.port)).ended;
    expect(few.logEvents.join()).toContain('maxClients');
    first.destroy();

    const closed = await serve({ allow: ['10.0.0.0/8', '2001:db8::/32'] });
    await (await dial(closed.port)).ended;
    expect(closed.logEvents.join()).toContain('`allow`');
    const open = await serve({ allow: ['127.0.0.0/8'], host: '::' });
    expect(await isServed(open.port)).toBe(true);
  });

  it('gives the slot of a client that never says a word, or nothing any more, to one that comes', async () => {
    const run = await serve({ maxClients: 3, stallTimeoutMs: 400 });
    const agent = await dial(run.port);
    agent.write(hello());
    await until(() => run.clients === 1);
    const silent = [await dial(run.port), await dial(run.port)];
    await until(() => run.clients === 3);
    // Nobody is silent for long enough.
    await (await dial(run.port)).ended;
    await passed(450);
    expect(await isServed(run.port)).toBe(true);
    await silent[0]?.ended;
    // One that agreed is the last to go.
    expect(agent.destroyed).toBe(false);
    for (let n = 0; n < 6; n += 1) {
      await passed(450);
      expect(await isServed(run.port)).toBe(true);
    }
  });

  it('keeps the slot of a client whose batch waits for its answer', async () => {
    const run = await serve({ maxClients: 1, stallTimeoutMs: 50 }, () => undefined);
    const agent = await dial(run.port);
    agent.write(hello());
    agent.write(
      call(2, 'append', (writer) => {
        writer.long(0);
        writer.bytes(Buffer.from('x'));
      }),
    );
    await until(() => run.batches.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 120));
    await (await dial(run.port)).ended;
    expect(agent.destroyed).toBe(false);
  });

  it('bounds the memory of frames that have begun: one after the other ends', async () => {
    const run = await serve({ maxBufferedBytes: 1_000_000, maxFrameBytes: 2_000_000 });
    const body = Buffer.alloc(1_500_000, 1);
    const frames = Array.from({ length: 6 }, async () => {
      const socket = await dial(run.port);
      socket.write(hello());
      const frame = call(2, 'append', (writer) => {
        writer.long(0);
        writer.bytes(body);
      });
      // Half now, so that all have begun; the rest later.
      socket.write(frame.subarray(0, 700_000));
      await new Promise((resolve) => setTimeout(resolve, 50));
      socket.write(frame.subarray(700_000));
    });
    await Promise.all(frames);
    await until(() => run.batches.length === 6);
    expect(run.batches.map(({ events }) => events[0]?.body.length)).toEqual(Array.from({ length: 6 }, () => 1_500_000));
  });

  it('receives no more of a client than may wait for answers', async () => {
    const waiting: FlumeBatch[] = [];
    const run = await serve({ maxInFlight: 3 }, (batch) => waiting.push(batch));
    const socket = await dial(run.port);
    socket.write(hello());
    for (let serial = 2; serial < 12; serial += 1)
      socket.write(call(serial, 'append', (writer) => writer.fixed(Buffer.from([0, 0]))));
    socket.resume();
    await until(() => run.batches.length >= 3);
    await passed(100);
    expect(run.batches).toHaveLength(3);
    waiting[1]?.reply('OK');
    await until(() => run.batches.length >= 4);
    await passed(50);
    expect(run.batches).toHaveLength(4);
    for (const batch of waiting) batch.reply('OK');
    await until(() => run.batches.length > 4);
  });
});

it('says where it cannot listen', async () => {
  const run = await serve();
  await expect(serve({ port: run.port })).rejects.toMatchObject({
    code: 'RXF_FLUME_LISTEN',
    retryable: true,
    message: expect.stringContaining(`127.0.0.1:${run.port}`),
  });
});

it.each([
  [{ agents: [] }, '`agents`'],
  [{ agents: ['::1'] }, '`agents[0]`'],
  [{ agents: ['host:99999'] }, '`agents[0]`'],
  [{ agents: ['a:1'], compression: 'gzip' }, '`compression`'],
  [{ agents: ['a:1'], deflateOrder: 'before' }, '`deflateOrder`'],
  [{ agents: ['a:1'], ssl: true }, '`ssl`'],
])('checks the options of the client at the call: %j', (options, named) => {
  expect(() => avroRpcClient(options as never)).toThrow(named);
});

it.each([
  [{}, '`port`'],
  [{ port: 0, host: 'localhost' }, '`host`'],
  [{ port: 0, allow: ['10.0.0.0/33'] }, '`allow[0]`'],
  [{ port: 0, allow: [] }, '`allow`'],
  [{ port: 0, tls: { key: 'no key', cert: 'no certificate' } }, '`tls`'],
  [{ port: 0, maxFrameBytes: 10 }, '`maxFrameBytes`'],
])('checks the options of the server at the call: %j', (options, named) => {
  expect(() => avroRpcServer(options as never)).toThrow(named);
});

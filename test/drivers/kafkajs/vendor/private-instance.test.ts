import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { OwnedPartition } from '../../../../src/drivers/kafkajs/consumer/assignment.js';
import { toBatch } from '../../../../src/drivers/kafkajs/records/batch.js';
import type { ForeignDecoder } from '../../../../src/drivers/kafkajs/records/fetched-messages.js';
import type { Fetched } from '../../../../src/drivers/kafkajs/vendor/link.js';
import { openInternals } from '../../../../src/drivers/kafkajs/vendor/patches.js';
import { KAFKAJS_VERSION, openPrivateInstance } from '../../../../src/drivers/kafkajs/vendor/private-instance.js';
import { openSocket, Sockets } from '../../../../src/drivers/kafkajs/vendor/sockets.js';

const { load, codecs, Cluster } = openInternals({ maxBatchBytes: 1 << 20, recordDecoder: 'lean', checkCrc: false });
const theirs = createRequire(import.meta.url);

const silent = { namespace: () => silent, debug: () => undefined, error: () => undefined, warn: () => undefined };

interface Queue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: unknown;
  scheduleCheckPendingRequests(): void;
  checkPendingRequests(): void;
  maybeThrottle(ms: number): void;
  scheduleRequestTimeoutCheck(): void;
  readonly inflight: Map<number, unknown>;
  destroy(): void;
}

type QueueClass = new (options: Record<string, unknown>) => Queue;

function queueOf(RequestQueue: QueueClass): Queue {
  return new RequestQueue({
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    logger: silent,
    clientId: 'c',
    broker: 'b',
  });
}

function folderWith(version: string | undefined): string {
  const folder = mkdtempSync(join(tmpdir(), 'rxflume-'));
  const start = join(folder, 'package.json');
  writeFileSync(start, '{}');
  if (version === undefined) return start;
  mkdirSync(join(folder, 'node_modules', 'kafkajs'), { recursive: true });
  writeFileSync(join(folder, 'node_modules', 'kafkajs', 'package.json'), JSON.stringify({ name: 'kafkajs', version }));
  return start;
}

interface ForeignConnection {
  readonly bytesBuffered: number;
  readonly bytesNeeded: number;
  processData(data: Buffer): void;
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

type ConnectionClass = new (options: Record<string, unknown>) => ForeignConnection;

describe('a private instance of kafkajs', () => {
  it('forgets, when it connects anew, the part of an answer that had come before the connection broke', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
    });
    const options = { host: '127.0.0.1', port, logger: silent, requestTimeout: 1_000, connectionTimeout: 1_000 };
    const sockets = new Sockets(openSocket);
    const Connection = load('src/network/connection.js') as ConnectionClass;
    const connection = new Connection({ ...options, socketFactory: sockets.factory });
    try {
      // An answer of 256 bytes is announced, and two of them have come.
      connection.processData(Buffer.from([0, 0, 1, 0, 7, 7]));
      expect([connection.bytesBuffered, connection.bytesNeeded]).toEqual([6, 260]);
      await connection.connect();
      expect([connection.bytesBuffered, connection.bytesNeeded]).toEqual([0, 4]);
    } finally {
      await connection.disconnect();
      sockets.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it("is another one than the application's, which stays as it is", () => {
    const path = 'src/network/requestQueue/index.js';
    const ours = load(path) as { prototype: Queue };
    const app = theirs(`kafkajs/${path}`) as { prototype: Queue };
    expect(ours).not.toBe(app);
    expect(String(app.prototype.scheduleCheckPendingRequests)).toContain('setTimeout');
    expect(String(ours.prototype.scheduleCheckPendingRequests)).not.toContain('setTimeout');
    expect(load('src/cluster/index.js')).toBe(Cluster);
  });

  it('fails with the line that installs it where it is missing or of another version', () => {
    const install = `npm install kafkajs@${KAFKAJS_VERSION}`;
    const missing = () => openPrivateInstance({}, [folderWith(undefined)]);
    expect(missing).toThrow(
      expect.objectContaining({ code: 'RXF_DRIVER_MISSING', message: expect.stringContaining(install) }),
    );
    const other = () => openPrivateInstance({}, [folderWith('3.0.0')]);
    expect(other).toThrow(
      expect.objectContaining({
        code: 'RXF_DRIVER_MISSING',
        details: { package: 'kafkajs', wanted: KAFKAJS_VERSION, found: '3.0.0' },
      }),
    );
  });

  it('traps 1 and 2: an idle queue of requests sets no timer, and none is negative', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const RequestQueue = load('src/network/requestQueue/index.js') as QueueClass;
    const queue = queueOf(RequestQueue);
    queue.scheduleCheckPendingRequests();
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    // kafkajs as it is sets one, for −1 − now milliseconds.
    const stock = queueOf(theirs('kafkajs/src/network/requestQueue/index.js') as QueueClass);
    stock.scheduleCheckPendingRequests();
    expect(stock.throttleCheckTimeoutId).not.toBeNull();
    stock.destroy();
    queue.maybeThrottle(50_000);
    queue.scheduleCheckPendingRequests();
    expect(queue.throttleCheckTimeoutId).not.toBeNull();
    queue.destroy();
    timers.mockRestore();
  });

  it.each([
    ['back', -3_600_000],
    ['forward', 3_600_000],
  ])('ends a request after its time, though the time of day is set %s by an hour meanwhile', async (_, stepMs) => {
    type Request = { requestTimeout: number; timeoutRequest(): void; send(): void };
    const Request = load('src/network/requestQueue/socketRequest.js') as new (given: object) => Request;
    const queue = queueOf(load('src/network/requestQueue/index.js') as QueueClass);
    // kafkajs runs beside Jest's globals, with a clock of its own.
    const theirDate = (queue.constructor.constructor as FunctionConstructor)('return Date')() as DateConstructor;
    const real = Date.now;
    let giveUp: NodeJS.Timeout | undefined;
    try {
      Object.assign(queue, { enforceRequestTimeout: true });
      const entry = { correlationId: 1, reject: () => undefined };
      const request = new Request({ entry, requestTimeout: 150, expectResponse: true, send: () => undefined });
      const startedAt = performance.now();
      const ended = new Promise<number>((resolve) => {
        request.timeoutRequest = () => resolve(performance.now() - startedAt);
      });
      request.send();
      queue.inflight.set(1, request);
      queue.scheduleRequestTimeoutCheck();
      for (const clock of [theirDate, Date]) clock.now = () => real() + stepMs;
      const never = new Promise((resolve) => {
        giveUp = setTimeout(resolve, 2_000, Number.NaN);
      });
      const endedAfterMs = await Promise.race([ended, never]);
      expect(endedAfterMs).toBeGreaterThan(149);
    } finally {
      for (const clock of [theirDate, Date]) clock.now = real;
      clearTimeout(giveUp);
      queue.destroy();
    }
  });

  it('trap 8: kafkajs cannot commit by itself', async () => {
    type Committing = Record<'setDefaultOffset' | 'seek' | 'commitOffsets', () => Promise<unknown>>;
    const { prototype } = load('src/consumer/offsetManager/index.js') as { prototype: Committing };
    for (const name of ['setDefaultOffset', 'seek', 'commitOffsets'] as const) {
      await expect(prototype[name]()).rejects.toThrow('rxflume commits offsets itself');
    }
  });

  it('one partition in error does not take what a fetch brought of the others', async () => {
    const { parse } = load('src/protocol/requests/fetch/v11/response.js') as {
      parse: (from: unknown) => Promise<unknown>;
    };
    const fetched = {
      responses: [
        {
          topicName: 't',
          partitions: [
            { partition: 0, errorCode: 1 },
            { partition: 1, errorCode: 0 },
          ],
        },
      ],
    };
    expect(await parse(fetched)).toBe(fetched);
  });

  it('two requests on a lost connection open one socket', async () => {
    type Connect = { connect(): Promise<unknown> };
    const Connection = load('src/network/connection.js') as new (options: Record<string, unknown>) => Connect;
    let opened = 0;
    const socketFactory = () => {
      opened += 1;
      throw new Error('refused');
    };
    const connection = new Connection({
      host: 'h',
      port: 1,
      logger: silent,
      requestTimeout: 1,
      connectionTimeout: 1_000,
      socketFactory,
    });
    const both = await Promise.allSettled([connection.connect(), connection.connect()]);
    expect([opened, both.map(({ status }) => status)]).toEqual([1, ['rejected', 'rejected']]);
    await expect(connection.connect()).rejects.toThrow('refused');
    expect(opened).toBe(2);
  });
});

interface Disconnecting {
  connect(): Promise<unknown>;
  disconnect(): Promise<unknown>;
}

describe('a socket that is gone', () => {
  it('is not waited for at each disconnect: kafkajs would add a listener every time', async () => {
    const Connection = load('src/network/connection.js') as new (options: Record<string, unknown>) => Disconnecting;
    const opened: Socket[] = [];
    const sockets = new Sockets((target) => {
      const socket = openSocket(target);
      opened.push(socket);
      return socket;
    });
    const connection = new Connection({
      host: '127.0.0.1',
      port: 1,
      logger: silent,
      requestTimeout: 1,
      connectionTimeout: 1_000,
      socketFactory: sockets.factory,
    });
    await expect(connection.connect()).rejects.toThrow('ECONNREFUSED');
    for (let times = 0; times < 12; times += 1) await connection.disconnect();
    expect(opened[0]?.destroyed).toBe(true);
    expect(opened[0]?.listenerCount('connect')).toBeLessThan(3);
  });
});

interface EncoderClass {
  new (): { writeInt32(value: number): { writeBuffer(bytes: Buffer): { buffer: Buffer } } };
}

type MakeBatch = (options: Record<string, unknown>) => Promise<{ buffer: Buffer }>;
type MakeRecord = (options: Record<string, unknown>) => unknown;

describe.each(['kafkajs', 'lean'] as const)('what a fetch brought of one partition, decoded by %s', (recordDecoder) => {
  const { load } = openInternals({ maxBatchBytes: 1 << 20, recordDecoder, checkCrc: false });
  const { RecordBatch } = load('src/protocol/recordBatch/v0/index.js') as { RecordBatch: MakeBatch };
  const Record = load('src/protocol/recordBatch/record/v0/index.js') as MakeRecord;
  const Decoder = load('src/protocol/decoder.js') as new (bytes: Buffer) => ForeignDecoder;
  const Encoder = load('src/protocol/encoder.js') as EncoderClass;
  const decode = load('src/protocol/requests/fetch/v4/decodeMessages.js') as (from: ForeignDecoder) => Promise<{
    nextOffset: number;
    unreadable?: unknown;
  }>;

  async function batch(firstOffset: number, count: number, lastOffsetDelta: number, compression = 0): Promise<Buffer> {
    const records = Array.from({ length: count }, (_, offsetDelta) =>
      Record({ offsetDelta, value: `v${offsetDelta}` }),
    );
    return (await RecordBatch({ firstOffset, records, lastOffsetDelta, compression })).buffer;
  }

  const batchOf = (messages: unknown, position: number) => {
    const fetched = { topic: 't', partition: 0, errorCode: 0, highWatermark: '9', messages } as Fetched;
    return toBatch(new OwnedPartition({ topic: 't', partition: 0 }, 1), position, fetched);
  };

  const decodeAll = (...batches: Buffer[]) => {
    const bytes = Buffer.concat(batches);
    return decode(new Decoder(new Encoder().writeInt32(bytes.length).writeBuffer(bytes).buffer));
  };

  it.each([0, 1, 2, 3])('decodes batches of codec %i', async (codec) => {
    const messages = await decodeAll(await batch(5, 3, 2, codec), await batch(8, 200, 199, codec));
    const records = [...(batchOf(messages, 7)?.records ?? [])];
    const seen = records.slice(0, 3).map((record) => [record.offset, String(record.value), record.byteLength]);
    expect([records.length, seen, messages.nextOffset]).toEqual([
      201,
      [
        [7, 'v2', 2],
        [8, 'v0', 2],
        [9, 'v1', 2],
      ],
      208,
    ]);
  });

  it('a batch that compaction emptied is passed over; kafkajs would hang there forever', async () => {
    expect(batchOf(await decodeAll(await batch(5, 0, 9)), 5)).toMatchObject({
      records: { length: 0 },
      nextOffset: 15,
    });
  });

  it('a batch larger than the stack is deep', async () => {
    expect(batchOf(await decodeAll(await batch(0, 130_000, 129_999)), 0)?.records).toHaveLength(130_000);
  });

  it('the last batch, cut by the size of the fetch, is left for the next one', async () => {
    const cut = (await batch(8, 50, 49)).subarray(0, 100);
    expect((await decodeAll(await batch(5, 3, 2), cut)).nextOffset).toBe(8);
  });

  it('an unreadable batch fails once it is the first, after what came before it', async () => {
    const bad = await batch(8, 50, 49, 1);
    bad.fill(7, 70);
    expect((await decodeAll(await batch(5, 3, 2), bad)).nextOffset).toBe(8);
    expect((await decodeAll(bad)).unreadable).toBeDefined();
  });

  it('a record has its key, value and headers, or null, and its time', async () => {
    const records = [
      Record({ offsetDelta: 0, timestampDelta: 7, key: 'k', value: null, headers: { a: 'x', b: ['y', 'z'] } }),
      Record({ offsetDelta: 300, timestampDelta: 3_000_000_000, key: null, value: 'v'.repeat(5_000) }),
    ];
    const { buffer } = await RecordBatch({
      firstOffset: 2 ** 40,
      firstTimestamp: 1_700_000_000_000,
      records,
      lastOffsetDelta: 300,
    });
    const [first, second] = batchOf(await decodeAll(buffer), 0)?.records ?? [];
    expect([first?.offset, first?.value, String(first?.key), first?.timestamp]).toEqual([
      2 ** 40,
      null,
      'k',
      1_700_000_000_007,
    ]);
    expect(Object.entries(first?.headers ?? {}).map(([name, value]) => [name, [value].flat().map(String)])).toEqual([
      ['a', ['x']],
      ['b', ['y', 'z']],
    ]);
    expect([second?.offset, second?.value?.length, second?.key]).toEqual([2 ** 40 + 300, 5_000, null]);
    expect([second?.timestamp, second?.byteLength, second?.headers]).toEqual([1_703_000_000_000, 5_000, {}]);
  });

  it('has every codec', () => {
    expect(Object.keys(codecs)).toEqual(expect.arrayContaining(['1', '2', '3', '4']));
  });
});

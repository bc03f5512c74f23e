import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createDeflate } from 'node:zlib';
import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import { lastValueFrom } from 'rxjs';
import type { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Source } from '../../../src/delivery/source.js';
import { type AvroRpcServerOptions, avroRpcClient, avroRpcServer } from '../../../src/drivers/avro-rpc/index.js';
import { tcpServer, udpServer, unixServer } from '../../../src/drivers/node/index.js';
import { netSource, syslogSource } from '../../../src/inputs/index.js';
import type { SocketServer } from '../../../src/ports/socket-server.js';
import { flumeSource } from '../../../src/sources/flume/flume-source.js';
import { certificate } from '../avro-rpc/certificate.js';
import {
  dial,
  flood,
  growthOf,
  holdConnections,
  holdsSoon,
  isClosed,
  MiB,
  manyConnections,
  run,
  stopAll,
} from './hostile-clients.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'rxf-hostile-'));
afterEach(stopAll);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MAX_MESSAGE_BYTES = 10_000;
const limits = { name: 't', maxMessageBytes: MAX_MESSAGE_BYTES };

interface Kind {
  readonly source: (server: SocketServer, monitor: Monitor) => Source<Delivery<unknown>>;
  readonly over: 'tcp' | 'tls' | 'unix';
  /** What an honest client sends. */
  readonly honest: string;
  /** The beginning of a message of 1 GiB, and what becomes of its client. */
  readonly endless: string;
  /** A message of bytes that are no UTF-8. */
  readonly garbled: Buffer;
  /** Heads of death: each ends its client. */
  readonly deadly: readonly (string | Buffer)[];
}

const lines: Omit<Kind, 'over'> = {
  source: (server: SocketServer, monitor: Monitor) => netSource(server, { ...limits, monitor }),
  honest: 'honest\n',
  endless: '',
  garbled: Buffer.from([0xff, 0xfe, 0x0a]),
  deadly: [],
};
const syslog: Omit<Kind, 'over'> = {
  source: (server: SocketServer, monitor: Monitor) => syslogSource(server, { ...limits, monitor }),
  honest: '<13>honest\n',
  endless: '<13>',
  garbled: Buffer.from([0x3c, 0x31, 0x3e, 0xff, 0xfe, 0x0a]),
  deadly: [],
};
const relp: Omit<Kind, 'over'> = {
  source: (server: SocketServer, monitor: Monitor) => syslogSource(server, { ...limits, framing: 'relp', monitor }),
  honest: '1 open 0\n2 syslog 10 <13>honest\n',
  endless: '1 open 0\n2 syslog 999999999 <13>',
  garbled: Buffer.concat([Buffer.from('1 open 0\n2 syslog 5 '), Buffer.from([0x3c, 0x31, 0x3e, 0xff, 0xfe, 0x0a])]),
  deadly: [
    'GET / HTTP/1.1\r\n\r\n',
    `1 ${'a'.repeat(50_000)}`,
    '1'.repeat(50_000),
    '1 open 99999999999 a',
    Buffer.alloc(50_000, 0xff),
  ],
};

const KINDS: Readonly<Record<string, Kind>> = {
  'lines over TCP': { ...lines, over: 'tcp' },
  'lines over a unix socket': { ...lines, over: 'unix' },
  'length-prefixed frames': {
    source: (server, monitor) => netSource(server, { ...limits, framing: 'length-prefixed', monitor }),
    over: 'tcp',
    honest: '\0\0\0\x06honest',
    endless: '\x40\0\0\0',
    garbled: Buffer.from([0, 0, 0, 2, 0xff, 0xfe]),
    deadly: [],
  },
  'syslog over TCP': { ...syslog, over: 'tcp' },
  'syslog over TCP, by octet counting': {
    source: (server, monitor) => syslogSource(server, { ...limits, framing: 'octet-counting', monitor }),
    over: 'tcp',
    honest: '10 <13>honest',
    endless: '1073741824 <13>',
    garbled: Buffer.concat([Buffer.from('5 '), Buffer.from([0x3c, 0x31, 0x3e, 0xff, 0xfe])]),
    deadly: ['9'.repeat(50_000), 'a'.repeat(50_000), Buffer.alloc(50_000, 0xff)],
  },
  'syslog over TLS': { ...syslog, over: 'tls' },
  'syslog over a unix socket': { ...syslog, over: 'unix' },
  RELP: { ...relp, over: 'tcp' },
  'RELP over TLS': { ...relp, over: 'tls' },
};

const textOf = (value: unknown): string =>
  value instanceof Uint8Array ? String(value) : (value as { readonly message: string }).message;
const bytesOf = (value: unknown): Uint8Array =>
  value instanceof Uint8Array ? value : (value as { readonly raw: Uint8Array }).raw;

let paths = 0;

/** A server of this kind; how to connect to it, and whether an honest client is served. */
async function serve({ source, over, honest }: Kind, stallTimeoutMs = 60_000) {
  paths += 1;
  const path = join(folder, `${paths}.sock`);
  const tls = over === 'tls' && { tls: certificate };
  const server =
    over === 'unix' ? unixServer({ path, stallTimeoutMs }) : tcpServer({ port: 0, stallTimeoutMs, ...tls });
  const running = await run((monitor) => source(server, monitor));
  const connect = () => dial(over === 'unix' ? path : running.port, over === 'tls');
  const isServed = async () => {
    const before = running.values.length;
    (await connect()).write(honest);
    return holdsSoon(() => running.values.slice(before).some((value) => textOf(value) === 'honest'));
  };
  return { ...running, connect, isServed };
}

describe.each(Object.entries(KINDS))('%s', (_, kind) => {
  it('shorten a message of 1 GiB, in little memory, and serve others meanwhile', async () => {
    const { connect, isServed, values } = await serve(kind);
    const grown = await growthOf(async () => {
      const socket = await connect();
      socket.write(kind.endless);
      const flooding = flood(socket, (kind.over === 'tls' ? 256 : 1024) * MiB);
      expect(await isServed()).toBe(true);
      await flooding;
      // A message that was announced with more has not ended, and is worth nothing; a line has.
      if (!kind.honest.endsWith('\n') || kind.endless.includes('open')) socket.destroy();
      else socket.end('\n');
      await isClosed(socket);
    });
    expect(grown).toBeLessThan(150);
    for (const value of values) expect(bytesOf(value).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
  });

  it('keep bytes that are no UTF-8, and close a client whose head is no head', async () => {
    const { connect, isServed, values } = await serve(kind);
    (await connect()).write(kind.garbled);
    expect(await holdsSoon(() => values.length === 1)).toBe(true);
    expect([...bytesOf(values[0])].slice(-2)).toEqual([0xff, 0xfe]);
    for (const head of kind.deadly) {
      const socket = await connect();
      socket.write(head);
      expect(await isClosed(socket)).toBe(true);
    }
    expect(await isServed()).toBe(true);
  });
});

it('each kind closes a client that stays in the middle of a message, and serves others meanwhile', async () => {
  const proof = async (kind: Kind) => {
    const { connect, isServed, messages } = await serve(kind, 400);
    const slow = await connect();
    slow.write(kind.endless);
    const writing = setInterval(() => slow.write('a'), 100);
    const closed = isClosed(slow).finally(() => clearInterval(writing));
    return [await isServed(), await closed, messages.join().includes('stallTimeoutMs')];
  };
  const all = Object.values(KINDS);
  expect(await Promise.all(all.map(proof))).toEqual(all.map(() => [true, true, true]));
});

describe('UDP', () => {
  it.each(['lines', 'syslog'])(
    'of %s: a flood of datagrams as large as they get, and of garbage, in little memory',
    async (what) => {
      const { source } = what === 'lines' ? lines : syslog;
      const { port, values } = await run((monitor) => source(udpServer({ port: 0 }), monitor));
      const socket = createSocket('udp4');
      const send = (bytes: Uint8Array) => new Promise((resolve) => socket.send(bytes, port, '127.0.0.1', resolve));
      const grown = await growthOf(async () => {
        for (let n = 0; n < 4_000; n += 1) await send(Buffer.alloc(n % 2 === 0 ? 65_000 : 100, 0xff));
        await holdsSoon(() => values.length > 0);
      });
      expect(grown).toBeLessThan(150);
      for (const value of values) expect(bytesOf(value).length).toBeLessThanOrEqual(MAX_MESSAGE_BYTES);
      expect(
        await holdsSoon(() => {
          void send(Buffer.from('<13>honest'));
          return values.some((value) => textOf(value).endsWith('honest'));
        }),
      ).toBe(true);
      socket.close();
    },
  );
});

const flume = (options: Partial<AvroRpcServerOptions> = {}) =>
  run((monitor) => flumeSource(avroRpcServer({ port: 0, ...options }), { name: 't', monitor }));

async function isFlumeServed(port: number): Promise<boolean> {
  const client = avroRpcClient({ agents: [`127.0.0.1:${port}`] });
  return await new Promise((resolve, reject) => {
    const life = client.connect(0).subscribe({
      next: (connection) => {
        lastValueFrom(connection.append([{ headers: {}, body: Buffer.from('honest') }]))
          .then((status) => resolve(status === 'OK'), reject)
          .finally(() => life.unsubscribe());
      },
      error: reject,
    });
  });
}

describe('Flume’s Avro', () => {
  it('closes a client whose deflated bytes inflate to gigabytes, in little memory', async () => {
    const { port, messages } = await flume({ compression: 'deflate', maxFrameBytes: MiB });
    const head = Buffer.alloc(12);
    head.writeInt32BE(1, 0);
    head.writeInt32BE(1_000, 4);
    head.writeInt32BE(MiB / 2, 8);
    const zeros = Buffer.alloc(MiB);
    const bomb = Readable.from(
      (function* () {
        yield head;
        for (let n = 0; n < 1_024; n += 1) yield zeros;
      })(),
    );
    const grown = await growthOf(async () => {
      const socket = await dial(port);
      bomb.pipe(createDeflate({ level: 9 })).pipe(socket);
      expect(await isClosed(socket)).toBe(true);
    });
    expect(grown).toBeLessThan(150);
    expect(messages).toHaveLength(2);
  });
});

describe('10,000 connections', () => {
  it.each(['lines', 'Flume'])('of %s are held in little memory, and others are served', async (what) => {
    const count = manyConnections();
    const all = { maxClients: 20_000 };
    const { port, monitor } = await (what === 'Flume'
      ? flume(all)
      : run((monitor) => lines.source(tcpServer({ port: 0, ...all }), monitor)));
    const grown = await growthOf(() => holdConnections(port, count));
    expect(await holdsSoon(() => monitor.total('rxflume_source_clients') === count)).toBe(true);
    expect(grown).toBeLessThan(count / 40);
    const honest = what === 'Flume' ? isFlumeServed(port) : isLineServed(port, monitor);
    expect(await honest).toBe(true);
  });

  it('beyond `maxClients`: a new client gets the slot of one that is idle', async () => {
    const { port, monitor } = await run((given) => lines.source(tcpServer({ port: 0, maxClients: 500 }), given));
    for (let n = 0; n < 2_000; n += 200) await Promise.all(Array.from({ length: 200 }, () => dial(port)));
    expect(await isLineServed(port, monitor)).toBe(true);
    expect(monitor.total('rxflume_source_clients')).toBeLessThanOrEqual(500);
  });
});

async function isLineServed(port: number, monitor: Monitor): Promise<boolean> {
  (await dial(port)).write('honest\n');
  return holdsSoon(() => monitor.total('rxflume_source_acked_total') === 1);
}

describe('what all clients have begun', () => {
  it('is bounded: one that begins too much is closed, and counted', async () => {
    const few = await run((monitor) =>
      netSource(tcpServer({ port: 0 }), { ...limits, monitor, maxBufferedBytes: 100_000 }),
    );
    const greedy: Socket[] = await Promise.all(Array.from({ length: 30 }, () => dial(few.port)));
    for (const socket of greedy) socket.resume().write('a'.repeat(9_000));
    expect(await holdsSoon(() => few.monitor.total('rxflume_source_lost_total') > 15)).toBe(true);
    const socket = await dial(few.port);
    socket.write('honest\n');
    expect(await holdsSoon(() => few.values.some((value) => String(value) === 'honest'))).toBe(true);
  });
});

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { flumeSource } from 'rxflume';
import { avroRpcClient, avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { nodeHttpServer, tcpServer } from 'rxflume/drivers/node';
import { httpSource, netSource, syslogSource } from 'rxflume/inputs';
import { lastValueFrom, mergeMap, take } from 'rxjs';
import type { Monitor } from '../../src/core/monitor.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Source } from '../../src/delivery/source.js';
import { dial, hangUp, run, stopAll } from '../drivers/node/hostile-clients.js';
import { until } from './cluster.js';
import { describeCluster } from './describe-cluster.js';
import { sleep } from './support.js';

jest.setTimeout(15_000);

const NAMESPACE = `rxf-half-open-${process.pid}`;
const LINK = `rxfho${process.pid % 1_000_000}`;
const NETWORK = `10.214.${process.pid % 250}`;
/** Of the server; the client has 2. */
const ADDRESS = `${NETWORK}.1`;
const TIMEOUT_MS = 1_500;
/** Two of the large messages do not fit in what a server may keep of messages that have not ended. */
const LARGE_BYTES = 60_000;
const MAX_BUFFERED_BYTES = 100_000;

const large = 'a'.repeat(LARGE_BYTES);
const limits = { name: 't', maxMessageBytes: 80_000, maxBufferedBytes: MAX_BUFFERED_BYTES };
const listening = { port: 0, host: '0.0.0.0' };
const tcp = () => tcpServer({ ...listening, stallTimeoutMs: TIMEOUT_MS });

interface Kind {
  readonly source: (monitor: Monitor) => Source<Delivery<unknown>>;
  /** A large message but for its end. */
  readonly half: string;
  /** Sends a whole message of this text from this machine. */
  readonly send: (port: number, text: string) => Promise<unknown>;
}

/** In two parts, so that the server has to keep the first. */
async function written(port: number, bytes: string): Promise<void> {
  const socket = await dial(port);
  socket.write(bytes.slice(0, -3), 'latin1');
  await sleep(100);
  socket.write(bytes.slice(-3), 'latin1');
}

const KINDS: Readonly<Record<string, Kind>> = {
  HTTP: {
    source: (monitor) =>
      httpSource(
        nodeHttpServer({
          ...listening,
          bodyTimeoutMs: TIMEOUT_MS,
          maxBodyBytes: 80_000,
          maxBufferedBytes: MAX_BUFFERED_BYTES,
        }),
        { name: 't', monitor },
      ),
    half: `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 70000\r\n\r\n["${large}`,
    send: (port, text) =>
      written(
        port,
        `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${text.length + 4}\r\n\r\n["${text}"]`,
      ),
  },
  'lines over TCP': {
    source: (monitor) => netSource(tcp(), { ...limits, monitor }),
    half: large,
    send: (port, text) => written(port, `${text}\n`),
  },
  'syslog over TCP': {
    source: (monitor) => syslogSource(tcp(), { ...limits, monitor }),
    half: `<13>${large}`,
    send: (port, text) => written(port, `<13>${text}\n`),
  },
  RELP: {
    source: (monitor) => syslogSource(tcp(), { ...limits, framing: 'relp', monitor }),
    half: `1 open 0\n2 syslog 70000 <13>${large}`,
    send: (port, text) => written(port, `1 open 0\n2 syslog ${text.length + 4} <13>${text}\n`),
  },
  "Flume's Avro": {
    source: (monitor) =>
      flumeSource(
        avroRpcServer({
          ...listening,
          stallTimeoutMs: TIMEOUT_MS,
          maxFrameBytes: 80_000,
          maxBufferedBytes: MAX_BUFFERED_BYTES,
        }),
        { name: 't', monitor },
      ),
    // Serial 1, one buffer, 70,000 bytes.
    half: `\0\0\0\x01\0\0\0\x01\0\x01\x11\x70${large}`,
    send: (port, text) =>
      lastValueFrom(
        avroRpcClient({ agents: [`127.0.0.1:${port}`] })
          .connect(0)
          .pipe(
            mergeMap((connection) => connection.append([{ headers: {}, body: Buffer.from(text) }])),
            take(1),
          ),
      ),
  },
};

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] });
const clients = new Set<ChildProcess>();

/** A client in the namespace that writes half a message, and then is silent with its connection open. */
async function sendHalf(port: number, half: string): Promise<void> {
  const script = `const [port, host] = process.argv.slice(1);
    const chunks = [];
    process.stdin.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const socket = require('node:net').connect(Number(port), host);
      socket.write(Buffer.concat(chunks), () => console.log('written'));
      socket.on('error', () => {});
      setInterval(() => {}, 1_000);
    });`;
  const child = spawn('ip', ['netns', 'exec', NAMESPACE, process.execPath, '-e', script, String(port), ADDRESS], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  clients.add(child);
  child.stdin.end(half, 'latin1');
  await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the client in ${NAMESPACE} ended with ${code}`)));
  });
}

describeCluster('a network that is cut under half a message', () => {
  beforeAll(() => {
    ip('netns', 'add', NAMESPACE);
    ip('link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', NAMESPACE);
    ip('addr', 'add', `${ADDRESS}/30`, 'dev', LINK);
    ip('link', 'set', LINK, 'up');
    ip('-n', NAMESPACE, 'addr', 'add', `${NETWORK}.2/30`, 'dev', 'eth0');
  });
  afterEach(() => {
    stopAll();
    for (const client of clients) client.kill('SIGKILL');
    clients.clear();
  });
  afterAll(() => {
    // The kernel keeps a namespace for as long as it tries to send what is left in a socket of it: the link would stay with it.
    if (existsSync(`/sys/class/net/${LINK}`)) ip('link', 'del', LINK);
    if (existsSync(`/run/netns/${NAMESPACE}`)) ip('netns', 'del', NAMESPACE);
  });

  it.each(Object.entries(KINDS))(
    'of %s: the connection and what is kept of it are given up in time, and others are served meanwhile',
    async (_, { source, half, send }) => {
      ip('-n', NAMESPACE, 'link', 'set', 'eth0', 'up');
      const { port, values, monitor } = await run(source);
      const clientsNow = () => monitor.total('rxflume_source_clients');
      await sendHalf(port, half);
      await until('the server has the client', () => clientsNow() === 1, 2_000);
      ip('-n', NAMESPACE, 'link', 'set', 'eth0', 'down');
      const cutAt = performance.now();

      await send(port, 'meanwhile');
      await until('another is served', () => values.length === 1, 1_000);
      expect(performance.now() - cutAt).toBeLessThan(TIMEOUT_MS);
      hangUp();
      await until('the server has given it up', () => clientsNow() === 0, 2 * TIMEOUT_MS);
      expect(performance.now() - cutAt).toBeGreaterThan(TIMEOUT_MS / 2);

      // A last line needs no end: what came of it may be a value.
      const before = values.length;
      await send(port, large);
      await until('a large message has room', () => values.length === before + 1, 2_000);
      expect(JSON.stringify(values.at(-1)).length).toBeGreaterThan(LARGE_BYTES);
    },
  );
});

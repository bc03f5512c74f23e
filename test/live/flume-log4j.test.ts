import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { type FlumeEvent, flumeSource, Monitor } from 'rxflume';
import { avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { describeFlume, documented, folder, freePort, metric, until } from './flume-support.js';
import { root } from './support.js';

jest.setTimeout(120_000);

const CONNECTIONS = 50;
const started: (() => unknown)[] = [];

/** Where the appender of docs/guides/flume.md sends to, and where the program that logs listens. */
async function ports(): Promise<{ flume: number; log4j: number }> {
  return { flume: await freePort(), log4j: await freePort() };
}

/** Starts a program that logs by that appender; gives what it prints. */
function startLog4j({ flume, log4j }: { flume: number; log4j: number }): () => string {
  const file = join(folder('log4j'), 'log4j.properties');
  writeFileSync(file, documented('log4j', { collector: '127.0.0.1', 4141: String(flume) }));
  const child = spawn(`${root}scripts/services`, ['flume', 'log4j', String(log4j), file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      output += text;
    });
  }
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise((resolve) => child.once('close', resolve));
  started.push(() => {
    process.off('exit', kill);
    kill();
    return ended;
  });
  return () => output;
}

/** Connects to the program and ends the connection, which it logs in four lines; gives the port of our end. */
async function call(port: number): Promise<number> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      resolve(socket.localPort as number);
      socket.end();
    });
    socket.on('error', reject).resume();
  });
}

const hears = (seen: readonly FlumeEvent[], count: number, output: () => string) =>
  until(
    `${count} lines`,
    () => seen.length >= count,
    60_000,
    () => [seen.length, output()],
  );
const waiting = 'INFO SimpleSocketServer: Waiting to accept a new client.';

describeFlume('Flume’s Log4j appender', () => {
  afterEach(async () => {
    for (const end of started.splice(0)) await end();
  });

  it('sends every line once, in order, and waits for its ack', async () => {
    const at = await ports();
    const monitor = new Monitor();
    const seen: FlumeEvent[] = [];
    let [out, mostOut] = [0, 0];
    const source = flumeSource(avroRpcServer({ port: at.flume }), { name: 'log4j', monitor }).subscribe((delivery) => {
      seen.push(delivery.value);
      out += 1;
      mostOut = Math.max(mostOut, out);
      setTimeout(() => {
        out -= 1;
        delivery.ack();
      }, 2);
    });
    started.push(() => source.unsubscribe());
    const since = Date.now();
    const output = startLog4j(at);
    await hears(seen, 2, output);
    const ours: number[] = [];
    while (ours.length < CONNECTIONS) ours.push(await call(at.log4j));
    const count = 2 + 4 * CONNECTIONS;
    await hears(seen, count, output);
    await until('the last ack', () => metric(monitor, 'rxflume_source_acked_total') >= count);

    expect(seen.map(({ body }) => String(body))).toEqual([
      `INFO SimpleSocketServer: Listening on port ${at.log4j}`,
      waiting,
      ...ours.flatMap((port) => [
        'INFO SimpleSocketServer: Connected to client at /127.0.0.1',
        'INFO SimpleSocketServer: Starting new socket node.',
        `ERROR SocketNode: Could not open ObjectInputStream to Socket[addr=/127.0.0.1,port=${port},localport=${at.log4j}]`,
        waiting,
      ]),
    ]);
    for (const { headers, body } of seen) {
      const isError = String(body).startsWith('ERROR');
      expect(headers).toEqual({
        'flume.client.log4j.logger.name': `org.apache.log4j.net.${isError ? 'SocketNode' : 'SimpleSocketServer'}`,
        'flume.client.log4j.log.level': isError ? '40000' : '20000',
        'flume.client.log4j.timestamp': expect.stringMatching(/^\d+$/),
        'flume.client.log4j.message.encoding': 'UTF8',
        'flume.client.log4j.address': expect.any(String),
      });
    }
    const times = seen.map(({ headers }) => Number(headers['flume.client.log4j.timestamp']));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(since);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now());
    expect(mostOut).toBe(1);
    expect(metric(monitor, 'rxflume_source_acked_total')).toBe(count);
    expect(metric(monitor, 'rxflume_source_unheard_total')).toBe(0);
    expect(output()).not.toContain('append() failed');
  });

  it('throws where a line was rejected', async () => {
    const at = await ports();
    const monitor = new Monitor();
    const seen: FlumeEvent[] = [];
    const source = flumeSource(avroRpcServer({ port: at.flume }), { name: 'log4j', monitor }).subscribe((delivery) => {
      seen.push(delivery.value);
      if (String(delivery.value.body).includes('Connected')) delivery.nack(new Error('not this one'));
      else delivery.ack();
    });
    started.push(() => source.unsubscribe());
    const output = startLog4j(at);
    await hears(seen, 2, output);
    await call(at.log4j);
    await until('the exception', () => output().includes('Avro RPC call returned Status: FAILED'), 30_000, output);
    expect(output()).toContain('FlumeException: Flume append() failed.');
    expect(seen).toHaveLength(3);
    expect(metric(monitor, 'rxflume_source_acked_total')).toBe(2);
    expect(metric(monitor, 'rxflume_source_nacked_total')).toBe(1);
  });
});

import { mkdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type FlumeEvent, flow, flumeSink, flumeSource } from 'rxflume';
import { avroRpcClient, avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { fromObservable$ } from 'rxflume/inputs';
import { lastValueFrom, type Subscription } from 'rxjs';
import { brokers, sleep } from '../support.js';

const PORTS = [
  'NETCAT',
  'AVRO',
  'AVRO_TO',
  'HTTP',
  'SYSLOG',
  'PORT1',
  'PORT2',
  'KAFKA_CHANNEL',
  'GROUPS',
  'KAFKA_SINK',
];
const FOLDERS = [
  ...['netcat', 'tail/web', 'tail/app', 'spool', 'http1', 'http2', 'http3', 'multiport'],
  ...['groups1', 'groups2', 'groups3', 'groups4'],
];

const given = new Set<number>();

/** A free port below those that the system gives to outgoing connections: such a one could be taken before the agent listens. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (given.has(port)) continue;
    const isFree = await new Promise<boolean>((resolve) => {
      const server = createServer()
        .once('error', () => resolve(false))
        .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (!isFree) continue;
    given.add(port);
    return port;
  }
}

/** One of the two that run the agents: the folders, ports and topics that their variables name. */
export class Side {
  readonly env: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly root: string;
  /** What arrived behind its Avro sink. */
  readonly received: FlumeEvent[] = [];
  readonly #receiving: Subscription;

  private constructor(env: Readonly<Record<string, string>>) {
    this.env = env;
    this.dir = env.CMP_DIR as string;
    this.root = env.CMP_ROOT as string;
    this.#receiving = flumeSource(avroRpcServer({ host: '127.0.0.1', port: this.port('AVRO_TO') }), {
      name: 'behind',
    }).subscribe((delivery) => {
      this.received.push({ headers: { ...delivery.value.headers }, body: Buffer.from(delivery.value.body) });
      delivery.ack();
    });
  }

  static async of(name: string, dir: string, run: string): Promise<Side> {
    for (const folder of FOLDERS) mkdirSync(join(dir, folder), { recursive: true });
    const ports: [string, string][] = [];
    for (const port of PORTS) ports.push([`CMP_${port}`, String(await quietPort())]);
    return new Side({
      ...Object.fromEntries(ports),
      CMP_DIR: dir,
      CMP_ROOT: `/lake/${run}/${name}`,
      CMP_BROKERS: brokers.join(','),
      CMP_TOPIC_IN: `${run}-in`,
      CMP_TOPIC_OUT: `${run}-out-${name}`,
      CMP_CHANNEL_TOPIC: `${run}-channel-${name}`,
      CMP_GROUP: `${run}-${name}`,
    });
  }

  port(name: string): number {
    return Number(this.env[`CMP_${name}`]);
  }

  stop(): void {
    this.#receiving.unsubscribe();
  }

  /** Sends bytes to a port; returns what was answered until the connection ended. */
  async send(port: string, bytes: Buffer | string): Promise<string> {
    await this.listening(port);
    return await new Promise((resolve, reject) => {
      let answer = '';
      const socket = connect(this.port(port), '127.0.0.1');
      socket.on('data', (data) => {
        answer += data.toString();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(answer));
      socket.end(bytes);
    });
  }

  async post(port: string, body: unknown): Promise<number> {
    await this.listening(port);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const answer = await fetch(`http://127.0.0.1:${this.port(port)}/`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=UTF-8' },
      body: text,
    });
    return answer.status;
  }

  /** Events by Avro RPC, all of which must be taken. */
  async events(port: string, events: readonly FlumeEvent[]): Promise<void> {
    await this.listening(port);
    const sink = flumeSink(avroRpcClient({ agents: [`127.0.0.1:${this.port(port)}`] }));
    await lastValueFrom(flow('feed', fromObservable$(events, { name: 'feed' }), sink.write()), {
      defaultValue: undefined,
    });
  }

  /** Waits until a port is listened at. */
  async listening(name: string): Promise<void> {
    const deadline = Date.now() + 180_000;
    const answers = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(this.port(name), '127.0.0.1');
        socket.once('connect', () => socket.destroy());
        socket.once('error', () => resolve(false));
        socket.once('close', (failed) => resolve(!failed));
      });
    while (!(await answers())) {
      if (Date.now() > deadline) throw new Error(`nothing listens at ${name}, port ${this.port(name)}`);
      await sleep(200);
    }
  }
}

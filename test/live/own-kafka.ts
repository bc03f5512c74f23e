import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe } from '@jest/globals';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { certificate } from '../drivers/avro-rpc/certificate.js';
import { root, sleep } from './support.js';

const run = promisify(execFile);
const lib = join(globalThis.process.env.RXFLUME_SERVICES_DIR ?? join(root, '.services'), 'lib/kafka');
export const java = ['-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-cp', `${lib}/*`];
const log4j = `-Dlog4j2.configurationFile=${root}scripts/services.d/kafka/log4j2.xml`;
const UP_WITHIN_MS = 40_000;

/** Whether the jars are here: not where the services run in Docker. */
export const hasOwnKafka = existsSync(lib);

/** Skipped where the services run in Docker, which a broker of a test's own cannot be started from. */
export const describeOwnKafka = hasOwnKafka ? describe : describe.skip;

/** A broker of a test's own, with an authorizer, on ports and in a folder of its own. */
export class OwnKafka {
  readonly brokers: string[];
  /** The same broker at a listener whose advertised address leads nowhere. */
  readonly lostBroker: string;
  /** The same broker by TLS, with the certificate of the tests, for the user `flume` with the password `s3cret-of-kafka`. */
  readonly secureBroker: string;
  readonly admin: Admin;
  readonly kafka: Kafka;
  #child: ChildProcess;
  readonly #folder: string;

  private constructor([port, lost, secure]: readonly [number, number, number], folder: string) {
    this.brokers = [`127.0.0.1:${port}`];
    this.lostBroker = `127.0.0.1:${lost}`;
    this.secureBroker = `127.0.0.1:${secure}`;
    this.kafka = new Kafka({ brokers: this.brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } });
    this.admin = this.kafka.admin();
    this.#folder = folder;
    this.#child = this.#spawn();
  }

  /** `more`: further lines of its configuration. */
  static async start(more: readonly string[] = []): Promise<OwnKafka> {
    const folder = mkdtempSync(join(tmpdir(), 'rxflume-own-kafka-'));
    const [port, controller, lost, secure] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const config = join(folder, 'server.properties');
    writeFileSync(config, [propertiesOf(port, controller, lost, secure, folder), ...more, ''].join('\n'));
    const id = randomBytes(16).toString('base64url');
    await run('java', [...java, log4j, 'kafka.tools.StorageTool', 'format', `--cluster-id=${id}`, '-c', config]);
    const own = new OwnKafka([port, lost, secure], folder);
    await own.#up();
    return own;
  }

  #spawn(): ChildProcess {
    const output = openSync(join(this.#folder, 'log'), 'a');
    const args = [...java, log4j, 'kafka.Kafka', join(this.#folder, 'server.properties')];
    const child = spawn('java', args, { stdio: ['ignore', output, output] });
    closeSync(output);
    globalThis.process.once('exit', () => child.kill('SIGKILL'));
    return child;
  }

  async #up(): Promise<void> {
    const until = performance.now() + UP_WITHIN_MS;
    while (
      !(await this.admin
        .connect()
        .then(() => this.admin.listTopics())
        .then(
          () => true,
          () => false,
        ))
    ) {
      if (performance.now() < until && this.#child.exitCode === null) await sleep(200);
      else {
        const said = readFileSync(join(this.#folder, 'log'), 'utf8').slice(-2_000);
        await this.stop();
        throw new Error(`the broker did not come up: ${said}`);
      }
    }
  }

  /** Kills it and starts it again on its data. */
  async restart(): Promise<void> {
    await this.admin.disconnect().catch(() => undefined);
    await this.#kill();
    this.#child = this.#spawn();
    await this.#up();
  }

  /** A tool of Kafka's own. */
  async tool(name: string, ...args: string[]): Promise<string> {
    const { stdout } = await run('java', [...java, name, '--bootstrap-server', String(this.brokers[0]), ...args]);
    return stdout;
  }

  async stop(): Promise<void> {
    await this.admin.disconnect().catch(() => undefined);
    await this.#kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    if (this.#child.exitCode === null && this.#child.kill('SIGKILL')) await ended;
  }
}

function propertiesOf(port: number, controller: number, lost: number, secure: number, folder: string): string {
  const inline = (pem: string) => pem.trim().replaceAll('\n', ' \\\n');
  return [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    'controller.listener.names=CONTROLLER',
    `listeners=PLAINTEXT://127.0.0.1:${port},LOST://127.0.0.1:${lost},SECURE://127.0.0.1:${secure},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port},LOST://no-such-host.invalid:${lost},SECURE://127.0.0.1:${secure}`,
    'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,LOST:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT',
    'ssl.keystore.type=PEM',
    `ssl.keystore.certificate.chain=${inline(certificate.cert)}`,
    `ssl.keystore.key=${inline(certificate.key)}`,
    'listener.name.secure.sasl.enabled.mechanisms=PLAIN',
    'listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_flume="s3cret-of-kafka";',
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${folder}/data`,
    'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'allow.everyone.if.no.acl.found=true',
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
    'log.cleaner.dedupe.buffer.size=16777216',
    '',
  ].join('\n');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

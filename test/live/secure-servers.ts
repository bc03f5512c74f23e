import { createHmac } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { Monitor } from '../../src/core/monitor.js';
import { root, services, sleep } from './support.js';

const base = process.env.RXFLUME_SERVICES_DIR ?? join(root, '.services');

/** A right of a user, as `kafka-acls` has it: `READ topic in`. */
export type Right = readonly [
  operation: keyof typeof AclOperationTypes,
  on: 'TOPIC' | 'GROUP' | 'TRANSACTIONAL_ID',
  name: string,
];

/** The brokers of `scripts/services secure`, and all that was shown while they were used. */
export class SecureServers {
  readonly folder = mkdtempSync(join(tmpdir(), 'rxflume-secure-'));
  readonly password: string;
  readonly monitor = new Monitor();
  readonly #ports: Readonly<Record<string, string>>;
  readonly #shown: string[] = [];
  readonly #admin;
  readonly kafka: Kafka;

  private constructor(ports: Readonly<Record<string, string>>) {
    this.#ports = ports;
    this.password = readFileSync(join(base, 'data/secure/password'), 'utf8').trim();
    this.kafka = new Kafka({ brokers: [`127.0.0.1:${ports.PLAINTEXT}`], logLevel: logLevel.NOTHING });
    this.#admin = this.kafka.admin();
    this.monitor.logEvents$.subscribe((event) => this.shown(event));
  }

  static async start(): Promise<SecureServers> {
    const text = await services('secure', 'start');
    const ports = Object.fromEntries(
      [...text.matchAll(/RXFLUME_SECURE_(\w+)=(\S+)/g)].map(([, name, port]) => [name, port]),
    );
    const servers = new SecureServers(ports as Record<string, string>);
    await servers.#admin.connect();
    return servers;
  }

  async stop(): Promise<void> {
    await this.#admin.disconnect();
    await services('secure', 'stop');
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** `localhost:port` of a listener, such as SASL. */
  at(listener: string): string {
    return `localhost:${this.#ports[listener]}`;
  }

  /** A file of a certificate or key. */
  file(name: string): { readonly file: string } {
    return { file: join(base, 'data/secure/tls', name) };
  }

  identity(name: string) {
    return { cert: this.file(`${name}.pem`), key: this.file(`${name}.key`) };
  }

  /** A copy of a certificate and its key that can be replaced, as one that is renewed. */
  renewable(name: string, first: string) {
    const put = (certificate: string) => {
      for (const kind of ['key', 'pem']) {
        const path = join(this.folder, `${name}.${kind}`);
        copyFileSync(this.file(`${certificate}.${kind}`).file, `${path}.new`);
        renameSync(`${path}.new`, path);
      }
    };
    put(first);
    const path = (kind: string) => ({ file: join(this.folder, `${name}.${kind}`) });
    return { tls: { ca: this.file('ca.pem'), cert: path('pem'), key: path('key') }, put };
  }

  /** What was printed, logged or thrown, to be searched for secrets. */
  shown(what: unknown): void {
    this.#shown.push(inspect(what, { depth: 9, maxStringLength: null }), String(what), JSON.stringify(what) ?? '');
  }

  /** Whether a secret was shown anywhere, in a metric too. */
  hasShown(secret: string): boolean {
    const all = [...this.#shown, JSON.stringify(this.monitor.samples())].join('\n');
    return all.includes(secret) || all.includes(Buffer.from(secret).toString('base64'));
  }

  async topic(name: string, values: readonly string[] = []): Promise<void> {
    await this.#admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
    await this.produce(name, values);
  }

  async produce(topic: string, values: readonly string[]): Promise<void> {
    const producer = this.kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: values.map((value) => ({ value })) });
    await producer.disconnect();
  }

  /** The first values of a topic that are committed. */
  async valuesOf(topic: string, count: number): Promise<string[]> {
    const values: string[] = [];
    const consumer = this.kafka.consumer({ groupId: `${topic}-check`, readUncommitted: false });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) });
    await until(() => values.length >= count, `${count} values of ${topic}`, 15_000);
    await consumer.disconnect();
    return values;
  }

  async grant(user: string, ...rights: readonly Right[]): Promise<void> {
    if (rights.length > 0) await this.#admin.createAcls({ acl: rights.map((right) => aclOf(user, right)) });
  }

  async revoke(user: string, ...rights: readonly Right[]): Promise<void> {
    await this.#admin.deleteAcls({ filters: rights.map((right) => aclOf(user, right)) });
  }
}

function aclOf(user: string, [operation, on, name]: Right) {
  return {
    resourceType: AclResourceTypes[on],
    resourceName: name,
    resourcePatternType: ResourcePatternTypes.LITERAL,
    principal: `User:${user}`,
    host: '*',
    operation: AclOperationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  };
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** A token that Kafka's unsecured validator takes. */
export function unsecuredToken(user: string, lastsMs: number): string {
  const nowS = Date.now() / 1_000;
  return `${encoded({ alg: 'none' })}.${encoded({ sub: user, iat: nowS, exp: nowS + lastsMs / 1_000, jti: Math.random() })}.`;
}

/** A token that RabbitMQ takes, signed with the servers' password. */
export function signedToken(key: string, scope: readonly string[], lastsMs: number): string {
  const exp = Math.round((Date.now() + lastsMs) / 1_000);
  const text = `${encoded({ alg: 'HS256', typ: 'JWT', kid: 'tests' })}.${encoded({ aud: ['rabbitmq'], scope, exp, sub: 'flow' })}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

/** The lines of all files below a folder that are complete. */
export function linesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/[._]/.test(path.slice(folder.length)));
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').filter(Boolean));
}

export async function until(holds: () => boolean, what: string, withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(50);
  }
}

import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import amqpPackage, { type ChannelModel } from 'amqplib';
import type { Subscription } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import type { RxflumeError } from '../../src/core/errors.js';
import { type AmqplibOptions, amqplib } from '../../src/drivers/amqplib/index.js';
import type { KafkajsOptions } from '../../src/drivers/kafkajs/index.js';
import { kafkajsOver } from '../../src/drivers/kafkajs/kafkajs.js';
import { openSocket } from '../../src/drivers/kafkajs/vendor/sockets.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { flow } from '../../src/flow/flow.js';
import { text } from '../../src/formats/text.js';
import { secret } from '../../src/security/index.js';
import { amqpSink } from '../../src/sinks/amqp/amqp-sink.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSink } from '../../src/sinks/kafka/kafka-sink.js';
import { amqpSource } from '../../src/sources/amqp/amqp-source.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { describeOwnKafka, hasOwnKafka } from './own-kafka.js';
import { linesIn, type Right, SecureServers, signedToken, unsecuredToken, until } from './secure-servers.js';
import { fresh, sleep } from './support.js';

jest.setTimeout(60_000);

// Skipped only where the services run in Docker: without Kafka's jars no broker of its own can be started.
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `n${from + at}`);

let servers: SecureServers;
const lives = new Set<Subscription>();
const sockets = new Set<ReturnType<typeof openSocket>>();

if (hasOwnKafka) {
  beforeAll(async () => {
    servers = await SecureServers.start();
  }, 90_000);
  afterAll(() => servers?.stop(), 60_000);
}

function kafka(given: Partial<KafkajsOptions>) {
  const options = { brokers: [servers.at('SASL')], tls: { ca: servers.file('ca.pem') }, ...given };
  return kafkajsOver({ reconnect: { maxAttempts: 0 }, ...options } as KafkajsOptions, (target) => {
    const socket = openSocket(target);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    return socket;
  });
}

const scram = (password: string, mechanism = 'scram-sha-256') => ({
  sasl: { mechanism, username: 'flume', password: secret.from(() => password) } as NonNullable<KafkajsOptions['sasl']>,
});

interface Running {
  readonly lines: () => string[];
  error: RxflumeError | undefined;
  readonly life: Subscription;
}

/** From a topic into local files, exactly once. */
function collect(driver: ReturnType<typeof kafka>, topic: string): Running {
  const { monitor, folder } = servers;
  const root = join(folder, topic);
  const lake = fileSink<string>(localDisk(), { root, path: 'in', format: text(), roll: { intervalMs: 200 }, monitor });
  const options = { topics: [topic], groupId: topic, resumeFrom: lake.offsetStore, monitor, sessionTimeoutMs: 6_000 };
  const asText = mapValue((value: unknown) => String(value));
  const running = { lines: () => linesIn(root), error: undefined as RxflumeError | undefined };
  const life = flow('secure', kafkaSource(driver, options), asText, lake.write()).subscribe({
    error: (error: unknown) => {
      running.error = error as RxflumeError;
      servers.shown(error);
    },
  });
  lives.add(life);
  return Object.assign(running, { life });
}

/** All lines once, then the flow is ended. */
async function hasExactly(running: Running, values: readonly string[]): Promise<void> {
  await until(() => running.error !== undefined || running.lines().length >= values.length, 'all lines');
  await sleep(300);
  running.life.unsubscribe();
  if (running.error !== undefined) throw running.error;
  expect(running.lines().sort()).toEqual([...values].sort());
}

const reading = (topic: string): Right[] => [
  ['READ', 'TOPIC', topic],
  ['READ', 'GROUP', topic],
];

async function topicFor(user: string, values: readonly string[] = []): Promise<string> {
  const topic = fresh('secure');
  await servers.topic(topic, values);
  await servers.grant(user, ...reading(topic));
  return topic;
}

afterEach(() => {
  for (const life of lives) life.unsubscribe();
  lives.clear();
});

describeOwnKafka('Kafka with TLS, SASL and ACLs', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('lets in who logs in by %s', async (mechanism) => {
    const topic = await topicFor('flume', numbers(0, 20));
    await hasExactly(collect(kafka(scram(servers.password, mechanism)), topic), numbers(0, 20));
  });

  it('renews sessions of a few seconds with new tokens, without a lost connection', async () => {
    const topic = await topicFor('flume');
    const tokens: string[] = [];
    const token = secret.from(async () => {
      tokens.push(unsecuredToken('flume', 3_000));
      return tokens.at(-1) as string;
    });
    const lost: string[] = [];
    const watching = servers.monitor.logEvents$.subscribe(({ what }) => lost.push(what));
    const running = collect(kafka({ sasl: { mechanism: 'oauthbearer', token } }), topic);
    for (let at = 0; at < 600; at += 100) {
      await servers.produce(topic, numbers(at, at + 100));
      await sleep(900);
    }
    await hasExactly(running, numbers(0, 600));
    watching.unsubscribe();
    // Two connections, each with a session of 2.4 s, for 5 s.
    expect(tokens.length).toBeGreaterThanOrEqual(4);
    expect(tokens.length).toBeLessThan(20);
    expect(lost.filter((what) => /lost|retry/.test(what))).toEqual([]);
    for (const one of tokens) expect(servers.hasShown(one)).toBe(false);
  });

  it('takes a renewed client certificate for new connections, in the middle of a run', async () => {
    const topic = await topicFor('flume', numbers(0, 100));
    const next: Right[] = [...reading(topic)];
    await servers.grant('flume-next', ...next);
    const { tls, put } = servers.renewable('renewed', 'flume');
    const running = collect(
      kafka({ brokers: [servers.at('MTLS')], tls, reconnect: { maxAttempts: 5, firstDelayMs: 100 } }),
      topic,
    );
    await until(() => running.lines().length >= 100, 'the first lines');
    put('flume-next');
    await servers.revoke('flume', ...next);
    for (const socket of sockets) socket.destroy(new Error('cut by the test'));
    await servers.produce(topic, numbers(100, 200));
    await hasExactly(running, numbers(0, 200));
  });

  it.each<[string, () => Partial<KafkajsOptions>, string, RegExp]>([
    [
      'another authority',
      () => ({ brokers: [servers.at('OTHER')] }),
      'RXF_KAFKA_AUTH',
      /authority that signed it in `tls\.ca`/,
    ],
    ['an expired certificate', () => ({ brokers: [servers.at('EXPIRED')] }), 'RXF_KAFKA_AUTH', /Renew its certificate/],
    ['another host name', () => ({ brokers: [servers.at('HOST')] }), 'RXF_KAFKA_AUTH', /is for another name/],
    ['no TLS', () => ({ brokers: [servers.at('PLAINTEXT')] }), 'RXF_KAFKA_UNREACHABLE', /may not speak TLS/],
    [
      'TLS, where none is asked for',
      () => ({ tls: false }),
      'RXF_KAFKA_UNREACHABLE',
      /If the port requires TLS, set `tls`/,
    ],
    [
      'a client certificate that is missing',
      () => ({ brokers: [servers.at('MTLS')] }),
      'RXF_KAFKA_AUTH',
      /`tls\.cert` and `tls\.key`/,
    ],
    [
      'a client certificate that has expired',
      () => ({
        brokers: [servers.at('MTLS')],
        tls: { ca: servers.file('ca.pem'), ...servers.identity('expired-client') },
      }),
      'RXF_KAFKA_AUTH',
      /rejects the certificate of this client/,
    ],
    [
      'a client certificate of another authority',
      () => ({
        brokers: [servers.at('MTLS')],
        tls: { ca: servers.file('ca.pem'), ...servers.identity('other-client') },
      }),
      'RXF_KAFKA_AUTH',
      /rejects the certificate of this client/,
    ],
    [
      'a wrong password',
      () => scram('a wrong planted password'),
      'RXF_KAFKA_AUTH',
      /rejected the credentials: .*Correct what `sasl` logs in with/,
    ],
    [
      'a mechanism that it lacks',
      () => ({
        sasl: { mechanism: 'GSSAPI', authenticationProvider: () => ({ authenticate: async () => undefined }) },
      }),
      'RXF_KAFKA_AUTH',
      /Correct `sasl\.mechanism`/,
    ],
    [
      'a token that has expired',
      () => ({ sasl: { mechanism: 'oauthbearer', token: unsecuredToken('flume', -60_000) } }),
      'RXF_KAFKA_AUTH',
      /rejected the credentials/,
    ],
    [
      'a token that cannot be got',
      () => ({
        sasl: { mechanism: 'oauthbearer', token: () => Promise.reject(new Error('the token server is down')) },
      }),
      'RXF_SECRET_UNREADABLE',
      /`sasl\.token`: the token server is down/,
    ],
  ])('ends with its own error at %s', async (_, options, code, says) => {
    const topic = fresh('secure-wrong');
    const running = collect(kafka({ connectTimeoutMs: 8_000, ...options() }), topic);
    await until(() => running.error !== undefined, 'an error');
    expect(running.error?.code).toBe(code);
    expect(running.error?.message).toMatch(says);
  });

  const login = () => kafka(scram(servers.password));

  it.each([0, 1])(
    'needs each of the rights that the guide lists, and names the one that is missing (%s)',
    async (at) => {
      const topic = await topicFor('flume', numbers(0, 10));
      const right = reading(topic)[at] as Right;
      await servers.revoke('flume', right);
      const denied = collect(login(), topic);
      await until(() => denied.error !== undefined, 'an error');
      expect(denied.error?.message).toMatch(/Grant .*`Read`/);
      await servers.grant('flume', right);
      await hasExactly(collect(login(), topic), numbers(0, 10));
    },
  );

  it('loses nothing where a right is revoked in the middle of a run', async () => {
    const topic = await topicFor('flume', numbers(0, 50));
    const first = collect(login(), topic);
    await until(() => first.lines().length >= 50, 'the first lines');
    await servers.revoke('flume', ['READ', 'TOPIC', topic]);
    await servers.produce(topic, numbers(50, 100));
    await until(() => first.error !== undefined, 'an error');
    expect(first.error?.message).toMatch(/Grant .*`Read`/);
    await servers.grant('flume', ['READ', 'TOPIC', topic]);
    await hasExactly(collect(login(), topic), numbers(0, 100));
  });

  it.each<[string, boolean]>([
    ['a sink', false],
    ['a sink that commits offsets in its transactions', true],
  ])('%s needs each of the rights that the guide lists, and names the one that is missing', async (_, isOnce) => {
    const [from, to] = [await topicFor('flume', ['a']), fresh('secure-out')];
    await servers.topic(to);
    const rights: Right[] = [['WRITE', 'TOPIC', to], ...(isOnce ? [['WRITE', 'TRANSACTIONAL_ID', '*'] as const] : [])];
    const { monitor } = servers;
    const copy = () => {
      const causes: string[] = [];
      const sink = kafkaSink(login(), { topic: to, monitor, sendTimeoutMs: 1_000 });
      const resumed = isOnce ? { resumeFrom: sink.offsetStore } : {};
      const source = kafkaSource(login(), {
        topics: [from],
        groupId: from,
        monitor,
        redeliver: { maxAttempts: 0 },
        ...resumed,
      });
      const watching = monitor.logEvents$.subscribe(({ message }) => causes.push(message));
      const life = flow('copy', source, sink.write()).subscribe({
        error: (error: unknown) => causes.push(String(error)),
      });
      life.add(watching);
      lives.add(life);
      return { causes, life };
    };
    for (const missing of rights) {
      await servers.grant('flume', ...rights.filter((right) => right !== missing));
      const denied = copy();
      const says = missing[1] === 'TOPIC' ? /`Write`.*\btopic/ : /`Write` and `Describe` on transactional ids/;
      await until(() => denied.causes.some((cause) => says.test(cause)), `what names ${missing.join(' ')}`);
      denied.life.unsubscribe();
      await servers.revoke('flume', ...rights);
    }
    await servers.grant('flume', ...rights);
    const granted = copy();
    expect(await servers.valuesOf(to, 1)).toEqual(['a']);
    granted.life.unsubscribe();
    await servers.revoke('flume', ...rights);
  });
});

describeOwnKafka('RabbitMQ with TLS, client certificates, tokens and permissions', () => {
  let admin: ChannelModel;
  beforeAll(async () => {
    const url = `amqps://admin:${encodeURIComponent(servers.password)}@${servers.at('AMQPS')}`;
    const { readFileSync } = await import('node:fs');
    admin = await amqpPackage.connect(url, { ca: [readFileSync(servers.file('ca.pem').file)] });
    const channel = await admin.createChannel();
    await channel.assertQueue('in', { durable: true });
    await channel.assertExchange('out', 'fanout');
    await channel.assertQueue('out-queue');
    await channel.bindQueue('out-queue', 'out', '');
  });
  afterAll(() => admin?.close());

  const rabbit = (given: Partial<AmqplibOptions> = {}) =>
    amqplib({
      urls: [`amqps://${servers.at('AMQPS')}`],
      tls: { ca: servers.file('ca.pem') },
      ...(given.mechanism === 'external' ? {} : { user: 'flume', password: () => servers.password }),
      ...given,
    });

  /** From the queue to the exchange, until ended. */
  function forward(driver: ReturnType<typeof rabbit>) {
    const { monitor } = servers;
    const running = { errors: [] as RxflumeError[] };
    const sink = amqpSink<unknown>(driver, {
      exchange: 'out',
      routingKey: '',
      encode: (value) => String(value),
      monitor,
    });
    const source = amqpSource(driver, { queues: ['in'], monitor, redeliver: { maxAttempts: 0 } } as never);
    const life = flow('forward', source, sink.write()).subscribe({
      error: (error: unknown) => {
        running.errors.push(error as RxflumeError);
        servers.shown(error);
      },
    });
    lives.add(life);
    return Object.assign(running, { life });
  }

  async function arrives(running: ReturnType<typeof forward>, value: string): Promise<void> {
    const channel = await admin.createChannel();
    channel.sendToQueue('in', Buffer.from(value));
    let got: string | undefined;
    const end = performance.now() + 20_000;
    while (got === undefined && running.errors.length === 0 && performance.now() < end) {
      const message = await channel.get('out-queue', { noAck: true });
      // What an earlier case left is passed over.
      if (message !== false) got = message.content.toString() === value ? value : undefined;
      else await sleep(100);
    }
    await channel.close();
    if (running.errors[0] !== undefined) throw running.errors[0];
    expect(got).toBe(value);
  }

  it.each<[string, () => Partial<AmqplibOptions>]>([
    ['a password', () => ({})],
    [
      'a certificate',
      () => ({ mechanism: 'external', tls: { ca: servers.file('ca.pem'), ...servers.identity('flume') } }),
    ],
  ])('lets in who logs in by %s, with the permissions that the guide lists', async (how, options) => {
    const running = forward(rabbit(options()));
    await arrives(running, `by ${how}`);
    running.life.unsubscribe();
  });

  it('keeps a connection whose token is renewed before it expires', async () => {
    const scope = ['rabbitmq.read:*/in', 'rabbitmq.write:*/out'];
    const tokens: string[] = [];
    const password = () => {
      tokens.push(signedToken(servers.password, scope, 3_000));
      return tokens.at(-1) as string;
    };
    const lost: string[] = [];
    const watching = servers.monitor.logEvents$.subscribe(({ what }) => lost.push(what));
    const running = forward(rabbit({ password, reloadIntervalMs: 500 }));
    await arrives(running, 'with the first token');
    await sleep(4_500);
    await arrives(running, 'with a later token');
    running.life.unsubscribe();
    watching.unsubscribe();
    expect(lost.filter((what) => /lost|LOST|secret/.test(what))).toEqual([]);
    for (const one of tokens) expect(servers.hasShown(one)).toBe(false);
  });

  it.each<[string, () => Partial<AmqplibOptions>, string, RegExp]>([
    [
      'a wrong password',
      () => ({ password: 'a wrong planted password' }),
      'RXF_AMQP_AUTH',
      /rejects the user or the password/,
    ],
    [
      'another authority',
      () => ({ tls: { ca: servers.file('other-ca.pem') } }),
      'RXF_AMQP_AUTH',
      /authority that signed it in `tls\.ca`/,
    ],
    [
      'another host name',
      () => ({ tls: { ca: servers.file('ca.pem'), servername: 'elsewhere.test' } }),
      'RXF_AMQP_AUTH',
      /for another name/,
    ],
    [
      'a certificate whose name is no user',
      () => ({ mechanism: 'external', tls: { ca: servers.file('ca.pem'), ...servers.identity('flume-next') } }),
      'RXF_AMQP_AUTH',
      /rejects the client certificate/,
    ],
    [
      'a client certificate of another authority',
      () => ({ mechanism: 'external', tls: { ca: servers.file('ca.pem'), ...servers.identity('other-client') } }),
      'RXF_AMQP_AUTH',
      /rejects the certificate of this client/,
    ],
    [
      'a port without TLS',
      () => ({ urls: [`amqps://${servers.at('PLAINTEXT')}`] }),
      'RXF_AMQP_UNREACHABLE',
      /may not speak TLS/,
    ],
    [
      'TLS, where none is asked for',
      () => ({ urls: [`amqp://${servers.at('AMQPS')}`] }),
      'RXF_AMQP_UNREACHABLE',
      /use `amqps:`/,
    ],
    ['no right to the virtual host', () => ({ user: 'no-vhost' }), 'RXF_AMQP_AUTH', /Grant the user access to it/],
    ['no right to read', () => ({ user: 'no-read' }), 'RXF_AMQP_AUTH', /`read` on the queue/],
    ['no right to write', () => ({ user: 'no-write' }), 'RXF_SOURCE_NACKED', /`write` on the exchange/],
  ])('ends with its own error at %s', async (_, options, code, says) => {
    const channel = await admin.createChannel();
    channel.sendToQueue('in', Buffer.from('kept'));
    const running = forward(rabbit(options()));
    await until(() => running.errors.length > 0, 'an error');
    running.life.unsubscribe();
    expect(`${running.errors[0]?.code} ${running.errors[0]?.message}`).toMatch(says);
    expect(running.errors[0]?.code).toBe(code);
    await sleep(200);
    await channel.purgeQueue('in').then(({ messageCount }) => expect(messageCount).toBeGreaterThan(0));
    await channel.close();
  });
});

describeOwnKafka('what was shown meanwhile', () => {
  it('has no password', () => {
    expect(servers.hasShown(servers.password)).toBe(false);
    expect(servers.hasShown('a wrong planted password')).toBe(false);
  });
});

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import { fitting } from '../cli/json-schema.js';
import { letter } from '../dead-letters/letters.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { certificate } from '../drivers/avro-rpc/certificate.js';
import { describeOwnKafka, OwnKafka } from './own-kafka.js';
import { describeRabbitmq, withChannel } from './rabbitmq-support.js';
import { brokers, compare, createTopic, fresh, nameNode, produceRaw, readNumbers, root, runFlow } from './support.js';
import { readCommitted } from './topic-reader.js';

const FLOW = `${root}test/live/flows/dead-letters.ts`;
const RECORDS = 2_000;
const local = mkdtempSync(join(tmpdir(), 'rxflume-dlq-'));

afterAll(() => rmSync(local, { recursive: true, force: true }));

/** `rxflume dlq`, with its exit code and what it printed as JSON. */
async function dlq(args: readonly string[], env: Record<string, string>) {
  const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'dlq', ...args, '--json'];
  const ended = promisify(execFile)(process.execPath, command, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  const {
    code = 0,
    stdout,
    stderr,
  } = (await ended.catch((error: { code: number; stdout: string; stderr: string }) => error)) as {
    code?: number;
    stdout: string;
    stderr: string;
  };
  expect(`${stderr}`).toBe('');
  return { code, printed: JSON.parse(stdout) as Record<string, unknown> };
}

/** Numbers, of which each tenth is a text of digits, and each hundredth is none. */
async function fill(topic: string): Promise<{ good: number; texts: number; broken: number }> {
  await createTopic(topic, 2);
  const kindOf = (n: number) => (n % 100 === 7 ? 'broken' : n % 10 === 3 ? 'text' : 'good');
  const numbers = Array.from({ length: RECORDS }, (_, n) => n);
  const written = (n: number) => ({ good: n, text: String(n), broken: 'many' })[kindOf(n)];
  await produceRaw(
    topic,
    numbers.map((n) => ({ partition: n % 2, value: JSON.stringify({ n: written(n) }) })),
  );
  const count = (kind: string) => numbers.filter((n) => kindOf(n) === kind).length;
  return { good: count('good'), texts: count('text'), broken: count('broken') };
}

it('sets records aside in HDFS, and stores each once when the codec is corrected', async () => {
  const topic = fresh('dlq');
  const { good, texts, broken } = await fill(topic);
  const env = { TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, TEST_TOPIC: topic, TEST_ROOT: `/${topic}` };
  expect(await runFlow(FLOW, env, '--until-idle', '1000').ended).toBe(0);
  const bad = `${nameNode.replace(/^http/, 'webhdfs')}/${topic}/bad`;
  const as = ['--user', 'hdfs'];

  const fixed = { ...env, TEST_FIXED: 'true' };
  const { printed: preview } = await dlq(['replay', bad, FLOW, '--dry-run', ...as], fixed);
  expect(JSON.stringify(preview)).toContain('stored');
  expect((await readNumbers(`/${topic}/lake`)).size).toBe(good);

  // Those that the codec still rejects are set aside again, and wait.
  const first = await dlq(['replay', bad, FLOW, ...as], fixed);
  expect(first.code).toBe(3);
  const again = await dlq(['replay', bad, FLOW, '--contains', '"n":"1', ...as], fixed);
  expect(again.code).toBe(0);
  const seen = await readNumbers(`/${topic}/lake`);
  expect([seen.size, compare(seen, RECORDS).repeated]).toEqual([good + texts, 0]);
  const { printed: left } = await dlq(['list', bad, ...as], fixed);
  expect(JSON.stringify(left)).toContain(`"waiting":${broken}`);
}, 120_000);

it('replays the letters of a topic into a topic, each once', async () => {
  const topic = fresh('dlq-topic');
  const { good, texts } = await fill(topic);
  await createTopic(`${topic}-bad`, 1);
  await createTopic(`${topic}-clean`, 1);
  const topics = { TEST_TOPIC: topic, TEST_BAD_TOPIC: `${topic}-bad`, TEST_CLEAN_TOPIC: `${topic}-clean` };
  const env = { TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, ...topics };
  expect(await runFlow(FLOW, env, '--until-idle', '1000').ended).toBe(0);

  const fixed = { ...env, TEST_FIXED: 'true' };
  const where = [`kafka://${brokers.join(',')}/${topic}-bad`, FLOW, '--replays', join(local, 'replays')];
  expect((await dlq(['replay', ...where], fixed)).code).toBe(3);
  expect((await dlq(['replay', ...where, '--contains', '"n":"1'], fixed)).code).toBe(0);
  const seen = await readCommitted(`${topic}-clean`);
  expect([seen.size, compare(seen, RECORDS).repeated]).toEqual([good + texts, 0]);
}, 120_000);

describeRabbitmq('the dead-letter queue of RabbitMQ', () => {
  let running: ChildProcess | undefined;
  afterEach(() => {
    running?.kill('SIGKILL');
  });

  it('is moved to a root by processes that are killed, and what is replayed of it is stored once', async () => {
    const queue = fresh('dlq-rabbit');
    const dead = `${queue}.dead`;
    await withChannel(async (channel) => {
      await channel.assertQueue(dead, { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000 } });
      const args = { 'x-message-ttl': 0, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead };
      await channel.assertQueue(queue, { arguments: args });
      for (let n = 0; n < RECORDS; n += 1) {
        channel.sendToQueue(queue, Buffer.from(JSON.stringify({ n })), { persistent: true, messageId: `m-${n}` });
      }
      await channel.waitForConfirms();
    });
    const into = join(local, 'rabbit');
    const take = ['take', RABBITMQ, into, '--queue', dead];
    // The first is killed while its file is open, the second after it was committed and before or while that was acked.
    for (const afterMs of [4_000, 7_500]) {
      const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'dlq', ...take];
      running = spawn(process.execPath, command, { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } });
      const ended = new Promise((resolve) => running?.once('close', resolve));
      const timer = setTimeout(() => running?.kill('SIGKILL'), afterMs);
      await ended;
      clearTimeout(timer);
    }
    fitting('dlq-take', JSON.stringify((await dlq(take, {})).printed));
    const { printed } = await dlq(['list', into], {});
    expect(printed.counts).toMatchObject({ waiting: RECORDS });
    await withChannel(async (channel) => {
      expect((await channel.checkQueue(dead)).messageCount).toBe(0);
      await channel.deleteQueue(dead);
      await channel.deleteQueue(queue);
    });
    const env = {
      ...{ TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, TEST_TOPIC: queue, TEST_ROOT: `/${queue}` },
    };
    expect((await dlq(['replay', into, FLOW], env)).printed).toMatchObject({ replayed: RECORDS, setAside: 0 });
    expect((await dlq(['replay', into, FLOW], env)).printed).toMatchObject({ replayed: 0 });
    const seen = await readNumbers(`/${queue}/lake`);
    expect([seen.size, compare(seen, RECORDS).repeated]).toEqual([RECORDS, 0]);
  }, 120_000);
});

// Skipped only where the services run in Docker: without Kafka's jars no broker of its own can be started.
describeOwnKafka('a topic of a cluster with TLS and SASL', () => {
  let own: OwnKafka;
  const store = join(root, 'test/live', `.dlq-store-${process.pid}.ts`);
  beforeAll(async () => {
    own = await OwnKafka.start();
  }, 60_000);
  afterAll(async () => {
    rmSync(store, { force: true });
    await own?.stop();
  });

  it('is listed, shown, replayed once and dropped by a file that exports it', async () => {
    const topics = ['secure-bad', 'secure-clean'].map((topic) => ({ topic, numPartitions: 1 }));
    await own.admin.createTopics({ topics, waitForLeaders: true });
    const texts = Array.from({ length: 20 }, (_, n) =>
      JSON.stringify(letter(n, { flow: 'numbers', stream: 'kafka:n/0', value: JSON.stringify({ n: String(n) }) })),
    );
    const producer = own.kafka.producer();
    await producer.connect();
    await producer.send({ topic: 'secure-bad', messages: texts.map((value) => ({ value })) });
    await producer.disconnect();
    writeFileSync(
      store,
      `import { deadLetterTopic } from 'rxflume/dead-letters';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { localDisk } from 'rxflume/drivers/local-disk';
const kafka = kafkajs({
  brokers: ['${own.secureBroker}'],
  tls: { ca: ${JSON.stringify(certificate.cert)} },
  sasl: { mechanism: 'plain', username: 'flume', password: process.env.TEST_PASSWORD ?? '' },
});
export default deadLetterTopic(kafka, { topic: 'secure-bad', replays: { fs: localDisk(), root: '${join(local, 'secure')}' } });
`,
    );
    const env = {
      ...{ TEST_BROKERS: own.brokers.join(','), TEST_NAMENODE: nameNode, TEST_TOPIC: 'n', TEST_FIXED: 'true' },
      ...{ TEST_BAD_TOPIC: 'secure-bad', TEST_CLEAN_TOPIC: 'secure-clean', TEST_PASSWORD: 's3cret-of-kafka' },
    };
    expect((await dlq(['list', store], env)).printed).toMatchObject({ counts: { waiting: 20 } });
    expect((await dlq(['show', store, '0#3'], env)).printed).toMatchObject({ letter: { value: '{"n":"3"}' } });
    const some = await dlq(['replay', store, FLOW, '--contains', '"n":"1'], env);
    expect([some.code, some.printed.replayed]).toEqual([0, 11]);
    expect((await dlq(['drop', store, '--contains', '"n":"5"', '--yes'], env)).printed).toEqual({ dropped: 1 });
    expect((await dlq(['replay', store, FLOW], env)).printed).toMatchObject({ replayed: 8 });
    const { counts } = (await dlq(['list', store], env)).printed;
    expect(counts).toEqual({ waiting: 0, replaying: 0, replayed: 19, dropped: 1, duplicate: 0 });
  }, 120_000);
});

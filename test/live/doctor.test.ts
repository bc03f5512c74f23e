import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { decode } from '../../operators/index.js';
import { examineFlow } from '../../src/cli/doctor/doctor.js';
import { exitCodeOf, type Finding, type Group } from '../../src/cli/doctor/finding.js';
import { reportText } from '../../src/cli/doctor/report.js';
import { amqplib } from '../../src/drivers/amqplib/index.js';
import { kafkajs } from '../../src/drivers/kafkajs/index.js';
import { webhdfs } from '../../src/drivers/webhdfs/index.js';
import { amqpSink, amqpSource, fileSink, flow, json, jsonLines, kafkaSink, kafkaSource } from '../../src/index.js';
import { describeOwnKafka, OwnKafka } from './own-kafka.js';
import { brokers, createTopic, fresh, nameNode, withAdmin } from './support.js';

const kafka = new Kafka({ brokers, logLevel: logLevel.NOTHING });
const topic = fresh('doctor');
const base = `/${fresh('doctor')}`;
const asked = { isDeep: false, record: undefined, withinMs: 20_000 };
const HOUR = 3_600_000;

/** A call of WebHDFS as the superuser, whom the services were started by. */
async function superuser(method: 'PUT' | 'DELETE', path: string, query: string): Promise<void> {
  const answer = await fetch(`${nameNode}/webhdfs/v1${path}?${query}&user.name=hdfs`, { method });
  if (!answer.ok) throw new Error(`${method} ${path} ${query}: HTTP ${answer.status} ${await answer.text()}`);
}

async function produceAt(name: string, timestamps: readonly number[]): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = timestamps.map((timestamp) => ({ partition: 0, timestamp: String(timestamp), value: '{"n":1}' }));
  await producer.send({ topic: name, messages });
  await producer.disconnect();
}

interface Where {
  readonly root?: string;
  readonly user?: string;
  readonly hostMap?: Readonly<Record<string, string>>;
}

const lakeAt = ({ root = `${base}/lake`, user = 'hdfs', hostMap = {} }: Where) =>
  fileSink<unknown>(webhdfs({ nameNodes: [nameNode], user, hostMap }), { root, format: jsonLines() });

const chat = (where: Where = {}, name = topic, groupId = `${topic}-group`) =>
  flow('chat', kafkaSource(kafkajs({ brokers }), { topics: [name], groupId }), decode(json()), lakeAt(where).write());

/** What is not well, and that each of it has its fix, also as it is printed. */
function bads(groups: readonly Group[]): Finding[] {
  const found = groups.flatMap(({ findings }) => findings.filter(({ level }) => level !== 'ok'));
  for (const { fix } of found) expect(fix).toMatch(/^\S.{10}/);
  const printed = reportText({ file: 'flow.ts', flow: 'chat', groups });
  expect(printed.match(/^ {4}→ /gm) ?? []).toHaveLength(found.length);
  return found;
}

const brief = (groups: readonly Group[]) => bads(groups).map(({ level, check, text }) => `${level} ${check}: ${text}`);

beforeAll(async () => {
  await createTopic(topic, 3);
  await produceAt(topic, [Date.now()]);
  await superuser('PUT', `${base}/lake`, 'op=MKDIRS');
}, 60_000);
afterAll(() => superuser('DELETE', base, 'op=DELETE&recursive=true'));

describe('doctor', () => {
  it('finds nothing wrong with a flow that is well, runs one record end to end, and leaves nothing behind', async () => {
    const groups = await examineFlow(chat(), { ...asked, isDeep: true });
    expect([brief(groups), exitCodeOf(groups)]).toEqual([[], 0]);
    const checks = new Set(groups.flatMap(({ findings }) => findings.map(({ check }) => check)));
    expect([...checks].sort()).toEqual(
      expect.arrayContaining(['clock', 'endpoint', 'guarantee', 'lag', 'processes', 'rights', 'small-files']),
    );
    const texts = groups.at(-1)?.findings.map(({ text }) => text);
    expect(texts).toEqual(expect.arrayContaining([expect.stringMatching(/^May write a record .* read it back/)]));
    const hdfs = webhdfs({ nameNodes: [nameNode], user: 'hdfs' });
    const left = await new Promise((resolve, reject) => {
      (hdfs.list(`${base}/lake`) as import('rxjs').Observable<unknown>).subscribe({ next: resolve, error: reject });
    });
    expect(left).toEqual([]);
    const groupsLeft = await withAdmin((admin) => admin.fetchOffsets({ groupId: `${topic}-group`, topics: [topic] }));
    expect(groupsLeft[0]?.partitions.every(({ offset }) => offset === '-1')).toBe(true);
  }, 60_000);

  it('names a topic that is not there, and a folder that the user may not write to', async () => {
    const groups = await examineFlow(chat({ user: 'nobody' }, fresh('no-topic')), asked);
    expect(exitCodeOf(groups)).toBe(1);
    expect(brief(groups)).toEqual([
      'problem rights: Cannot read records: it does not exist',
      expect.stringMatching(/^problem rights: Cannot make a folder: .*Permission denied: user=nobody/),
    ]);
  }, 30_000);

  it('names a quota that is full: of names and of bytes', async () => {
    for (const [folder, quota, failed] of [
      ['names', 'namespacequota=1', 'make a folder'],
      ['bytes', 'storagespacequota=1', 'write a file'],
    ]) {
      await superuser('PUT', `${base}/${folder}`, 'op=MKDIRS');
      await superuser('PUT', `${base}/${folder}`, `op=SETQUOTA&${quota}`);
      const groups = await examineFlow(chat({ root: `${base}/${folder}` }), asked);
      const found = bads(groups);
      const cannot = found.find(({ text }) => text.startsWith(`Cannot ${failed}: `));
      expect(cannot?.text).toContain('QuotaExceededException');
      expect(cannot?.fix).toContain('raise the quota');
      expect(groups.flatMap(({ findings }) => findings.map(({ text }) => text))).toEqual(
        expect.arrayContaining([expect.stringContaining(`The quota of ${base}/${folder}: `)]),
      );
    }
  }, 60_000);

  it('says when data is lost: soon, and what was lost already', async () => {
    const name = fresh('doctor-short');
    const configEntries = [{ name: 'retention.ms', value: String(10 * HOUR) }];
    await withAdmin(async (admin) => {
      await admin.createTopics({ topics: [{ topic: name, numPartitions: 1, configEntries }], waitForLeaders: true });
      await admin.setOffsets({ groupId: `${name}-group`, topic: name, partitions: [{ partition: 0, offset: '0' }] });
    });
    await produceAt(name, [Date.now() - 10 * HOUR + 200 * 60_000, Date.now()]);
    const soon = await examineFlow(chat({}, name, `${name}-group`), asked);
    expect(brief(soon)).toEqual([
      expect.stringMatching(/^warning retention: .*\/0: you lose data in 3 h (19|20) min, unless/),
    ]);
    await withAdmin(async (admin) => {
      // kafkajs looks for the leader in metadata that only an earlier call brings.
      await admin.fetchTopicOffsets(name);
      await admin.deleteTopicRecords({ topic: name, partitions: [{ partition: 0, offset: '2' }] });
    });
    const lost = await examineFlow(chat({}, name, `${name}-group`), asked);
    expect(brief(lost)).toEqual([
      `problem retention: ${name}/0: 2 records from offset 0 on are deleted, and were not read`,
    ]);
  }, 60_000);

  it('names a DataNode that is down, and that no file can be written', async () => {
    const closed = '127.0.0.1:1';
    const groups = await examineFlow(chat({ hostMap: { '127.0.0.1': closed, localhost: closed } }), asked);
    const found = bads(groups);
    expect(found.map(({ check }) => check)).toEqual(['endpoint', 'rights']);
    expect(found[0]?.text).toMatch(/^DataNode 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED/);
    expect(found[0]?.path).toMatch(/^named by NameNode http/);
    expect(found[1]?.text).toMatch(/^Cannot write a file: /);
  }, 60_000);
});

const broker = process.env.RXFLUME_RABBITMQ_URL ?? 'amqp://127.0.0.1:19672';

it('doctor names queues of RabbitMQ that are not there, and a prefetch that makes small files', async () => {
  const driver = amqplib({ urls: [broker] });
  const queue = fresh('no-queue');
  const encode = (value: Uint8Array | null) => value ?? '';
  const into = amqpSink<Uint8Array | null>(driver, { exchange: fresh('no-exchange'), routingKey: 'x', encode });
  const first = await examineFlow(
    flow('from-amqp', amqpSource(driver, { queues: [queue] }), lakeAt({}).write()),
    asked,
  );
  expect(brief(first)).toEqual([
    expect.stringMatching(/^warning flow: A file holds at most 1000 messages of a queue \(`prefetch`\)/),
    expect.stringMatching(/^problem rights: Cannot find the queue: .*no-queue/),
  ]);
  const second = await examineFlow(
    flow('to-amqp', kafkaSource(kafkajs({ brokers }), { topics: [topic], groupId: `${topic}-group` }), into.write()),
    asked,
  );
  expect(brief(second)).toEqual([
    expect.stringMatching(/^problem rights: Cannot open a channel to publish: .*no-exchange/),
  ]);
}, 60_000);

// Skipped only where the services run in Docker: without Kafka's jars no broker of its own can be started.
describeOwnKafka('doctor at a broker of its own', () => {
  let own: OwnKafka;
  beforeAll(async () => {
    own = await OwnKafka.start();
  }, 60_000);
  afterAll(() => own?.stop());

  it('names an address that the broker advertises and that cannot be reached, and rights that the ACLs do not give', async () => {
    for (const name of ['seen', 'hidden']) {
      await own.admin.createTopics({ topics: [{ topic: name, numPartitions: 1 }], waitForLeaders: true });
    }
    const acl = (
      resourceType: AclResourceTypes,
      resourceName: string,
      operation: AclOperationTypes,
      permissionType = AclPermissionTypes.DENY,
    ) => ({
      ...{ resourceType, resourceName, operation, permissionType },
      ...{ resourcePatternType: ResourcePatternTypes.LITERAL, principal: 'User:ANONYMOUS', host: '*' },
    });
    await own.admin.createAcls({
      acl: [
        acl(AclResourceTypes.TOPIC, 'hidden', AclOperationTypes.DESCRIBE, AclPermissionTypes.ALLOW),
        acl(AclResourceTypes.TOPIC, 'hidden', AclOperationTypes.WRITE),
        acl(AclResourceTypes.GROUP, 'others', AclOperationTypes.READ),
      ],
    });
    const lost = kafkajs({ brokers: [own.lostBroker] });
    const reading = flow('lost', kafkaSource(lost, { topics: ['seen'], groupId: 'g' }), lakeAt({}).write());
    const found = bads(await examineFlow(reading, asked));
    expect(found[0]).toMatchObject({
      level: 'problem',
      text: expect.stringMatching(/^Kafka broker no-such-host\.invalid:\d+ has a name that this machine does not know/),
      path: 'named by broker 1 itself (advertised)',
      fix: expect.stringContaining('`advertised.listeners` of broker 1'),
    });
    const near = kafkajs({ brokers: own.brokers });
    const writing = flow(
      'denied',
      kafkaSource(near, { topics: ['seen'], groupId: 'others' }),
      kafkaSink<Uint8Array | null>(near, { topic: 'hidden' }).write(),
    );
    expect(brief(await examineFlow(writing, asked))).toEqual([
      expect.stringMatching(/^problem rights: Cannot join and commit: /),
      'problem rights: Cannot write records: the ACLs do not allow Write',
    ]);
  }, 60_000);
});

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { Producer } from 'kafkajs';
import { type ObservableInput, of, Subject } from 'rxjs';
import { Monitor } from '../../src/core/monitor.js';
import type { KafkajsOptions } from '../../src/drivers/kafkajs/index.js';
import { kafkajsOver } from '../../src/drivers/kafkajs/kafkajs.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import { text } from '../../src/formats/text.js';
import type { KafkaSubscription, PartitionOffset, TopicPartition } from '../../src/ports/kafka-consumer.js';
import { fileSink } from '../../src/sinks/files/file-sink.js';
import { kafkaSource } from '../../src/sources/kafka/kafka-source.js';
import { freshName, until } from '../../src/testing/contracts/checking.js';
import { KafkaTrace, kafkaSubscription } from '../../src/testing/contracts/kafka-trace.js';
import { CutNet } from '../drivers/kafkajs/live-kafka.js';
import { describeOwnKafka, java, OwnKafka } from './own-kafka.js';
import { sleep } from './support.js';

// Skipped only where the services run in Docker: without Kafka's jars no broker of its own can be started.

const SESSION_MS = 3_000;
const BROKER = [
  'group.consumer.min.session.timeout.ms=1000',
  `group.consumer.session.timeout.ms=${SESSION_MS}`,
  'group.consumer.min.heartbeat.interval.ms=200',
  'group.consumer.heartbeat.interval.ms=500',
];
const PARTITIONS = 8;
const WAIT_MS = 30_000;

let own: OwnKafka;
let producer: Producer;
const ending: (() => unknown)[] = [];

/** Back soon after the broker is. */
function optionsOf(clientId: string): KafkajsOptions {
  const reconnect = { firstDelayMs: 200, maxDelayMs: 1_000, maxAttempts: 60 };
  return { brokers: own.brokers, clientId, requestTimeoutMs: 2_000, reconnect };
}

/** A member that commits what it has read when partitions are taken away, as a source does. */
class Owner extends KafkaTrace {
  readonly net = new CutNet();
  readonly #owned = new Set<number>();
  readonly #topic: string;

  constructor(name: string, topic: string, given: Partial<KafkaSubscription> = {}) {
    super();
    this.#topic = topic;
    const driver = kafkajsOver(optionsOf(name), this.net.open);
    this.join(driver, kafkaSubscription(topic, { protocol: 'consumer', ...given }));
    ending.push(() => this.close());
  }

  get owned(): readonly number[] {
    return [...this.#owned].sort((a, b) => a - b);
  }

  override assigned(epoch: number, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]> {
    this.#owned.clear();
    this.#take(partitions);
    return super.assigned(epoch, partitions);
  }

  added(epoch: number, partitions: readonly TopicPartition[]): ObservableInput<readonly PartitionOffset[]> {
    this.calls.push(`added ${epoch}`);
    this.#take(partitions);
    return of([]);
  }

  override revoking(partitions: readonly TopicPartition[] = []): ObservableInput<unknown> {
    const ends = partitions.map(({ topic, partition }) => ({
      topic,
      partition,
      offset: (this.offsets(partition).at(-1) ?? -1) + 1,
    }));
    return (
      this.consumer?.commit(
        this.epoch,
        ends.filter(({ offset }) => offset > 0),
      ) ?? []
    );
  }

  override lost(partitions?: readonly TopicPartition[]): void {
    this.calls.push(partitions === undefined ? 'lost' : 'lost some');
    if (partitions === undefined) this.#owned.clear();
    else for (const { partition } of partitions) this.#owned.delete(partition);
  }

  async leave(): Promise<void> {
    await this.commit(
      this.owned.map((partition) => ({
        topic: this.#topic,
        partition,
        offset: (this.offsets(partition).at(-1) ?? -1) + 1,
      })),
    );
    await this.close();
    this.#owned.clear();
  }

  #take(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#owned.add(partition);
  }
}

/** Kafka's own consumer, by the same protocol. */
class JavaMember {
  readonly #child: ChildProcess;
  #output = '';

  constructor(topic: string) {
    const settings = [
      'group.protocol=consumer',
      `group.id=${topic}-group`,
      'auto.offset.reset=earliest',
      'client.id=java',
    ];
    const args = ['--bootstrap-server', String(own.brokers[0]), '--topic', topic];
    const properties = settings.flatMap((one) => ['--consumer-property', one]);
    this.#child = spawn('java', [...java, 'org.apache.kafka.tools.consumer.ConsoleConsumer', ...args, ...properties]);
    this.#child.stdout?.on('data', (bytes: Buffer) => {
      this.#output += bytes.toString();
    });
    ending.push(() => this.kill());
  }

  get values(): readonly string[] {
    // Killed, it leaves half a line; what is no number is a warning of the tool.
    const whole = this.#output.slice(0, this.#output.lastIndexOf('\n') + 1);
    return whole.split('\n').filter((line) => /^\d+$/.test(line));
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Numbered records into all partitions in turn, until ended; then how many there are. */
function producing(topic: string, from = 0): () => Promise<number> {
  let isEnded = false;
  let count = from;
  const loop = (async () => {
    while (!isEnded) {
      const messages = Array.from({ length: PARTITIONS }, (_, partition) => ({
        value: String(count + partition),
        partition,
      }));
      await producer.send({ topic, messages });
      count += PARTITIONS;
      await sleep(50);
    }
  })();
  return async () => {
    isEnded = true;
    await loop;
    return count;
  };
}

/** Which client the broker says each partition belongs to. */
async function brokersView(topic: string): Promise<Record<string, number[]>> {
  const said = (await own.tool(
    ...['org.apache.kafka.tools.consumer.group.ConsumerGroupCommand', '--describe', '--members', '--verbose'],
    ...['--group', `${topic}-group`],
  )) as string;
  const view: Record<string, number[]> = {};
  for (const line of said.split('\n')) {
    const [, , , client = '', , , assignment = ''] = line.trim().split(/\s+/);
    const numbers = /:([\d,]+)/.exec(assignment)?.[1] ?? '';
    if (line.startsWith(`${topic}-group`))
      view[client] = numbers
        .split(',')
        .filter(Boolean)
        .map(Number)
        .sort((a, b) => a - b);
  }
  return view;
}

describeOwnKafka('groups of the consumer protocol', () => {
  beforeAll(async () => {
    own = await OwnKafka.start(BROKER);
    // What it sends twice would count as doubled.
    producer = own.kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
  }, 90_000);
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    await producer?.disconnect();
    await own?.stop();
  });

  async function newTopic(): Promise<string> {
    const topic = freshName('members');
    await own.admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
    return topic;
  }

  it("of this driver's members and Java's agree on who owns what: joins, a leave, a kill, a fence, a restart of the broker", async () => {
    const topic = await newTopic();
    let ended = producing(topic);
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const a = new Owner('a', topic);
    await until(() => a.owned.length === PARTITIONS, 'all at a', a, WAIT_MS);
    const b = new Owner('b', topic);
    const javaMember = new JavaMember(topic);
    await until(
      () => a.owned.length + b.owned.length <= 6 && javaMember.values.length > 0,
      'three of them',
      a,
      WAIT_MS,
    );
    const view = await brokersView(topic);
    expect({ a: view.a, b: view.b }).toEqual({ a: a.owned, b: b.owned });
    expect(
      Object.values(view)
        .flat()
        .sort((x, y) => x - y),
    ).toEqual(all);
    expect(view.java?.length).toBeGreaterThan(1);

    await b.leave();
    javaMember.kill();
    await until(() => a.owned.length === PARTITIONS, 'all at a again', a, WAIT_MS);
    const c = new Owner('c', topic);
    await until(() => a.owned.length === 4 && c.owned.length === 4, 'two of them', c, WAIT_MS);
    // Of what stays, nothing was asked for again: the same epoch goes on.
    expect(a.calls.filter((call) => call.startsWith('assigned'))).toHaveLength(1);

    c.net.cut();
    await until(() => a.owned.length === PARTITIONS, 'all at a while c is cut off', a, WAIT_MS);
    c.net.restore();
    await until(() => a.owned.length === 4 && c.owned.length === 4, 'c again', c, WAIT_MS);
    expect(c.calls).toContain('lost');

    const before = await ended();
    await own.restart();
    ended = producing(topic, before);
    await sleep(500);
    const count = await ended();
    const seen = () =>
      new Set([...[a, b, c].flatMap((one) => one.all.map(({ value }) => String(value))), ...javaMember.values]);
    await until(() => seen().size >= count, 'every record', a, WAIT_MS);
    expect([...a.owned, ...c.owned].sort((x, y) => x - y)).toEqual(all);
    expect(seen().size).toBe(count);
    expect([a.error, b.error, c.error]).toEqual([undefined, undefined, undefined]);
  }, 150_000);

  it.each(['classic', 'auto'] as const)(
    'of static members go on where one restarts: %s',
    async (protocol) => {
      const topic = await newTopic();
      const a = new Owner('a', topic, { protocol, groupInstanceId: 'a' });
      await until(() => a.owned.length === PARTITIONS, 'all at a', a, WAIT_MS);
      const b = new Owner('b', topic, { protocol, groupInstanceId: 'b' });
      await until(() => a.owned.length === 4 && b.owned.length === 4, 'two of them', a, WAIT_MS);
      const [had, before] = [b.owned, a.calls.length];
      await b.close();
      const again = new Owner('b again', topic, { protocol, groupInstanceId: 'b' });
      await until(() => again.owned.length === 4, 'b again', again, WAIT_MS);
      expect(again.owned).toEqual(had);
      expect(a.calls.slice(before)).toEqual([]);
      expect([a.error, again.error]).toEqual([undefined, undefined]);
    },
    90_000,
  );

  it('are left as they are by `auto`, where they have members of the classic protocol', async () => {
    const topic = await newTopic();
    const a = new Owner('a', topic, { protocol: 'classic' });
    await until(() => a.owned.length === PARTITIONS, 'all at a', a, WAIT_MS);
    const b = new Owner('b', topic, { protocol: 'auto' });
    await until(() => a.owned.length === 4 && b.owned.length === 4, 'two of them', b, WAIT_MS);
    expect(b.logEvents.join()).toContain('by the classic protocol: the group has members of it (1)');
  }, 90_000);

  it('into files, exactly once, each change rolls only what moves: joins, a drain, a fence, a restart of the broker', async () => {
    const topic = await newTopic();
    const folder = mkdtempSync(join(tmpdir(), 'rxflume-members-'));
    ending.push(() => rmSync(folder, { recursive: true, force: true }));
    let ended = producing(topic);
    const flows: Collector[] = [];
    const start = (name: string) => {
      const flow = new Collector(name, topic, folder);
      flows.push(flow);
      return flow;
    };
    const counts = (...of: Collector[]) => of.map(({ assigned }) => assigned);
    const a = start('a');
    await until(() => a.assigned === PARTITIONS && a.records >= 2 * PARTITIONS, 'all at a', a, WAIT_MS);
    const b = start('b');
    await until(() => counts(a, b).join() === '4,4', 'two of them', b, WAIT_MS);
    // The roll of a file is said once for each that moved: what stays is in files that are still open.
    expect(filesIn(folder)).toBe(4);
    await until(() => b.records >= 2 * PARTITIONS, 'records at b', b, WAIT_MS);
    await b.drain();
    await until(() => a.assigned === PARTITIONS, 'all at a again', a, WAIT_MS);
    expect(filesIn(folder)).toBe(8);
    const c = start('c');
    await until(() => counts(a, c).join() === '4,4', 'two of them', c, WAIT_MS);
    c.net.cut();
    await until(() => a.assigned === PARTITIONS, 'all at a while c is cut off', a, WAIT_MS);
    c.net.restore();
    await until(() => counts(a, c).join() === '4,4', 'c again', c, WAIT_MS);
    const before = await ended();
    await own.restart();
    ended = producing(topic, before);
    await sleep(500);
    const count = await ended();
    await until(() => a.assigned + c.assigned === PARTITIONS, 'both are back', a, WAIT_MS);
    await until(() => a.read + c.read === count, 'all that there is', a, WAIT_MS);
    await a.drain();
    await c.drain();
    const lines = linesIn(folder);
    expect({ lost: count - new Set(lines).size, doubled: lines.length - new Set(lines).size }).toEqual({
      lost: 0,
      doubled: 0,
    });
  }, 150_000);
});

/** A flow from the topic into files, exactly once. */
class Collector {
  readonly net = new CutNet();
  readonly monitor = new Monitor();
  readonly logEvents: string[] = [];
  error: unknown;
  readonly #stop$ = new Subject<void>();
  readonly #done: Promise<void>;

  constructor(name: string, topic: string, folder: string) {
    const driver = kafkajsOver(optionsOf(name), this.net.open);
    const { monitor } = this;
    monitor.logEvents$.subscribe(({ what, message }) => this.logEvents.push(`${what} ${message}`));
    const files = fileSink<Uint8Array | null>(localDisk({ root: folder }), {
      root: '/lake',
      format: text(),
      roll: { intervalMs: 300_000 },
      monitor,
    });
    const source = kafkaSource(driver, {
      topics: [topic],
      groupId: `${topic}-group`,
      protocol: 'consumer',
      resumeFrom: files.offsetStore,
      sessionTimeoutMs: 2_500,
      redeliver: { firstDelayMs: 200, maxDelayMs: 1_000 },
      monitor,
    });
    this.#done = new Promise((resolve, reject) => {
      const run = source
        .drainedBy(this.#stop$)
        .pipe(files.write())
        .subscribe({
          error: (error: unknown) => {
            this.error = error;
            reject(error);
          },
          complete: resolve,
        });
      ending.push(() => run.unsubscribe());
    });
    this.#done.catch(() => undefined);
  }

  get assigned(): number {
    return this.#sum('rxflume_source_assigned_partitions');
  }

  get records(): number {
    return this.#sum('rxflume_source_records_total');
  }

  async drain(): Promise<void> {
    this.#stop$.next();
    await this.#done;
  }

  /** The sum of how far its partitions are read. */
  get read(): number {
    return this.#sum('rxflume_source_read_offset');
  }

  #sum(metric: string): number {
    return this.monitor.samples().reduce((sum, { name, value }) => (name === metric ? sum + value : sum), 0);
  }
}

function pathsIn(folder: string): string[] {
  const names = readdirSync(join(folder, 'lake'), { recursive: true, withFileTypes: true });
  return names
    .filter((one) => one.isFile() && one.name.endsWith('.txt') && !one.parentPath.includes('/_'))
    .map((one) => join(one.parentPath, one.name));
}

function filesIn(folder: string): number {
  return pathsIn(folder).length;
}

function linesIn(folder: string): string[] {
  return pathsIn(folder).flatMap((path) => readFileSync(path, 'utf8').split('\n').filter(Boolean));
}

import { afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import { fileSink, flow, flumeSink, flumeSource, jsonLines, kafkaSource, Monitor, type Receipt } from 'rxflume';
import { avroRpcClient, avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { drainOn, filterValue, mapValue } from 'rxflume/operators';
import { lastValueFrom, type Observable, Subject, takeUntil, tap } from 'rxjs';
import {
  counters,
  describeFlume,
  folder,
  freePort,
  metric,
  numbersIn,
  restartAgent,
  startAgent,
  under,
  until,
  type Wire,
  wires,
} from './flume-support.js';
import { brokers, compare, createTopic, fresh, nameNode, produce, readNumbers, services } from './support.js';

jest.setTimeout(300_000);

const COUNT = 100_000;
const topic = fresh('flume');

const abandon$ = new Subject<void>();

/** A flow that runs until it is stopped, or fails; abandoned at the end of the test. */
function running(flow$: Observable<Receipt>) {
  const stop$ = new Subject<void>();
  let values = 0;
  const ended = lastValueFrom(
    flow$.pipe(
      drainOn(stop$),
      tap((receipt) => {
        values += receipt.values;
      }),
      takeUntil(abandon$),
    ),
    { defaultValue: undefined },
  );
  ended.catch(() => undefined);
  return {
    values: () => values,
    ended,
    stop: async () => {
      stop$.next();
      await ended;
    },
  };
}

function toAgent(port: number, group: string, wire?: Wire, monitor = new Monitor()) {
  return running(
    flow(
      'kafka-to-flume',
      kafkaSource(kafkajs({ brokers }), {
        topics: [topic],
        groupId: group,
        monitor,
        redeliver: { maxAttempts: 100, firstDelayMs: 100, maxDelayMs: 1_000 },
      }),
      filterValue((value) => value !== null),
      mapValue((body) => ({ headers: { from: 'rxflume' }, body: body as Buffer })),
      flumeSink(avroRpcClient({ agents: [`127.0.0.1:${port}`], ...wire?.client }), {
        batch: { count: 500 },
        retry: { maxAttempts: 100, firstDelayMs: 200, maxDelayMs: 1_000 },
        monitor,
      }).write(),
    ),
  );
}

function toHdfs(port: number, root: string, wire?: Wire, monitor = new Monitor()) {
  return running(
    flow(
      'flume-to-hdfs',
      flumeSource(avroRpcServer({ port, host: '127.0.0.1', ...wire?.server }), {
        name: 'agents',
        settleAfterMs: 50,
        monitor,
      }),
      mapValue(({ body }) => {
        const text = Buffer.from(body).toString();
        return { n: text.startsWith('{') ? (JSON.parse(text) as { n: number }).n : Number(text) };
      }),
      fileSink<{ n: number }>(webhdfs({ nameNodes: [nameNode], user: 'flume' }), {
        root,
        path: (value) => `mod=${value.n % 3}`,
        format: jsonLines({ compression: 'gzip' }),
        monitor,
      }).write(),
    ),
  );
}

function receiving(port: number, directory: string, channel: Record<string, string | number>, wire?: Wire) {
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: 'k1',
    ...under('sources.r1', { type: 'avro', bind: '127.0.0.1', port, channels: 'c1', ...wire?.source }),
    ...under('channels.c1', channel),
    ...under('sinks.k1', { type: 'file_roll', channel: 'c1', 'sink.directory': directory, 'sink.rollInterval': 0 }),
  };
}

function sending(
  port: number,
  source: Record<string, string | number>,
  channel: Record<string, string | number>,
  wire?: Wire,
) {
  return {
    sources: 'r1',
    channels: 'c1',
    sinks: 'k1',
    ...under('sources.r1', { channels: 'c1', ...source }),
    ...under('channels.c1', channel),
    ...under('sinks.k1', {
      type: 'avro',
      channel: 'c1',
      hostname: '127.0.0.1',
      port,
      'batch-size': 5_000,
      ...wire?.sink,
    }),
  };
}

const memory = { type: 'memory', capacity: 20_000, transactionCapacity: 5_000 };
const file = (where: string) => ({
  type: 'file',
  checkpointDir: `${where}/checkpoint`,
  dataDirs: `${where}/data`,
  capacity: 200_000,
  transactionCapacity: 5_000,
});
const fromKafka = (group: string) => ({
  type: 'org.apache.flume.source.kafka.KafkaSource',
  'kafka.bootstrap.servers': brokers.join(','),
  'kafka.topics': topic,
  'kafka.consumer.group.id': group,
  'kafka.consumer.auto.offset.reset': 'earliest',
});

describeFlume('Flume agents, for real', () => {
  beforeAll(async () => {
    await createTopic(topic);
    await produce(topic, 0, COUNT);
  });

  afterEach(async () => {
    abandon$.next();
    await services('flume', 'stop', 'a1');
  });

  it.each(wires())('Kafka → rxflume → agent → file_roll: $name', async (wire) => {
    const port = await freePort();
    const directory = folder('roll');
    await startAgent('a1', receiving(port, directory, memory, wire));
    const run = toAgent(port, fresh('group'), wire);
    const all = () => run.values() >= COUNT;
    await until('all events to be taken', all, 120_000, run.values);
    await run.stop();
    await until('the agent to have written them', () => numbersIn(directory).size >= COUNT);
    expect(compare(numbersIn(directory), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
  });

  it.each(wires())('agent → rxflume → HDFS: $name', async (wire) => {
    const port = await freePort();
    const root = `/lake/${fresh('agent')}`;
    const run = toHdfs(port, root, wire);
    await startAgent('a1', sending(port, { type: 'seq', totalEvents: COUNT, batchSize: 1_000 }, memory, wire));
    await until('all events to be stored', () => run.values() >= COUNT, 120_000, run.values);
    await run.stop();
    expect(compare(await readNumbers(root), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
  });

  it('Kafka → rxflume → agent that is killed and started again: nothing is lost, and what came twice is counted', async () => {
    const port = await freePort();
    const directory = folder('roll');
    await startAgent('a1', receiving(port, directory, file(folder('channel'))));
    const monitor = new Monitor();
    const run = toAgent(port, fresh('group'), undefined, monitor);
    await until('a part to be taken', () => run.values() >= 10_000, 120_000, run.values);
    await services('flume', 'kill', 'a1');
    expect(run.values()).toBeLessThan(COUNT);
    await restartAgent('a1');
    await until('all events to be taken', () => run.values() >= COUNT, 180_000, run.values);
    await run.stop();
    await until('the agent to have written them', () => numbersIn(directory).size >= COUNT);
    const seen = compare(numbersIn(directory), COUNT);
    expect(seen).toMatchObject({ missing: [], foreign: 0 });
    // What was under way when it died, by our count, and one batch of its file_roll sink that it replays by itself.
    expect(seen.repeated).toBeLessThanOrEqual(metric(monitor, 'rxflume_sink_resent_total') + 100);
  });

  it('agent that is killed and started again → rxflume → HDFS: nothing is lost, and what came twice is counted', async () => {
    const port = await freePort();
    const root = `/lake/${fresh('killed')}`;
    const monitor = new Monitor();
    const run = toHdfs(port, root, undefined, monitor);
    await startAgent('a1', sending(port, fromKafka(fresh('group')), file(folder('channel'))));
    await until('a part to be stored', () => run.values() >= 10_000, 120_000, run.values);
    await services('flume', 'kill', 'a1');
    const before = run.values();
    expect(before).toBeLessThan(COUNT);
    await restartAgent('a1');
    const drained = async () => {
      const { 'CHANNEL.c1': channel } = await counters();
      return run.values() >= COUNT && channel?.ChannelSize === '0';
    };
    await until('all events to be stored', drained, 180_000, run.values);
    await run.stop();
    const seen = compare(await readNumbers(root), COUNT);
    expect(seen).toMatchObject({ missing: [], foreign: 0 });
    // A batch of its Avro sink that nobody heard the answer of, and one of its Kafka source that it had not committed.
    expect(seen.repeated).toBeLessThanOrEqual(5_000 + 1_000);
  });

  it('Kafka → rxflume → agent with a full channel → rxflume → HDFS: FAILED is tried again, nothing comes twice', async () => {
    const [front, back] = [await freePort(), await freePort()];
    const root = `/lake/${fresh('full')}`;
    const monitor = new Monitor();
    const source = { type: 'avro', bind: '127.0.0.1', port: front };
    const small = { type: 'memory', capacity: 5_000, transactionCapacity: 5_000, 'keep-alive': 1 };
    await startAgent('a1', sending(back, source, small));
    const before = toAgent(front, fresh('group'), undefined, monitor);
    await until('a refusal', () => metric(monitor, 'rxflume_sink_failures_total') >= 3);
    expect(before.values()).toBeLessThanOrEqual(5_000);
    const behind = toHdfs(back, root);
    await until('all events to be stored', () => behind.values() >= COUNT, 240_000, behind.values);
    await before.stop();
    await behind.stop();
    expect(compare(await readNumbers(root), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
  });

  it('rxflume is stopped and started again in between: nothing is lost and nothing comes twice', async () => {
    const port = await freePort();
    const root = `/lake/${fresh('stopped')}`;
    const first = toHdfs(port, root);
    await startAgent('a1', sending(port, { type: 'seq', totalEvents: COUNT, batchSize: 1_000 }, memory));
    await until('a part to be stored', () => first.values() >= 10_000, 120_000, first.values);
    await first.stop();
    const second = toHdfs(port, root);
    await until('the rest', () => first.values() + second.values() >= COUNT, 120_000, second.values);
    await second.stop();
    expect(compare(await readNumbers(root), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
  });
});

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { type FlumeEvent, flumeAvro, flumeSource, kafkaSource, toFlumeAvro } from 'rxflume';
import { avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { decode } from 'rxflume/operators';
import type { Subscription } from 'rxjs';
import { describeFlume, folder, freePort, startAgent, under, until } from './flume-support.js';
import { brokers, createTopic, fresh, produceRaw, services } from './support.js';

jest.setTimeout(180_000);

const COUNT = 1_000;
const running: Subscription[] = [];
const memory = { type: 'memory', capacity: 10_000, transactionCapacity: 1_000 };
const kafka = { 'kafka.bootstrap.servers': brokers.join(',') };

describeFlume('what Flume writes and reads', () => {
  afterEach(async () => {
    for (const subscription of running.splice(0)) subscription.unsubscribe();
    await services('flume', 'stop', 'a1');
  });

  it('an agent puts events into a topic in its Avro form, and rxflume reads them', async () => {
    const topic = fresh('flume-out');
    await createTopic(topic, 1);
    await startAgent('a1', {
      sources: 'r1',
      channels: 'c1',
      sinks: 'k1',
      ...under('sources.r1', { type: 'seq', totalEvents: COUNT, channels: 'c1', interceptors: 'i1' }),
      ...under('sources.r1.interceptors.i1', { type: 'static', key: 'host', value: 'узел-1' }),
      ...under('channels.c1', memory),
      ...under('sinks.k1', {
        type: 'org.apache.flume.sink.kafka.KafkaSink',
        channel: 'c1',
        'kafka.topic': topic,
        useFlumeEventFormat: 'true',
        ...kafka,
      }),
    });
    const seen: FlumeEvent[] = [];
    running.push(
      kafkaSource(kafkajs({ brokers }), { topics: [topic], groupId: fresh('group') })
        .pipe(decode(flumeAvro()))
        .subscribe((delivery) => {
          seen.push(delivery.value);
          delivery.ack();
        }),
    );
    await until('all events', () => seen.length >= COUNT);
    expect(seen.map(({ body }) => Number(String(body))).sort((a, b) => a - b)).toEqual(
      Array.from({ length: COUNT }, (_, n) => n),
    );
    expect(seen.filter(({ headers }) => headers.host !== 'узел-1')).toEqual([]);
  });

  it('rxflume makes Kafka values in Flume’s Avro form, and an agent reads them', async () => {
    const topic = fresh('flume-in');
    const directory = folder('roll');
    await createTopic(topic, 1);
    const values = Array.from({ length: COUNT }, (_, n) =>
      toFlumeAvro({ headers: { n: String(n), имя: 'значение' }, body: Buffer.from(`body ${n}`) }),
    );
    await produceRaw(
      topic,
      values.map((value) => ({ value })),
    );
    await startAgent('a1', {
      sources: 'r1',
      channels: 'c1',
      sinks: 'k1',
      ...under('sources.r1', {
        type: 'org.apache.flume.source.kafka.KafkaSource',
        channels: 'c1',
        'kafka.topics': topic,
        'kafka.consumer.group.id': fresh('agent'),
        'kafka.consumer.auto.offset.reset': 'earliest',
        useFlumeEventFormat: 'true',
        ...kafka,
      }),
      ...under('channels.c1', memory),
      ...under('sinks.k1', {
        type: 'file_roll',
        channel: 'c1',
        'sink.directory': directory,
        'sink.rollInterval': 0,
        'sink.serializer': 'header_and_text',
      }),
    });
    const lines = () =>
      readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean));
    await until(
      'all events',
      () => lines().length >= COUNT,
      60_000,
      () => lines().length,
    );
    // Java shows a map as our `headers-and-body` does, in an order of its own, with what its source adds.
    const read = lines().map((line) => /^\{(.*)\} (.*)$/.exec(line) as RegExpExecArray);
    const wrong = read.filter(([, headers, body], n) => {
      const pairs = new Set(headers?.split(', '));
      return !pairs.has(`n=${n}`) || !pairs.has('имя=значение') || body !== `body ${n}`;
    });
    expect(wrong).toEqual([]);
  });

  it('Flume’s own client sends a file', async () => {
    const port = await freePort();
    const seen: string[] = [];
    running.push(
      flumeSource(avroRpcServer({ port, host: '127.0.0.1' }), { name: 'client' }).subscribe((delivery) => {
        seen.push(`${delivery.value.headers.from} ${String(delivery.value.body)}`);
        delivery.ack();
      }),
    );
    const where = folder('client');
    const [lines, headers] = [join(where, 'lines'), join(where, 'headers')];
    writeFileSync(lines, Array.from({ length: COUNT }, (_, n) => `line ${n}\n`).join(''));
    writeFileSync(headers, 'from = AvroCLIClient\n');
    await services('flume', 'client', '-H', '127.0.0.1', '-p', String(port), '-F', lines, '-R', headers);
    expect(seen).toEqual(Array.from({ length: COUNT }, (_, n) => `AvroCLIClient line ${n}`));
  });
});

import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { type FlumeEvent, flow, flumeSink, flumeSource, kafkaSource } from 'rxflume';
import { avroRpcClient, avroRpcServer } from 'rxflume/drivers/avro-rpc';
import { kafkajs } from 'rxflume/drivers/kafkajs';
import { filterValue, mapValue } from 'rxflume/operators';
import type { Subscription } from 'rxjs';
import { describeFlume, documented, folder, freePort, startWith, until } from './flume-support.js';
import { brokers, createTopic, fresh, produce, services } from './support.js';

jest.setTimeout(120_000);

const COUNT = 5_000;
const running: Subscription[] = [];

describeFlume('the configurations in docs/guides/flume.md work', () => {
  afterEach(async () => {
    for (const subscription of running.splice(0)) subscription.unsubscribe();
    await services('flume', 'stop', 'edge');
    await services('flume', 'stop', 'front');
  });

  it('from an agent', async () => {
    const port = String(await freePort());
    const [spool, data] = [folder('spool'), folder('data')];
    const seen: FlumeEvent[] = [];
    running.push(
      flumeSource(avroRpcServer({ port: Number(port) }), { name: 'agents' }).subscribe((delivery) => {
        seen.push(delivery.value);
        delivery.ack();
      }),
    );
    const places = { '/var/spool/flume': spool, '/var/lib/flume': data, collector: '127.0.0.1', 4141: port };
    await startWith('edge', documented('edge', places));
    const lines = join(folder('lines'), 'lines.log');
    writeFileSync(lines, Array.from({ length: COUNT }, (_, n) => `line ${n}\n`).join(''));
    copyFileSync(lines, join(spool, 'lines.log'));
    await until(
      'all lines',
      () => seen.length >= COUNT,
      60_000,
      () => seen.length,
    );
    expect(seen.map(({ body }) => String(body))).toEqual(Array.from({ length: COUNT }, (_, n) => `line ${n}`));
  });

  it('to an agent', async () => {
    const port = String(await freePort());
    const [data, files] = [folder('data'), folder('files')];
    const topic = fresh('documented');
    await createTopic(topic);
    await produce(topic, 0, COUNT);
    await startWith('front', documented('front', { '/var/lib/flume': data, '/var/log/flume': files, 4141: port }));
    const agents = flumeSink(avroRpcClient({ agents: [`127.0.0.1:${port}`] }), { batch: { count: 1_000 } });
    running.push(
      flow(
        'kafka-to-agents',
        kafkaSource(kafkajs({ brokers }), { topics: [topic], groupId: fresh('to-flume') }),
        filterValue((value) => value !== null),
        mapValue((value, { origin }) => ({ headers: { topic: origin.stream }, body: value as Buffer })),
        agents.write(),
      ).subscribe(),
    );
    const lines = () =>
      readdirSync(files).flatMap((name) => readFileSync(join(files, name), 'utf8').split('\n').filter(Boolean));
    await until(
      'all records',
      () => lines().length >= COUNT,
      60_000,
      () => lines().length,
    );
    expect(new Set(lines()).size).toBe(COUNT);
  });
});

import { afterAll, expect, it, jest } from '@jest/globals';
import { Door } from '../drivers/amqplib/door.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { freePort } from './prometheus.js';
import { createQueues, deleteQueues, describeRabbitmq, publishNumbered, withChannel } from './rabbitmq-support.js';
import { StallingProxy } from './stalling-proxy.js';
import { type Command, fresh, runFlow, sleep } from './support.js';

jest.setTimeout(120_000);

const name = fresh('gauged');
let command: Command | undefined;
let door: Door | undefined;
let proxy: StallingProxy | undefined;

afterAll(async () => {
  command?.child.kill('SIGKILL');
  await proxy?.stop();
  await door?.close();
  await deleteQueues(name, ['classic', 'copied']).catch(() => undefined);
});

describeRabbitmq('the metrics of a flow from RabbitMQ to RabbitMQ', () => {
  it('show its backlog and its age while the sink hangs, who is to blame, and a source without a connection', async () => {
    await createQueues(name, ['classic']);
    await withChannel((channel) => channel.assertQueue(`${name}.copied`));
    const { hostname, port } = new URL(RABBITMQ);
    const source = await Door.before(new URL(RABBITMQ));
    door = source;
    const sink = await StallingProxy.start(hostname, Number(port));
    proxy = sink;
    const served = `127.0.0.1:${await freePort()}`;
    const env = {
      TEST_QUEUE: `${name}.classic`,
      TEST_PREFETCH: '100',
      TEST_TO: 'rabbitmq',
      TEST_TO_QUEUE: `${name}.copied`,
      TEST_RABBITMQ: `amqp://127.0.0.1:${source.port}`,
      TEST_TO_RABBITMQ: `amqp://${sink.address}`,
    };
    const run = runFlow('test/live/flows/queue.ts', env, '--metrics', served);
    command = run;
    const read = async (metric: string) => {
      const text = await (await fetch(`http://${served}/metrics`)).text();
      const values = text.split('\n').filter((line) => line.startsWith(`rxflume_${metric}{`));
      return values.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    };
    const until = async (metric: string, expected: number) => {
      for (const end = Date.now() + 30_000; (await read(metric)) !== expected; await sleep(200)) {
        if (Date.now() > end) throw new Error(`${metric} is ${await read(metric)}, not ${expected}: ${run.output()}`);
      }
    };
    await run.until('amqp.consuming');
    await publishNumbered(name, 0, 300);
    await until('source_acked_total', 300);
    expect(await read('source_age_seconds_count')).toBe(300);
    expect(await read('sink_write_duration_seconds_count')).toBeGreaterThan(0);
    expect((await fetch(`http://${served}/readyz`)).status).toBe(200);

    sink.stall();
    await publishNumbered(name, 300, 600);
    await until('source_backlog_records', 200);
    await run.until('flow.stalled');
    const stalled = run.lines().find(({ what }) => what === 'flow.stalled');
    expect(String(stalled?.message)).toMatch(
      /200 records are not read yet\. A write of sink amqp \(.*\) has been unanswered/,
    );
    expect(stalled).toMatchObject({
      source: 'amqp',
      inFlight: 100,
      waitsIn: expect.stringMatching(/^sink amqp/),
    });
    expect(Date.now() / 1_000 - (await read('source_oldest_unsettled_timestamp_seconds'))).toBeGreaterThan(9);
    expect(await read('source_in_flight_records')).toBe(100);

    sink.resume();
    await run.until('flow.resumed');
    await until('source_acked_total', 600);
    await until('source_backlog_records', 0);

    await source.close();
    await until('source_joined', 0);
    const ready = await fetch(`http://${served}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      { reasons: [{ what: 'not-connected', message: `Source amqp (${name}.classic) is not connected.` }] },
    ]);
    // It is up, and connects again by itself: nothing that a restart would change.
    expect((await fetch(`http://${served}/livez`)).status).toBe(200);
    expect(await read('source_reconnects_total')).toBeGreaterThan(0);
  });
});

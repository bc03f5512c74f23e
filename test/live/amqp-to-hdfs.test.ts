import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Door } from '../drivers/amqplib/door.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import { createQueues, deleteQueues, describeRabbitmq, hasMessages, publishNumbered } from './rabbitmq-support.js';
import { type Command, compare, fresh, readNumbers, runFlow, services, sleep } from './support.js';

jest.setTimeout(240_000);

const COUNT = 200_000;
const kinds = ['classic', 'quorum', 'stream'] as const;

describeRabbitmq('RabbitMQ to HDFS, for real', () => {
  let door: Door;
  const running = new Set<Command>();
  const name = fresh('lake');

  beforeAll(async () => {
    door = await Door.before(new URL(RABBITMQ));
    await createQueues(name, kinds);
  });
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL');
    await door.close();
    await deleteQueues(name, kinds);
  });

  const start = (kind: string, ...options: string[]) => {
    const env = {
      TEST_KIND: kind,
      TEST_QUEUE: `${name}.${kind}`,
      TEST_ROOT: `/lake/${name}/${kind}`,
      TEST_RABBITMQ: `amqp://127.0.0.1:${door.port}`,
    };
    const command = runFlow('test/live/flows/queue.ts', env, ...options);
    running.add(command);
    return command;
  };

  it(`lands ${COUNT} messages of each kind of queue through cuts, kills and restarts; those of a stream once`, async () => {
    const publishing = publishNumbered(name, 0, COUNT);
    const first = kinds.map((kind) => start(kind));
    await sleep(6_000);
    door.cut();
    await sleep(4_000);
    for (const { child } of first) child.kill('SIGKILL');
    const second = kinds.map((kind) => start(kind));
    await publishing;
    await services('kill', 'rabbitmq');
    await services('start', 'rabbitmq');
    await sleep(3_000);
    await services('rabbitmqctl', 'close_all_connections', 'for a test');
    for (const { child } of second.slice(0, 2)) child.kill('SIGKILL');
    const last = [start('classic', '--until-idle', '6000'), start('quorum', '--until-idle', '6000')];
    second[2]?.child.kill('SIGTERM');
    expect([await second[2]?.ended, second[2]?.output()]).toEqual([0, expect.stringContaining('drained')]);
    last.push(start('stream', '--until-idle', '6000'));
    for (const command of last) {
      expect([await command.ended, command.output()]).toEqual([0, expect.stringContaining('drained')]);
    }

    const found = await Promise.all(kinds.map((kind) => readNumbers(`/lake/${name}/${kind}`)));
    const [classic, quorum, stream] = found.map((seen) => compare(seen, COUNT));
    expect(stream).toEqual({ missing: [], foreign: 0, repeated: 0 });
    for (const queue of [classic, quorum]) expect(queue).toMatchObject({ missing: [], foreign: 0 });
    for (const kind of ['classic', 'quorum']) await hasMessages(`${name}.${kind}`, 0);
  });
});

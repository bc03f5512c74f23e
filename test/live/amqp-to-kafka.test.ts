import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Door } from '../drivers/amqplib/door.js';
import { RABBITMQ } from '../drivers/amqplib/live-rabbitmq.js';
import {
  createQueues,
  deleteQueues,
  describeRabbitmq,
  hasMessages,
  numbersInQueue,
  numbersInTopic,
  publishNumbered,
  withChannel,
} from './rabbitmq-support.js';
import { type Command, compare, createTopic, fresh, runFlow, services, sleep } from './support.js';

jest.setTimeout(360_000);

const COUNT = 200_000;
const kinds = ['classic', 'quorum', 'stream'] as const;

describeRabbitmq('RabbitMQ to Kafka and to RabbitMQ, for real', () => {
  let door: Door;
  const running = new Set<Command>();
  const name = fresh('onwards');

  beforeAll(async () => {
    door = await Door.before(new URL(RABBITMQ));
    await createQueues(name, kinds);
    await withChannel((channel) =>
      channel.assertQueue(`${name}.copied`, { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1_000 } }),
    );
    for (const kind of kinds) await createTopic(`${name}.${kind}`, 2);
  });
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL');
    await door.close();
    await deleteQueues(name, [...kinds, 'copied']);
  });

  const start = (kind: string, to: 'kafka' | 'rabbitmq', ...options: string[]) => {
    const env = {
      TEST_KIND: kind,
      TEST_QUEUE: `${name}.${kind}`,
      TEST_TO: to,
      TEST_TO_QUEUE: `${name}.copied`,
      TEST_RABBITMQ: `amqp://127.0.0.1:${door.port}`,
    };
    const command = runFlow('test/live/flows/queue.ts', env, ...options);
    running.add(command);
    return command;
  };
  const startAll = (...options: string[]) => [
    ...kinds.map((kind) => start(kind, 'kafka', ...options)),
    start('stream', 'rabbitmq', ...options),
  ];

  it(`brings ${COUNT} messages of each kind of queue on through cuts, kills and restarts`, async () => {
    const publishing = publishNumbered(name, 0, COUNT);
    const first = startAll();
    await sleep(6_000);
    door.cut();
    await sleep(2_000);
    for (const { child } of first) child.kill('SIGKILL');
    await publishing;
    const last = startAll('--until-idle', '8000');
    await sleep(4_000);
    await Promise.all([
      services('kill', 'rabbitmq').then(() => services('start', 'rabbitmq')),
      services('restart', 'kafka'),
    ]);
    door.cut();
    for (const command of last) {
      expect([await command.ended, command.output()]).toEqual([0, expect.stringContaining('drained')]);
    }

    for (const kind of kinds) {
      const seen = compare(await numbersInTopic(`${name}.${kind}`), COUNT);
      expect([kind, seen]).toEqual([kind, expect.objectContaining({ missing: [], foreign: 0 })]);
    }
    expect(compare(await numbersInQueue(`${name}.copied`), COUNT)).toMatchObject({ missing: [], foreign: 0 });
    for (const kind of ['classic', 'quorum']) await hasMessages(`${name}.${kind}`, 0);
  });
});

import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { type Command, committed, compare, createTopic, fresh, produce, runFlow, services, sleep } from './support.js';
import { readCommitted } from './topic-reader.js';

jest.setTimeout(180_000);

const COUNT = 200_000;
const running = new Set<Command>();

function start(env: Record<string, string>, ...options: string[]): Command {
  const command = runFlow('test/live/flows/copying.ts', env, ...options);
  running.add(command);
  return command;
}

async function kill(command: Command): Promise<void> {
  command.child.kill('SIGKILL');
  await command.ended;
  running.delete(command);
}

async function setting(test: string, level: string) {
  const topic = fresh(test);
  const copy = `${topic}-copy`;
  await createTopic(topic);
  await createTopic(copy);
  return { topic, copy, env: { TEST_TOPIC: topic, TEST_COPY: copy, TEST_GROUP: topic, TEST_LEVEL: level } };
}

afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
});

describe('Kafka to Kafka, for real', () => {
  it('shows 200,000 records exactly once, with collectors killed and the broker restarted', async () => {
    const { topic, copy, env } = await setting('exactly', 'exactly-once');
    // A stock producer may write twice what a restart interrupts, so it does not write in one.
    const producing = produce(topic, 0, 120_000, 4, 40);
    const collectors = [start(env), start(env)];
    for (const collector of collectors) await collector.until('kafka.assigned');
    for (let kills = 0; kills < 4; kills += 1) {
      await sleep(1_000 + Math.random() * 1_000);
      await kill(collectors[kills % 2] as Command);
      collectors[kills % 2] = start(env);
      await collectors[kills % 2]?.until('kafka.assigned');
      if (kills !== 1) continue;
      await producing;
      await produce(topic, 120_000, 160_000);
      await services('restart', 'kafka');
    }
    await produce(topic, 160_000, COUNT);
    for (const collector of collectors) await kill(collector);
    const last = start(env, '--until-idle', '4000');
    expect([await last.ended, last.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(compare(await readCommitted(copy), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(topic, topic)).toBe(COUNT);
  });

  it('loses none of 200,000 records at least once, with the same kills', async () => {
    const { topic, copy, env } = await setting('least', 'at-least-once');
    await produce(topic, 0, COUNT, 4);
    let collector = start(env);
    for (let kills = 0; kills < 2; kills += 1) {
      await collector.until('kafka.assigned');
      await sleep(300);
      await kill(collector);
      collector = start(env, '--until-idle', '4000');
    }
    expect([await collector.ended, collector.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(compare(await readCommitted(copy), COUNT)).toMatchObject({ missing: [], foreign: 0 });
    expect(await committed(topic, topic)).toBe(COUNT);
  });
});

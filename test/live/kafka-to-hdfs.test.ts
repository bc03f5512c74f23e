import { afterAll, describe, expect, it, jest } from '@jest/globals';
import {
  committed,
  compare,
  createTopic,
  fresh,
  produce,
  readNumbers,
  rssMiB,
  runFlow,
  services,
  sleep,
} from './support.js';

jest.setTimeout(180_000);

const flow = 'test/live/flows/numbered.ts';
const running: { child: { kill(signal: 'SIGKILL'): unknown } }[] = [];

function start(env: Record<string, string>, ...options: string[]) {
  const command = runFlow(flow, env, ...options);
  running.push(command);
  return command;
}

function names(test: string) {
  const topic = fresh(test);
  return {
    topic,
    env: { TEST_TOPIC: topic, TEST_GROUP: `${topic}-group`, TEST_ROOT: `/lake/${topic}` },
    root: `/lake/${topic}`,
  };
}

afterAll(() => {
  for (const { child } of running) child.kill('SIGKILL');
});

describe('Kafka to HDFS, for real', () => {
  it('lands 100,000 numbered records at least once, stopped and started again in between', async () => {
    const { topic, env, root } = names('restart');
    await createTopic(topic);
    const producing = produce(topic, 0, 100_000, 4, 20);
    const first = start(env);
    await first.until('kafka.assigned');
    await sleep(1_500);
    first.child.kill('SIGTERM');
    expect([await first.ended, first.output()]).toEqual([0, expect.stringContaining('drained')]);
    const afterFirst = await committed(`${topic}-group`, topic);
    expect(afterFirst).toBeGreaterThan(0);

    await producing;
    const second = start(env, '--until-idle', '1500');
    expect([await second.ended, second.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(await committed(`${topic}-group`, topic)).toBe(100_000);

    // A drained stop loses nothing and repeats nothing.
    expect(compare(await readNumbers(root), 100_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    const summary = second.lines().at(-1);
    expect(summary).toMatchObject({ what: 'summary', outcome: 'drained', records: 100_000 - afterFirst });
  });

  it('goes on after the broker was restarted', async () => {
    const { topic, env, root } = names('broker');
    await createTopic(topic);
    await produce(topic, 0, 50_000);
    const command = start(env, '--until-idle', '6000');
    await command.until('kafka.assigned');
    await services('restart', 'kafka');
    await produce(topic, 50_000, 100_000);
    expect([await command.ended, command.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(compare(await readNumbers(root), 100_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(`${topic}-group`, topic)).toBe(100_000);
  });

  it('goes on after the NameNode was restarted', async () => {
    const { topic, env, root } = names('namenode');
    await createTopic(topic);
    const producing = produce(topic, 0, 100_000, 4, 60);
    const command = start({ ...env, TEST_ROLL_MS: '400' }, '--until-idle', '4000');
    await command.until('kafka.assigned');
    await sleep(1_000);
    await services('restart', 'namenode');
    await producing;
    expect([await command.ended, command.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(compare(await readNumbers(root), 100_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(`${topic}-group`, topic)).toBe(100_000);
  });

  it('shares the topic with a second consumer that joins and leaves', async () => {
    const { topic, env, root } = names('second');
    await createTopic(topic);
    const producing = produce(topic, 0, 100_000, 4, 60);
    const first = start(env, '--until-idle', '5000');
    await first.until('kafka.assigned');
    await sleep(1_000);
    const second = start(env);
    await second.until('kafka.assigned');
    await sleep(2_000);
    second.child.kill('SIGTERM');
    expect([await second.ended, second.output()]).toEqual([0, expect.stringContaining('drained')]);
    await producing;
    expect([await first.ended, first.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(second.lines().at(-1)).toMatchObject({ records: expect.any(Number) });
    expect(compare(await readNumbers(root), 100_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(`${topic}-group`, topic)).toBe(100_000);
  });

  it('keeps its memory bounded while the sink stalls for 30 s, and then goes on', async () => {
    const { topic, env, root } = names('stall');
    await createTopic(topic);
    await produce(topic, 0, 100_000);
    // Compressed, all of it would fit into the sockets' buffers, and nothing would stall.
    const command = start({ ...env, TEST_ROLL_MS: '60000', TEST_COMPRESSION: 'none' }, '--until-idle', '3000');
    await command.until('kafka.assigned');
    await services('pause', 'datanode');
    let most = 0;
    let least = Number.POSITIVE_INFINITY;
    try {
      // The stall must meet a full window: far more waits in the topic than the window holds.
      await produce(topic, 100_000, 800_000);
      const end = Date.now() + 30_000;
      while (Date.now() < end) {
        const rss = rssMiB(command.child.pid as number);
        most = Math.max(most, rss);
        least = Math.min(least, rss);
        await sleep(500);
      }
    } finally {
      await services('resume', 'datanode');
    }
    expect(most).toBeLessThan(400);
    expect(most - least).toBeLessThan(100);
    expect([await command.ended, command.output()]).toEqual([0, expect.stringContaining('drained')]);
    expect(compare(await readNumbers(root), 800_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
  });
});

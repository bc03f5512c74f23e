import { describe, expect, it, jest } from '@jest/globals';
import {
  committed,
  compare,
  createTopic,
  fresh,
  nameNode,
  produce,
  produceRaw,
  readNumbers,
  runFlow,
} from './support.js';

jest.setTimeout(120_000);

const flow = 'test/live/flows/numbered.ts';

async function filled(test: string, records = 1_000) {
  const topic = fresh(test);
  await createTopic(topic);
  if (records > 0) await produce(topic, 0, records);
  return {
    topic,
    group: `${topic}-group`,
    root: `/lake/${topic}`,
    env: { TEST_TOPIC: topic, TEST_GROUP: `${topic}-group`, TEST_ROOT: `/lake/${topic}` },
  };
}

/** Runs the flow to its end and gives its exit code and the message of its error. */
async function outcome(env: Record<string, string>) {
  const command = runFlow(flow, env, '--until-idle', '1500');
  const code = await command.ended;
  const error = command.lines().find(({ level }) => level === 'error');
  return { code, what: error?.what, message: String(error?.message ?? command.output()) };
}

function webhdfs(path: string, query: string, method = 'PUT') {
  return fetch(`${nameNode}/webhdfs/v1${path}?${query}`, { method });
}

describe('bad input, for real', () => {
  it('an unreachable broker: named, with the reason and the next step', async () => {
    const { code, what, message } = await outcome({ RXFLUME_KAFKA_BROKERS: '127.0.0.1:9', TEST_RETRIES: '1' });
    expect([code, what]).toEqual([1, 'RXF_KAFKA_UNREACHABLE']);
    expect(message).toContain('127.0.0.1:9');
    expect(message).toContain('ECONNREFUSED');
  });

  it('a missing topic: named', async () => {
    const topic = fresh('nowhere');
    const { code, what, message } = await outcome({ TEST_TOPIC: topic, TEST_GROUP: fresh('group') });
    expect([code, what]).toEqual([1, 'RXF_KAFKA_TOPIC_MISSING']);
    expect(message).toContain(topic);
  });

  it('an unreachable NameNode: nothing committed', async () => {
    const { topic, group, env } = await filled('no-namenode');
    const { code, message } = await outcome({ ...env, RXFLUME_HDFS_URL: 'http://127.0.0.1:9', TEST_REDELIVER: '1' });
    expect([code, message]).toEqual([1, expect.stringContaining('http://127.0.0.1:9')]);
    expect(message).toContain('ECONNREFUSED');
    expect(await committed(group, topic)).toBe(0);
  });

  it('a folder without permission: the user, the folder, the next step; nothing committed', async () => {
    const { topic, group, env } = await filled('denied');
    const { code, what, message } = await outcome({ ...env, TEST_ROOT: '/forbidden/lake' });
    expect([code, what]).toEqual([1, 'RXF_KAFKA_RESUME']);
    expect(message).toMatch(/flume.*\/forbidden|\/forbidden.*flume/);
    expect(message).not.toContain('at org.apache');
    expect(await committed(group, topic)).toBe(0);
  });

  it('a full disk: nothing lost, and all of it lands when there is room again', async () => {
    const { topic, group, root, env } = await filled('full', 20_000);
    await webhdfs(root, 'op=MKDIRS&user.name=flume');
    expect(
      (await webhdfs(root, 'op=SETQUOTA&namespacequota=9223372036854775807&storagespacequota=100000&user.name=hdfs'))
        .status,
    ).toBe(200);
    const full = await outcome({ ...env, TEST_COMPRESSION: 'none', TEST_REDELIVER: '1' });
    expect([full.code, full.message]).toEqual([
      1,
      expect.stringMatching(/quota|space|RXF_FILES_FULL, as reported before/i),
    ]);
    expect(await committed(group, topic)).toBe(0);
    await webhdfs(root, 'op=SETQUOTA&namespacequota=9223372036854775807&storagespacequota=-1&user.name=hdfs');
    expect(await outcome({ ...env, TEST_COMPRESSION: 'none' })).toMatchObject({ code: 0 });
    expect(compare(await readNumbers(root), 20_000)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(group, topic)).toBe(20_000);
  });

  it.each([
    ['not JSON', 'half a re{cord', 'Not JSON'],
    ['null', null, 'tombstone'],
    ['another shape', '{"n":"five","text":""}', '`n` does not match the schema'],
  ])('a record that is %s stops the flow before it', async (_, value, message) => {
    const { topic, group, env } = await filled('bad-record', 0);
    const good = (n: number) => ({ partition: 0, value: JSON.stringify({ n, text: '' }) });
    await produceRaw(topic, [good(0), good(1), { partition: 0, value }, good(2)]);
    const result = await outcome(env);
    expect([result.code, result.what]).toEqual([1, 'RXF_SOURCE_NACKED']);
    expect(result.message).toContain(`kafka:${topic}/0 offset 2`);
    expect(result.message).toContain(message);
    expect(await committed(group, topic)).toBe(2);
  });

  it('a record of 5 MB passes', async () => {
    const { topic, group, root, env } = await filled('large', 0);
    await produceRaw(topic, [
      { partition: 0, value: JSON.stringify({ n: 0, text: 'x'.repeat(5_000_000) }) },
      { partition: 0, value: JSON.stringify({ n: 1, text: '' }) },
    ]);
    expect(await outcome(env)).toMatchObject({ code: 0 });
    expect(compare(await readNumbers(root), 2)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(group, topic)).toBe(2);
  });
});

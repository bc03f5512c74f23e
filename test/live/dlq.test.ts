import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from '@jest/globals';
import { brokers, compare, createTopic, fresh, nameNode, produceRaw, readNumbers, root, runFlow } from './support.js';
import { readCommitted } from './topic-reader.js';

const FLOW = `${root}test/live/flows/dead-letters.ts`;
const RECORDS = 2_000;
const local = mkdtempSync(join(tmpdir(), 'rxflume-dlq-'));

afterAll(() => rmSync(local, { recursive: true, force: true }));

/** `rxflume dlq`, with its exit code and what it printed as JSON. */
async function dlq(args: readonly string[], env: Record<string, string>) {
  const command = ['--import', 'tsx', `${root}src/cli/main.ts`, 'dlq', ...args, '--json'];
  const ended = promisify(execFile)(process.execPath, command, {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  });
  const {
    code = 0,
    stdout,
    stderr,
  } = (await ended.catch((error: { code: number; stdout: string; stderr: string }) => error)) as {
    code?: number;
    stdout: string;
    stderr: string;
  };
  expect(`${stderr}`).toBe('');
  return { code, printed: JSON.parse(stdout) as Record<string, unknown> };
}

/** Numbers, of which each tenth is a text of digits, and each hundredth is none. */
async function fill(topic: string): Promise<{ good: number; texts: number; broken: number }> {
  await createTopic(topic, 2);
  const kindOf = (n: number) => (n % 100 === 7 ? 'broken' : n % 10 === 3 ? 'text' : 'good');
  const numbers = Array.from({ length: RECORDS }, (_, n) => n);
  const written = (n: number) => ({ good: n, text: String(n), broken: 'many' })[kindOf(n)];
  await produceRaw(
    topic,
    numbers.map((n) => ({ partition: n % 2, value: JSON.stringify({ n: written(n) }) })),
  );
  const count = (kind: string) => numbers.filter((n) => kindOf(n) === kind).length;
  return { good: count('good'), texts: count('text'), broken: count('broken') };
}

it('sets records aside in HDFS, and stores each once when the codec is corrected', async () => {
  const topic = fresh('dlq');
  const { good, texts, broken } = await fill(topic);
  const env = { TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, TEST_TOPIC: topic, TEST_ROOT: `/${topic}` };
  expect(await runFlow(FLOW, env, '--until-idle', '1000').ended).toBe(0);
  const bad = `${nameNode.replace(/^http/, 'webhdfs')}/${topic}/bad`;
  const as = ['--user', 'hdfs'];

  const fixed = { ...env, TEST_FIXED: 'true' };
  const { printed: preview } = await dlq(['replay', bad, FLOW, '--dry-run', ...as], fixed);
  expect(JSON.stringify(preview)).toContain('stored');
  expect((await readNumbers(`/${topic}/lake`)).size).toBe(good);

  // Those that the codec still rejects are set aside again, and wait.
  const first = await dlq(['replay', bad, FLOW, ...as], fixed);
  expect(first.code).toBe(3);
  const again = await dlq(['replay', bad, FLOW, '--contains', '"n":"1', ...as], fixed);
  expect(again.code).toBe(0);
  const seen = await readNumbers(`/${topic}/lake`);
  expect([seen.size, compare(seen, RECORDS).repeated]).toEqual([good + texts, 0]);
  const { printed: left } = await dlq(['list', bad, ...as], fixed);
  expect(JSON.stringify(left)).toContain(`"waiting":${broken}`);
}, 120_000);

it('replays the letters of a topic into a topic, each once', async () => {
  const topic = fresh('dlq-topic');
  const { good, texts } = await fill(topic);
  await createTopic(`${topic}-bad`, 1);
  await createTopic(`${topic}-clean`, 1);
  const topics = { TEST_TOPIC: topic, TEST_BAD_TOPIC: `${topic}-bad`, TEST_CLEAN_TOPIC: `${topic}-clean` };
  const env = { TEST_BROKERS: brokers.join(','), TEST_NAMENODE: nameNode, ...topics };
  expect(await runFlow(FLOW, env, '--until-idle', '1000').ended).toBe(0);

  const fixed = { ...env, TEST_FIXED: 'true' };
  const where = [`kafka://${brokers.join(',')}/${topic}-bad`, FLOW, '--replays', join(local, 'replays')];
  expect((await dlq(['replay', ...where], fixed)).code).toBe(3);
  expect((await dlq(['replay', ...where, '--contains', '"n":"1'], fixed)).code).toBe(0);
  const seen = await readCommitted(`${topic}-clean`);
  expect([seen.size, compare(seen, RECORDS).repeated]).toEqual([good + texts, 0]);
}, 120_000);

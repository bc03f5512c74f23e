import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import {
  type Command,
  committed,
  compare,
  createTopic,
  fresh,
  nameNode,
  produce,
  readNumbers,
  root,
  runFlow,
  services,
  sleep,
} from './support.js';

jest.setTimeout(120_000);

const flows: Command[] = [];
afterAll(() => {
  for (const { child } of flows) child.kill('SIGKILL');
});

const FLOW = 'test/live/flows/numbered.ts';
const PARTITIONS = 2;

function started(env: Record<string, string>): Command {
  const command = runFlow(FLOW, env);
  flows.push(command);
  return command;
}

/** Runs a command to its end, and returns its exit code and what it printed. */
async function rxflume(env: Record<string, string>, ...args: string[]): Promise<{ code: number; out: string }> {
  const cli = ['--import', 'tsx', `${root}src/cli/main.ts`, ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, cli, { cwd: root, env: { ...process.env, ...env } });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

async function allCommitted(group: string, topic: string, count: number): Promise<void> {
  for (let waited = 0; waited < 40_000 && (await committed(group, topic)) < count; waited += 300) await sleep(300);
}

describe('a flow that is to be changed, over Kafka and HDFS', () => {
  it('is shadowed and backfilled while it runs, and neither disturbs it', async () => {
    const topic = fresh('change');
    const [group, count, part] = [`${topic}-group`, 8_000, 1_500];
    await createTopic(topic, PARTITIONS);
    const env = { TEST_TOPIC: topic, TEST_GROUP: group, TEST_ROOT: `/lake/${topic}` };
    const live = started(env);
    await produce(topic, 0, count / 2, PARTITIONS);
    await allCommitted(group, topic, count / 2);
    const producing = produce(topic, count / 2, count, PARTITIONS, 100);

    const against = `${nameNode.replace('http:', 'webhdfs:')}/lake/${topic}`;
    const packed = { ...env, TEST_COMPRESSION: 'none' };
    const same = await rxflume(packed, 'shadow', FLOW, '--against', against, '--json');
    expect([same.code, same.out]).toEqual([0, expect.stringContaining('"content":"equal"')]);
    const again = ['--from', '500', '--to', String(500 + part), '--root', `/lake/${topic}-again`, '--rate', '3000/s'];
    const past = await rxflume(env, 'backfill', FLOW, ...again);
    expect([past.code, past.out]).toEqual([0, expect.stringContaining('numbered-backfill drained')]);
    const stored = await readNumbers(`/lake/${topic}-again`);
    expect(stored.size).toBe(PARTITIONS * part);
    expect(new Set(stored.values())).toEqual(new Set([1]));

    await producing;
    await allCommitted(group, topic, count);
    live.child.kill('SIGTERM');
    expect(await live.ended).toBe(0);
    expect(compare(await readNumbers(`/lake/${topic}`), count)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await services('hdfs', '-ls', '/lake')).not.toContain(`${topic}-shadow`);
  });

  it('runs beside its successor on one root, and hands over at one offset of each stream', async () => {
    const topic = fresh('blue-green');
    const count = 12_000;
    await createTopic(topic, PARTITIONS);
    const env = { TEST_TOPIC: topic, TEST_ROOT: `/lake/${topic}` };
    const blue = started({ ...env, TEST_GROUP: `${topic}-blue` });
    await produce(topic, 0, 3_000, PARTITIONS);
    // A group of its own, so that the broker does not share the partitions out between the two.
    const green = started({ ...env, TEST_GROUP: `${topic}-green`, TEST_COMPRESSION: 'none' });
    await Promise.all([blue.until('kafka.assigned'), green.until('kafka.assigned')]);
    await produce(topic, 3_000, 9_000, PARTITIONS, 400);
    blue.child.kill('SIGTERM');
    await blue.ended;
    await produce(topic, 9_000, count, PARTITIONS);
    await allCommitted(`${topic}-green`, topic, count);
    green.child.kill('SIGTERM');
    expect(await green.ended).toBe(0);
    expect(compare(await readNumbers(`/lake/${topic}`), count)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    // Blue's files have gzip; once it has ended, each is green's.
    const names = (await services('hdfs', '-ls', '-R', `/lake/${topic}`))
      .split('\n')
      .filter((line) => /mod=\d\//.test(line));
    const firsts = (of: RegExp) =>
      names.filter((name) => of.test(name)).map((name) => Number(/\+(\d+)\+\d+\+/.exec(name)?.[1]));
    expect(Math.max(...firsts(/\.jsonl$/))).toBeGreaterThan(Math.max(...firsts(/\.jsonl\.gz$/)));
  });
});

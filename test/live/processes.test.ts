import { afterAll, describe, expect, it, jest } from '@jest/globals';
import {
  type Command,
  committed,
  compare,
  createTopic,
  fresh,
  produce,
  readNumbers,
  runFlow,
  sleep,
} from './support.js';

jest.setTimeout(240_000);

let command: Command | undefined;
afterAll(() => void command?.child.kill('SIGKILL'));

const COUNT = 60_000;

/** The processes that reported last, by name. */
function pidsIn({ lines }: Command): Map<string, number> {
  const named = lines().flatMap(({ process: name, pid }) =>
    typeof name === 'string' && typeof pid === 'number' ? [[name, pid] as const] : [],
  );
  return new Map(named);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; waited < 90_000; waited += 100) {
    if (holds()) return;
    await sleep(100);
  }
  throw new Error(`Not in 90 s: ${what}\n${command?.output()}`);
}

describe('rxflume run --processes, over Kafka and HDFS', () => {
  it('stores each record once though a process is killed and all are loaded anew under way', async () => {
    const topic = fresh('processes');
    const group = `${topic}-group`;
    await createTopic(topic, 6);
    const producing = produce(topic, 0, COUNT, 6, 150);
    const env = { TEST_TOPIC: topic, TEST_GROUP: group, TEST_ROOT: `/lake/${topic}` };
    command = runFlow('test/live/flows/numbered.ts', env, '--processes', '3');
    const running = command;
    await until(
      'all three are members',
      () => pidsIn(running).size === 3 && /"what":"kafka.assigned"/.test(running.output()),
    );
    await sleep(2_000);

    const victim = pidsIn(running).get('numbered-2') as number;
    process.kill(victim, 'SIGKILL');
    await until('another has its name', () => (pidsIn(running).get('numbered-2') ?? victim) !== victim);
    expect(running.output()).toContain('Process numbered-2 was ended by SIGKILL; it is started again in 1 s.');

    const before = pidsIn(running);
    running.child.kill('SIGHUP');
    await running.until('reloaded');
    await until('all are new', () => [...pidsIn(running)].every(([name, pid]) => before.get(name) !== pid));

    await producing;
    for (let waited = 0; waited < 60_000 && (await committed(group, topic)) < COUNT; waited += 500) await sleep(500);
    running.child.kill('SIGTERM');
    expect([await running.ended, running.output()]).toEqual([0, expect.stringContaining('each has drained')]);
    expect(compare(await readNumbers(`/lake/${topic}`), COUNT)).toEqual({ missing: [], foreign: 0, repeated: 0 });
    expect(await committed(group, topic)).toBe(COUNT);
  });
});

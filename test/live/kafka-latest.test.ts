import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import { type Command, createTopic, fresh, produceRaw, runFlow, sleep } from './support.js';

let command: Command | undefined;
const folder = mkdtempSync(join(tmpdir(), 'rxflume-latest-'));

afterEach(async () => {
  command?.child.kill('SIGKILL');
  await command?.ended;
  rmSync(folder, { recursive: true, force: true });
});

function stored(): string[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (file) => file.isFile() && !file.parentPath.includes('_rxflume'),
  );
  return files.flatMap((file) => readFileSync(join(file.parentPath, file.name), 'utf8').split('\n').filter(Boolean));
}

it('a flow that reads from the end and sleeps beyond its session misses nothing of a quiet topic', async () => {
  const topic = fresh('latest');
  await createTopic(topic, 2);
  await produceRaw(topic, [{ value: 'old', partition: 0 }]);
  const flow = runFlow('test/live/flows/latest.ts', {
    TEST_TOPIC: topic,
    TEST_GROUP: `${topic}-group`,
    TEST_ROOT: folder,
  });
  command = flow;
  await flow.until('kafka.assigned');
  await sleep(2_000);
  flow.child.kill('SIGSTOP');
  const values = Array.from({ length: 10 }, (_, n) => `n${n}`);
  await produceRaw(
    topic,
    values.map((value, n) => ({ value, partition: n % 2 })),
  );
  await sleep(10_000);
  flow.child.kill('SIGCONT');
  for (const until = performance.now() + 30_000; stored().length < 10 && performance.now() < until; ) await sleep(200);
  flow.child.kill('SIGTERM');
  expect([await flow.ended, stored().sort()]).toEqual([0, values]);
}, 90_000);

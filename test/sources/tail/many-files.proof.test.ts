import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, it } from '@jest/globals';
import { Monitor } from '../../../src/core/monitor.js';
import { localFiles } from '../../../src/drivers/local-disk/index.js';
import { tailSource } from '../../../src/sources/tail/tail-source.js';
import { until } from '../../../src/testing/contracts/checking.js';

const COUNT = 10_000;
const OPEN = 64;
const folder = mkdtempSync(join(tmpdir(), 'rxf-many-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const descriptors = () => readdirSync('/proc/self/fd').length;
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const memory = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

it('follows 10,000 files with few descriptors, and 6 KiB each at most', async () => {
  for (let group = 0; group < 10; group += 1) {
    mkdirSync(join(folder, String(group)));
    for (let n = 0; n < COUNT / 10; n += 1) writeFileSync(join(folder, String(group), `${n}.log`), `${group}-${n}\n`);
  }
  const before = { descriptors: descriptors(), memory: memory() };
  const monitor = new Monitor();
  const source = tailSource(localFiles(), {
    paths: [`${folder}/*/*.log`],
    positionFile: join(folder, 'positions.json'),
    maxOpenFiles: OPEN,
    monitor,
  });
  const seen = new Set<string>();
  let most = 0;
  let wrong = 0;
  const running = source.subscribe((delivery) => {
    const line = String(delivery.value);
    if (seen.has(line)) wrong += 1;
    seen.add(line);
    if (seen.size % 100 === 0) most = Math.max(most, descriptors());
    delivery.ack();
  });
  try {
    await until(() => seen.size === COUNT, 'all lines', undefined, 60_000);
    expect([wrong, monitor.total('rxflume_source_followed_files')]).toEqual([0, COUNT]);
    expect(most - before.descriptors).toBeLessThanOrEqual(OPEN + 16);
    expect(memory() - before.memory).toBeLessThan(COUNT * 6 * 1_024 + 16 * 2 ** 20);
  } finally {
    running.unsubscribe();
  }
}, 120_000);

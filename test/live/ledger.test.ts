import { describe, expect, it, jest } from '@jest/globals';
import { fileSink, jsonLines, Monitor } from 'rxflume';
import { webhdfs } from 'rxflume/drivers/webhdfs';
import { firstValueFrom, from } from 'rxjs';
import { fresh, nameNode, services, sleep } from './support.js';

jest.setTimeout(240_000);

const STREAM = 'kafka:chat/0';
const offset = (n: number) => String(n).padStart(16, '0');

/** Makes empty files, many with one call of Hadoop's own shell. */
async function touch(paths: readonly string[]): Promise<void> {
  const folders = [...new Set(paths.map((path) => path.slice(0, path.lastIndexOf('/'))))];
  for (let first = 0; first < folders.length; first += 1_000) {
    await services('hdfs', '-mkdir', '-p', ...folders.slice(first, first + 1_000));
  }
  for (let first = 0; first < paths.length; first += 1_000) {
    await services('hdfs', '-touchz', ...paths.slice(first, first + 1_000));
  }
  await services('hdfs', '-chmod', '-R', '777', `/lake/${paths[0]?.split('/')[2]}`);
}

describe('a ledger in HDFS', () => {
  it('is resumed from within two seconds, with ten thousand entries and a thousand orphans', async () => {
    const root = `/lake/${fresh('ledger')}`;
    const ledger = `${root}/_rxflume/ledger/kafka+chat~0`;
    const orphans = `${root}/_rxflume/tmp/kafka+chat~0`;
    await touch([
      ...Array.from({ length: 9_999 }, (_, n) => `${ledger}/${offset(n)}`),
      ...Array.from({ length: 1_000 }, (_, n) => `${orphans}/${offset(n * 9)}/killed-0-${n}`),
    ]);
    const fs = webhdfs({ nameNodes: [nameNode], user: 'flume' });
    const last = fs.create(`${ledger}/${offset(9_999)}`);
    const entry = { version: 1, writer: 'us-1', stream: STREAM, from: 9_999, next: 12_345, files: [] };
    await firstValueFrom(from(last.write(Buffer.from(JSON.stringify(entry)))), { defaultValue: null });
    await firstValueFrom(from(last.close()));

    const lake = fileSink(fs, { root, format: jsonLines(), monitor: new Monitor() });
    const startedAt = performance.now();
    const offsetStore = await firstValueFrom(from(lake.offsetStore([STREAM])));
    const tookMs = performance.now() - startedAt;
    console.log(`taken up in ${tookMs.toFixed(0)} ms`);
    expect([...offsetStore]).toEqual([[STREAM, 12_345]]);
    expect(tookMs).toBeLessThan(2_000);

    // The orphans go meanwhile, and nobody waits for them.
    const deadline = Date.now() + 60_000;
    const left = async () => (await firstValueFrom(from(fs.list(orphans)))).length;
    while ((await left()) > 0 && Date.now() < deadline) await sleep(500);
    expect(await left()).toBe(0);
  });
});

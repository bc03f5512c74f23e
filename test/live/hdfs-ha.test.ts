import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Moment, Way } from '../../chaos/plan.js';
import { type Address, Proxies } from '../../chaos/proxies.js';
import { cluster, NOTHING_WRONG, numbersInLake, startCluster, until, verdict } from './cluster.js';
import { type Command, runFlow } from './support.js';

jest.setTimeout(120_000);

const LAKE = '/lake/ha';
const LINES_EVERY_MS = 20;

/** Where a server of the cluster is, by its name and the line of `cluster env`. */
const addressOf = (url: string): Address => ({ host: '127.0.0.1', port: Number(new URL(url).port) });

describe('two NameNodes and two DataNodes: lines of a log to HDFS, exactly once', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rxflume-ha-'));
  const proxies = new Proxies(() => undefined);
  let count = 0;
  let writing: NodeJS.Timeout;
  let flow: Command | undefined;

  beforeAll(async () => {
    const nameNodes = (await startCluster('hdfs')).split(',');
    // The DataNodes' HTTP ports are six and seven above the NameNodes'.
    const [first, second] = nameNodes.map((url) => addressOf(url)) as [Address, Address];
    const dataNodes = [first.port + 6, first.port + 7].map((port) => ({ host: '127.0.0.1', port }));
    const doors = await Promise.all(
      [first, second].map((nameNode, at) =>
        proxies.open(at, { kafka: nameNode, nameNode, dataNode: dataNodes[at] as Address }),
      ),
    );
    const hostMap = Object.fromEntries(doors.map(({ dataNode }, at) => [`127.0.0.1:${dataNodes[at]?.port}`, dataNode]));
    flow = runFlow('test/live/flows/tailing.ts', {
      TEST_FOLDER: folder,
      TEST_ROOT: LAKE,
      TEST_HDFS: doors.map(({ nameNode }) => nameNode).join(','),
      TEST_HOST_MAP: JSON.stringify(hostMap),
      TEST_REQUEST_MS: '5000',
    });
    await flow.until('started');
    writing = setInterval(() => {
      const lines = Array.from({ length: 10 }, () => JSON.stringify({ n: count++ }));
      appendFileSync(join(folder, 'app.log'), `${lines.join('\n')}\n`);
    }, LINES_EVERY_MS);
  });

  afterAll(async () => {
    clearInterval(writing);
    flow?.child.kill('SIGKILL');
    if (process.env.TEST_SHOW !== undefined) console.log(flow?.output());
    await proxies.close();
    await cluster('stop', 'hdfs');
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the flow has stored grows, by what readers see. */
  async function goesOn(): Promise<void> {
    const due = count;
    await until(`line ${due} is in HDFS`, async () => (await numbersInLake(LAKE)).has(due), 30_000);
  }

  /** What happens at the next request of a moment. */
  const caught = (moment: Moment, way: Way) =>
    new Promise<void>((resolve) => proxies.arm({ moment, way, lateMs: 2_000, caught: () => resolve() }));

  it.each([
    ['data', 'unsent', 'namenode2'],
    ['rename', 'unanswered', 'namenode1'],
    ['commit', 'unanswered', 'namenode2'],
  ] as const)('goes on where the active NameNode is killed at a %s that is %s', async (moment, way, next) => {
    const active = next === 'namenode1' ? 'namenode2' : 'namenode1';
    await caught(moment, way);
    await cluster('kill', active);
    await cluster('activate', next);
    await cluster('start', active);
    await goesOn();
  });

  it('goes on where the active NameNode becomes the standby at a commit, and answers that it is', async () => {
    await caught('commit', 'unsent');
    await cluster('activate', 'namenode1');
    await goesOn();
  });

  it('goes on where a DataNode dies while it is written to', async () => {
    await caught('data', 'passed');
    await cluster('kill', 'datanode1');
    await goesOn();
    await cluster('start', 'datanode1');
  });

  it('has lost nothing and doubled nothing', async () => {
    clearInterval(writing);
    // A flow that drains does not read again what was nacked, so nothing may be under way.
    await until('the last line is in HDFS', async () => (await numbersInLake(LAKE)).has(count - 1), 30_000);
    flow?.child.kill('SIGTERM');
    expect(await flow?.ended).toBe(0);
    expect(count).toBeGreaterThan(5_000);
    expect(verdict(await numbersInLake(LAKE), count)).toEqual(NOTHING_WRONG);
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { root, rxflume } from './child.js';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(root, 'test/cli/.backfill-'));
const data = mkdtempSync(join(tmpdir(), 'rxflume-backfill-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(data, { recursive: true, force: true });
});

const file = join(folder, 'chat.ts');
writeFileSync(
  file,
  `import { fileSink, flow, json, jsonLines, kafkaSource } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { decode } from 'rxflume/operators';
const lake = fileSink<any>(localDisk({ fsync: 'never' }), {
  root: '${data}/live', path: (value) => 'b=' + (value.n % 2), format: jsonLines(), roll: { count: 40 },
});
const log = embeddedLog({ folder: '${data}/log', topics: ['chat'] });
export default flow('chat', kafkaSource(log, { topics: ['chat'], groupId: 'g', resumeFrom: lake.offsetStore }), decode(json()), lake.write());
`,
);

const FIRST = 1_000;
const PART = 3_000;
const RATE = 500;
let between = 0;

/** Numbered records: some before, those to be read, and some behind. */
async function filled(): Promise<void> {
  const log = embeddedLog({ folder: join(data, 'log'), topics: ['chat'] });
  const lines = (from: number, count: number) => Array.from({ length: count }, (_, n) => `{"n":${from + n}}`);
  await log.append('chat', lines(0, FIRST));
  await new Promise((resolve) => setTimeout(resolve, 20));
  between = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await log.append('chat', lines(FIRST, PART));
  await log.append('chat', lines(FIRST + PART, 500));
  await log.close();
}

/** The files of both buckets: what is beside them comes and goes while one looks. */
function filesOf(name: string): string[] {
  return ['b=0', 'b=1'].flatMap((bucket) => {
    const folder = join(data, name, bucket);
    return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  });
}

function numbersOf(name: string): number[] {
  const lines = filesOf(name).flatMap((path) => readFileSync(path, 'utf8').trim().split('\n'));
  return lines.map((line) => (JSON.parse(line) as { n: number }).n).sort((a, b) => a - b);
}

const args = (name: string, from: string, ...more: string[]) => [
  ...['backfill', file, '--from', from, '--to', String(FIRST + PART), '--root', join(data, name), ...more],
];

/** Starts it, and kills it when it has written so many more files. */
function killedAfter(name: string, files: number, ...given: string[]): Promise<number | null> {
  return new Promise((resolve) => {
    const wanted = filesOf(name).length + files;
    const env = { ...process.env, NODE_OPTIONS: '' };
    const cli = ['--import', 'tsx', `${root}src/cli/main.ts`, ...given];
    const child: ChildProcess = spawn(process.execPath, cli, { cwd: root, env, stdio: 'ignore' });
    const watch = setInterval(() => {
      if (filesOf(name).length >= wanted) child.kill('SIGKILL');
    }, 5);
    child.on('close', (code) => {
      clearInterval(watch);
      resolve(code);
    });
  });
}

describe('rxflume backfill', () => {
  it('stores each record of the part once, at the rate, though it is killed three times; then it has nothing to do', async () => {
    await filled();
    const again = args('again', new Date(between).toISOString(), '--rate', `${RATE}/s`);
    for (const files of [1, 2, 2]) expect(await killedAfter('again', files, ...again)).toBeNull();
    const before = numbersOf('again').length;
    expect(before).toBeLessThan(PART);
    const { code, stdout } = await rxflume(again);
    expect([code, stdout]).toEqual([0, expect.stringContaining('chat-backfill drained')]);
    const seconds = Number(/drained after ([\d.]+) s/.exec(stdout)?.[1]);
    expect(seconds).toBeGreaterThan(((PART - before - 200) / RATE) * 0.9);
    expect(numbersOf('again')).toEqual(Array.from({ length: PART }, (_, n) => FIRST + n));
    const more = await rxflume(again);
    expect([more.code, numbersOf('again').length]).toEqual([0, PART]);
    // Nothing of it concerns the flow itself.
    expect(filesOf('live')).toEqual([]);
  });

  it('begins at an offset, says when it was stopped before its end, and rejects the root of the flow itself', async () => {
    const slow = args('slow', '3990', '--rate', '2/s');
    let isKilled = false;
    const stopped = await rxflume(slow, (stdout, kill) => {
      if (!isKilled && /Reading/.test(stdout)) kill('SIGTERM');
      isKilled ||= /Reading/.test(stdout);
    });
    expect([stopped.code, stopped.stdout]).toEqual([1, expect.stringContaining('Stopped before its end')]);
    expect((await rxflume(args('slow', '3990'))).code).toBe(0);
    expect(numbersOf('slow')).toEqual([3990, 3991, 3992, 3993, 3994, 3995, 3996, 3997, 3998, 3999]);
    const own = await rxflume(args('live', '0'));
    expect([own.code, own.stderr]).toEqual([2, expect.stringContaining('is where chat itself writes')]);
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { lastValueFrom, timer } from 'rxjs';
import { deadLetter, decode, drainOn, filterValue, mapValue } from '../../operators/index.js';
import { readArguments } from '../../src/cli/arguments.js';
import { shadow } from '../../src/cli/shadow/shadow.js';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import type { Flow } from '../../src/flow/flow.js';
import { type DeadLetter, fileSink, flow, json, jsonLines, kafkaSource } from '../../src/index.js';
import { fitting } from './json-schema.js';

jest.setTimeout(60_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-shadow-'));
const log = embeddedLog({ folder: join(folder, 'log'), topics: ['chat'], partitions: 2 });
const disk = localDisk({ fsync: 'never' });
afterAll(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Value {
  readonly n: number;
  readonly text: string;
}
const COUNT = 400;
const letters = fileSink<DeadLetter>(disk, { root: join(folder, 'letters'), format: jsonLines() });

/** A flow of the topic into a root of its own; `change` is what a new one does otherwise. */
function chat(name: string, compression: 'none' | 'gzip', ...change: Parameters<typeof flow<never, never>>[2][]): Flow {
  const lake = fileSink<unknown>(disk, {
    root: join(folder, name),
    path: (value) => `b=${(value as Value).n % 3}`,
    format: jsonLines({ compression }),
    roll: { count: 70 },
  });
  const source = kafkaSource(log, { topics: ['chat'], groupId: name, resumeFrom: lake.offsetStore });
  const compose = flow as unknown as (...parts: unknown[]) => Flow;
  return compose(name, source, decode(json(), { deadLetter: letters.write() }), ...change, lake.write());
}

async function compared(of: Flow, ...args: string[]) {
  const { verb: _, ...asked } = readArguments(['shadow', 'new.ts', '--against', join(folder, 'old'), ...args]);
  let [stdout, stderr] = ['', ''];
  const code = await shadow(of, asked as unknown as Parameters<typeof shadow>[1], {
    out: { write: (text: string) => (stdout += text) } as never,
    err: { write: (text: string) => (stderr += text) } as never,
    ...{ env: {}, cwd: folder },
  });
  return { code, stdout, stderr };
}

const entries = () => readdirSync(folder).sort();

beforeAll(async () => {
  const lines = Array.from({ length: COUNT }, (_, n) => (n % 50 === 49 ? 'no json' : `{"n":${n},"text":"${n}"}`));
  for (const key of ['a', 'b', 'c', 'd']) await log.append('chat', lines, key);
  await lastValueFrom(chat('old', 'none').pipe(drainOn(timer(1_500))));
  // What comes later is nothing that the old one has committed.
  await log.append('chat', ['{"n":1000000,"text":"later"}'], 'a');
});

describe('rxflume shadow', () => {
  it('finds equal what does the same, also where the format is another, and leaves no trace', async () => {
    const before = [entries(), readdirSync(join(folder, 'letters'), { recursive: true }).length];
    const same = await compared(chat('again', 'none'), '--json');
    expect([same.code, same.stderr]).toEqual([0, '']);
    const report = fitting('shadow', same.stdout) as unknown as {
      buckets: { bucket: string; old: { rows: number }; new: { rows: number }; content: string }[];
      ranges: { from: number; to: number }[];
    };
    expect(report.ranges.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(4 * COUNT);
    expect(report.buckets.map(({ bucket, content }) => [bucket, content])).toEqual(
      [0, 1].flatMap(() => ['b=0', 'b=1', 'b=2'].map((bucket) => [bucket, 'equal'])),
    );
    expect(report.buckets.reduce((sum, { old }) => sum + old.rows, 0)).toBe(4 * COUNT * 0.98);
    expect([entries(), readdirSync(join(folder, 'letters'), { recursive: true }).length]).toEqual(before);
    expect((await compared(chat('packed', 'gzip'))).code).toBe(0);
  });

  it('finds what is left out, put elsewhere, or changed with as many bytes', async () => {
    const less = await compared(chat('less', 'none', filterValue((value: Value) => value.n !== 3) as never));
    expect([less.code, less.stderr]).toEqual([1, '']);
    expect(less.stdout).toMatch(/b=0 .* different/);
    expect(less.stdout).toMatch(/Different in [12] of 6 buckets/);
    const moved = mapValue((value: Value) => (value.n === 3 ? { ...value, n: 4 } : value));
    expect((await compared(chat('moved', 'none', moved as never))).stdout).toMatch(/Different in [24] of 6 buckets/);
    const changed = mapValue((value: Value) => (value.n === 3 ? { ...value, text: '4' } : value));
    expect((await compared(chat('changed', 'none', changed as never))).stdout).toMatch(/different/);
  });

  it('compares the newest within --records, and keeps the files with --keep', async () => {
    const { code, stdout } = await compared(chat('some', 'gzip'), '--records', '150', '--keep', '--json');
    const { ranges, kept } = JSON.parse(stdout) as { ranges: { from: number; to: number }[]; kept: string };
    expect(code).toBe(0);
    for (const { from, to } of ranges) expect([from > 0, to - from <= 150]).toEqual([true, true]);
    const [name = ''] = readdirSync(join(kept, 'b=0'));
    expect(gunzipSync(readFileSync(join(kept, 'b=0', name))).toString()).toMatch(/"n":/);
    rmSync(kept, { recursive: true });
  });

  it('says what cannot be compared: no ledger, an error of the flow, another sink', async () => {
    const none = await compared(chat('none', 'none'), '--against', join(folder, 'nowhere'));
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('there is no ledger')]);
    const fails = mapValue(() => {
      throw new Error('a bug');
    });
    const failed = await compared(chat('fails', 'none', fails as never));
    expect([failed.code, failed.stderr]).toEqual([3, expect.stringContaining('a bug')]);
    expect(entries().filter((name) => name.includes('-shadow'))).toEqual([]);
    const beside = await compared(
      flow(
        'beside',
        kafkaSource(log, { topics: ['chat'], groupId: 'b' }),
        deadLetter(letters.write()) as never,
      ) as never,
    );
    expect(beside.code).toBe(2);
  });
});

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { map, NEVER, tap } from 'rxjs';
import { deadLetter, decode, mapValue, splitValue, tee, transmit, trusted } from '../../operators/index.js';
import { readArguments } from '../../src/cli/arguments.js';
import { measureCpu } from '../../src/cli/plan/cpu.js';
import { plan } from '../../src/cli/plan/plan.js';
import type { PlanAsked } from '../../src/cli/plan/plan-arguments.js';
import { sampleOfFile } from '../../src/cli/plan/sample.js';
import { embeddedLog } from '../../src/drivers/embedded-log/index.js';
import { localDisk } from '../../src/drivers/local-disk/index.js';
import type { Flow, FlowInside } from '../../src/flow/flow.js';
import type { AnyStep } from '../../src/flow/probes.js';
import { type DeadLetter, fileSink, flow, json, jsonLines, kafkaSource } from '../../src/index.js';
import { fitting } from './json-schema.js';

jest.setTimeout(60_000);

const anyNumber = expect.any(Number);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-plan-'));
const lines = join(folder, 'lines.jsonl');
const RECORDS = 2_000;
const log = embeddedLog({ folder: join(folder, 'log'), topics: ['chat', 'quiet'] });
const records$ = kafkaSource(log, { topics: ['chat'], groupId: 'lake' });

beforeAll(async () => {
  const values = Array.from({ length: RECORDS }, (_, n) => (n % 100 === 99 ? 'no json' : JSON.stringify({ n })));
  await log.append('chat', values);
  writeFileSync(lines, `${values.join('\n')}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Value {
  readonly n: number;
}

const lake = fileSink<unknown>(localDisk(), {
  root: join(folder, 'lake'),
  path: (value) => `b=${(value as Value).n % 3}`,
  format: jsonLines(),
});
const letters = fileSink<DeadLetter>(localDisk(), { root: join(folder, 'letters'), format: jsonLines() });

/** So many microseconds of work that no compiler can leave out. */
function burn(microseconds: number): number {
  const until = performance.now() + microseconds / 1_000;
  let rounds = 0;
  while (performance.now() < until) rounds += 1;
  return rounds;
}

type Json = {
  readonly cpu: readonly { readonly name: string; readonly secondsPerRecord: Record<string, number | string> }[];
  readonly estimates: Record<string, Record<string, number | string>>;
  readonly sample: { readonly records: number };
  readonly warnings: readonly string[];
};

async function planned(of: Flow, args: readonly string[]) {
  const asked = readArguments(['plan', 'flow.ts', ...args]) as unknown as PlanAsked;
  let [stdout, stderr] = ['', ''];
  const code = await plan(of, asked, {
    out: { write: (text: string) => (stdout += text) },
    err: { write: (text: string) => (stderr += text) },
  });
  return { code, stdout, stderr, json: asked.isJson && code === 0 ? (JSON.parse(stdout) as Json) : ({} as Json) };
}

/** Each file below, with what is in it. */
function contents(of: string): Record<string, string> {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => [join(parentPath, name), readFileSync(join(parentPath, name), 'base64')]),
  );
}

describe('rxflume plan', () => {
  const chat = flow(
    'chat',
    records$,
    decode(json(), { deadLetter: letters.write() }),
    // Work that shows above the noise of any machine: without CPU, processes and memory are not estimated.
    mapValue((value) => (burn(20) < 0 ? null : value)),
    lake.write(),
  );

  it('measures a topic and the real file system, and leaves no trace in either', async () => {
    const before = contents(join(folder, 'log'));
    const {
      code,
      json: told,
      stderr,
    } = await planned(chat, ['--sample', 'topic', '--rate', '100/s', '--measure-writes', '--within', '16s', '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(contents(join(folder, 'log'))).toEqual(before);
    expect(readdirSync(folder).sort()).toEqual(['lines.jsonl', 'log']);
    expect(told.sample.records).toBe(RECORDS);
    expect(told.estimates.storedBytes).toBeUndefined();
    // Three buckets of one stream, which roll every 5 min.
    expect(told.estimates.filesPerDay).toEqual({ value: 864, low: 864, high: 864 });
    for (const name of [
      'writesInFlight',
      'windowCount',
      'maxUnacked',
      'nameNodeCallsPerSecond',
      'memoryBytes',
      'processes',
    ]) {
      expect([name, told.estimates[name]]).toEqual([
        name,
        { value: expect.any(Number), low: expect.any(Number), high: expect.any(Number) },
      ]);
    }
    expect(told.cpu[0]?.secondsPerRecord).toEqual({
      notMeasured: expect.stringMatching(/only 2000 records were read in 4 s/),
    });
    expect(told.warnings).toContainEqual(expect.stringMatching(/The CPU of source is not in the sum/));
  });

  it('prints what its schema says', async () => {
    const points = ['--points', '1:100,2:190,4:350,8:500', '--backlog', '1000'];
    for (const args of [
      [],
      ['--rate', '300/s', '--bytes', '200', '--partitions', '4', ...points],
      ['--sample', lines, '--within', '4s'],
    ]) {
      fitting('plan', (await planned(chat, [...args, '--json'])).stdout);
    }
  });

  it('finds the operator that takes the CPU, with an interval that has what it takes', async () => {
    const heavy = flow(
      'heavy',
      records$,
      mapValue((value) => value),
      mapValue((value) => (burn(20) < 0 ? null : value)),
      mapValue((value) => value),
      lake.write(),
    );
    const { json: told } = await planned(heavy, ['--sample', lines, '--records', '500', '--within', '20s', '--json']);
    const [, light, busy, after] = told.cpu.map(({ secondsPerRecord }) => secondsPerRecord) as Record<string, number>[];
    expect(busy?.value).toBeGreaterThan(18e-6);
    expect(busy?.low).toBeGreaterThan(light?.high as number);
    expect(busy?.low).toBeGreaterThan(after?.high as number);
  });

  it('says which operator throws, and measures what is before it', async () => {
    const throwing = flow(
      'throwing',
      records$,
      mapValue((value) => value),
      trusted(
        map(() => {
          throw new Error('no such table');
        }),
      ),
      mapValue((value) => value),
      lake.write(),
    );
    const { code, json: told } = await planned(throwing, [
      '--sample',
      lines,
      '--rate',
      '1/s',
      '--within',
      '4s',
      '--json',
    ]);
    const cpu = told.cpu.map(({ secondsPerRecord }) => secondsPerRecord);
    expect(code).toBe(0);
    expect(cpu[1]).toHaveProperty('value');
    expect(cpu[2]).toEqual({ notMeasured: 'it failed: no such table' });
    expect(cpu[3]).toEqual({ notMeasured: expect.stringContaining('could not be measured') });
    expect(told.estimates.processes).toEqual({ notMeasured: expect.stringMatching(/no such table/) });
  });

  it('ends in time where an operator never does', async () => {
    const stuck = flow(
      'stuck',
      records$,
      trusted((source) =>
        source.pipe(
          tap(() => undefined),
          () => NEVER,
        ),
      ),
      lake.write(),
    );
    const since = performance.now();
    const { json: told } = await planned(stuck, ['--sample', lines, '--within', '4s', '--json']);
    // With what a busy machine takes to load and to print; without the limit it would not end.
    expect(performance.now() - since).toBeLessThan(12_000);
    expect(told.cpu[1]?.secondsPerRecord).toEqual({ notMeasured: expect.stringMatching(/did not pass through it/) });
    expect(told.estimates.filesPerDay).toEqual({ notMeasured: expect.any(String) });
  });

  it('keeps the rounds that it has measured where the time ends within one', async () => {
    const sample = await sampleOfFile(lines, undefined, { records: 100, bytes: 1e6, ms: 1_000 });
    const inside = { rehearse: <T>(run: () => T) => run() } as FlowInside;
    const limits = { ms: 2_000, rounds: 50, runMicroseconds: 1 };
    const silentFrom = (round: number) => {
      let runs = 0;
      const step: AnyStep = (source) => {
        runs += 1;
        return runs > round ? NEVER : source;
      };
      return measureCpu(inside, sample, [step], limits);
    };
    // Three rounds warm it up, and three must be measured.
    expect((await silentFrom(8)).all).toEqual({ value: anyNumber, low: anyNumber, high: anyNumber });
    expect((await silentFrom(5)).all).toEqual({ notMeasured: expect.stringMatching(/^only 2 rounds fitted/) });
    expect((await silentFrom(0)).all).toEqual({ notMeasured: expect.stringMatching(/did not pass through it/) });
  });

  it('counts what an operator nacks, and writes to no sink of a branch', async () => {
    const branched = flow(
      'branched',
      records$,
      deadLetter(letters.write()),
      decode(json()),
      splitValue((value) => [value, value]),
      tee({ lake: lake.write(), letters: lake.write() }),
    );
    const { code, stdout } = await planned(branched, ['--sample', lines, '--within', '4s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/warning: 2 decode: 20 of 2000 records of the sample were nacked: .*JSON/);
    expect(stdout).toMatch(/4 tee +not measured: only a file sink can run elsewhere/);
    expect([existsSync(join(folder, 'lake')), existsSync(join(folder, 'letters'))]).toEqual([false, false]);
  });

  it('never calls the write of transmit', async () => {
    let written = 0;
    const sending = flow(
      'sending',
      records$,
      transmit(() => {
        written += 1;
        return [];
      }),
    );
    await planned(sending, ['--sample', lines, '--within', '4s', '--measure-writes']);
    expect(written).toBe(0);
  });

  it('measures nothing of an empty sample, and says so', async () => {
    writeFileSync(join(folder, 'empty'), '');
    const { code, stdout } = await planned(chat, ['--sample', join(folder, 'empty'), '--rate', '5/s']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/warning: The sample is empty, so nothing was measured\./);
    rmSync(join(folder, 'empty'));
    const quiet = flow('quiet', kafkaSource(log, { topics: ['quiet'], groupId: 'g' }), lake.write());
    expect((await planned(quiet, ['--sample', 'topic', '--within', '2s'])).stdout).toMatch(/The sample is empty/);
  });

  it('says what it cannot read, exit 2', async () => {
    const { code, stderr } = await planned(chat, ['--sample', join(folder, 'none')]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/There is no file .*none\. Pass `--sample` a file of lines/),
    ]);
  });
});

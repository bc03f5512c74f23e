import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, jest } from '@jest/globals';
import { Supervisor } from '../../src/cli/supervise/supervisor.js';
import { root } from './child.js';

jest.setTimeout(120_000);

const folder = mkdtempSync(join(tmpdir(), 'rxflume-supervise-'));
const started = new Set<ChildProcess>();

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Flows that note each record, with the version of their code and the process, in a file of their name. */
const HEAD = `import { appendFileSync } from 'node:fs';
import { consoleSink, flow } from '${root}src/index.js';
import { generateSource } from '${root}src/inputs/index.js';
import { mapValue } from '${root}operators/index.js';
const noted = (name, version, act = () => {}) => flow(
  name,
  generateSource((seq) => ({ seq }), { name, perSecond: 50 }),
  mapValue((value) => {
    act();
    appendFileSync(${JSON.stringify(folder)} + '/' + name + '.txt', version + ' ' + process.pid + '\\n');
    return value;
  }),
  consoleSink({ write: async () => {} }).write(),
);
`;

/** Runs the command, and knows what it logs. */
function supervised(...args: string[]) {
  const child = spawn(process.execPath, ['--import', 'tsx', `${root}src/cli/main.ts`, 'run', ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.add(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  }
  const exit = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, exit, text: () => text };
}

const linesOf = (name: string): string[] => {
  try {
    return readFileSync(join(folder, `${name}.txt`), 'utf8')
      .trim()
      .split('\n');
  } catch {
    return [];
  }
};
const pidsOf = (name: string) => [...new Set(linesOf(name).map((line) => line.split(' ')[1]))];

async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 60_000; waited += 100) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Not in a minute: ${what}`);
}

const isAlive = (pid: string | undefined) => {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch {
    return false;
  }
};

describe('a reload', () => {
  it('replaces all flows, and goes on with the new ones alone', async () => {
    const program = join(folder, 'endless.mjs');
    writeFileSync(
      program,
      "process.on('SIGTERM', () => process.exit(0)).on('disconnect', () => process.exit(0)).send({ what: 'log' });\n",
    );
    const post = (flow: string) => ({ id: flow, file: 'flows.ts', flow });
    const setting = { program, execArgv: [], argumentsOf: () => [], env: process.env, killAfterMs: 30_000 };
    const log = { say: () => undefined, progress: () => undefined, progressEveryMs: 1_000, columns: 80 };
    const supervisor = new Supervisor([post('a'), post('b')], { ...setting, maxMemoryBytes: undefined }, log);
    let ended: number | undefined;
    void supervisor.exitCode.then((code) => {
      ended = code;
    });
    await supervisor.reload([post('c')]);
    expect([ended, supervisor.children.map(({ post: { flow }, isOver }) => [flow, isOver])]).toEqual([
      undefined,
      [['c', false]],
    ]);
    await supervisor.reload([post('c'), post('d')]);
    await supervisor.reload([post('d')]);
    expect(supervisor.readiness.reasons.map(({ flow }) => flow)).toEqual(['d']);
    supervisor.stop();
    expect(await supervisor.exitCode).toBe(0);
  });
});

describe('rxflume run of several flows', () => {
  it('starts again the process that fails while the others go on, serves the metrics of all, reloads, and drains', async () => {
    const file = join(folder, 'flows.ts');
    // The first process of `second` ends in the middle, as by a fault of its own.
    const crash = `(n => () => { if (++n === 5 && !existsSync('${folder}/crashed')) { writeFileSync('${folder}/crashed', ''); process.exit(9); } })(0)`;
    const write = (version: string, act = '') =>
      writeFileSync(
        file,
        `import { existsSync, writeFileSync } from 'node:fs';\n${HEAD}` +
          `export const first = noted('first', '${version}');\nexport const second = noted('second', '${version}'${act});\n`,
      );
    write('v1', `, ${crash}`);
    const { child, exit, text } = supervised(file, '--processes', '1', '--watch', '--metrics', '127.0.0.1:0');
    await until('the second process of the second flow', () => pidsOf('second').length === 2);
    expect(pidsOf('first')).toHaveLength(1);
    expect(text()).toContain('Process second ended with code 9; it is started again in 1 s.');

    const url = /"url":"(http:[^"]+)"/.exec(text())?.[1];
    const read = async (path: string) => (await fetch(`${url}${path}`)).text();
    await until('both are ready', async () => (await read('/readyz')).startsWith('{"ok":true'));
    const metrics = await read('/metrics');
    expect(metrics).toMatch(/rxflume_process_restarts_total\{flow="second",process="second"\} 1/);
    expect(metrics).toMatch(/rxflume_source_records_total\{[^}]*process="first"[^}]*\} \d+/);

    writeFileSync(file, 'export default (;');
    await until('the file that cannot be loaded is reported', () => text().includes('reload.failed'));
    expect(pidsOf('first')).toHaveLength(1);

    write('v2');
    await until('the new code runs', () => ['first', 'second'].every((name) => linesOf(name).at(-1)?.startsWith('v2')));
    await until('the reload is over', () => text().includes('"reloaded"'));
    expect(pidsOf('first')).toHaveLength(2);

    child.kill('SIGTERM');
    expect(await exit).toBe(0);
    expect(text()).toContain('each has drained');
    for (const name of ['first', 'second']) expect(pidsOf(name).filter(isAlive)).toEqual([]);
  });

  it('leaves no process behind when it is killed itself', async () => {
    const file = join(folder, 'orphan.ts');
    writeFileSync(file, `${HEAD}export default noted('orphan', 'v1');\n`);
    const { child, exit } = supervised(file, '--processes', '1');
    await until('it runs', () => pidsOf('orphan').length === 1);
    child.kill('SIGKILL');
    await exit;
    await until('its process has ended', () => !isAlive(pidsOf('orphan')[0]));
  });

  it('drains and starts again a process that has too much memory', async () => {
    const file = join(folder, 'large.ts');
    writeFileSync(
      file,
      `${HEAD}const kept = [];\nexport default noted('large', 'v1', () => kept.push(Buffer.alloc(4e6, 1)));\n`,
    );
    const { child, exit, text } = supervised(file, '--max-memory-mib', '300');
    await until('it was started again', () => pidsOf('large').length >= 2);
    expect(text()).toMatch(/Process large has \d+ MiB of memory, above 300: it drains and is started again\./);
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });

  it('says why a flow whose input is not divided cannot run in several processes', async () => {
    const file = join(folder, 'alone.ts');
    writeFileSync(file, `${HEAD}export default noted('alone', 'v1');\n`);
    const { exit, text } = supervised(file, '--processes', '2');
    expect(await exit).toBe(2);
    expect(text()).toMatch(
      /^rxflume: Flow `alone` of .*alone\.ts can't run in 2 processes: its source does not divide its input/,
    );
  });
});

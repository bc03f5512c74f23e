import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Subject } from 'rxjs';
import { Monitor } from '../../../src/core/monitor.js';
import { commandRunner } from '../../../src/drivers/node/index.js';
import { execSource } from '../../../src/sources/exec/exec-source.js';
import type { ExecOptions } from '../../../src/sources/exec/options.js';
import { until } from '../../../src/testing/contracts/checking.js';
import { type CommandStep, commandRunnerContract } from '../../../src/testing/contracts/command-runner-contract.js';
import { SourceRun } from '../../support/source-run.js';

const folder = mkdtempSync(join(tmpdir(), 'rxf-exec-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The steps as a program of Node. */
const PROGRAM = `
const steps = JSON.parse(process.argv[1]);
const next = () => {
  const step = steps.shift();
  if (step === undefined) return;
  if (step.repeat) step.out = step.repeat[0].repeat(step.repeat[1]);
  if ('out' in step) process.stdout.write(step.out, next);
  else if ('err' in step) process.stderr.write(step.err, next);
  else if ('waitMs' in step) setTimeout(next, step.waitMs);
  else if ('exit' in step) process.exitCode = step.exit;
  else { process.on('SIGTERM', () => undefined); next(); }
};
next();
`;

function scriptOf(steps: readonly CommandStep[]): string {
  const file = steps.find((step) => 'out' in step && step.out.length > 10_000);
  if (file === undefined) return JSON.stringify(steps);
  // An argument has a bound of 128 KiB.
  const text = (file as { readonly out: string }).out;
  const line = `${text.split('\n')[0]}\n`;
  return JSON.stringify(steps.map((step) => (step === file ? { repeat: [line, text.length / line.length] } : step)));
}

describe('the contract of commands, of this machine', () => {
  it.each(commandRunnerContract)('$name', async ({ run }) => {
    const line = (steps: readonly CommandStep[] | undefined, killAfterMs: number) => ({
      command: steps === undefined ? [join(folder, 'missing')] : [process.execPath, '-e', PROGRAM, scriptOf(steps)],
      cwd: undefined,
      env: {},
      killAfterMs,
    });
    await run({ runner: commandRunner(), line });
  });
});

function start(options: Partial<ExecOptions>): SourceRun<Buffer> {
  const own = { name: 'x', command: ['true'], monitor: new Monitor(), killAfterMs: 200 };
  return new SourceRun(execSource(commandRunner(), { ...own, ...options }));
}

const texts = (run: SourceRun<Buffer>) => run.seen.map(({ value }) => String(value));
const isThere = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] !== 'Z';
  } catch {
    return false;
  }
};

describe('execSource, with commands of this machine', () => {
  it('gives all lines of a command that writes faster than they are acked, and holds no more than its window', async () => {
    const run = start({ command: ['seq', '1', '60000'], window: { count: 1_000 } });
    await until(() => run.seen.length === 1_000, 'a full window');
    const before = process.memoryUsage().arrayBuffers;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
    expect(run.seen).toHaveLength(1_000);
    run.onNext = (delivery) => setImmediate(() => delivery.ack());
    run.seen[0]?.acker.ack(0, 1_000);
    await until(() => run.ended !== '', 'the end');
    expect([run.end, run.seen.length, String(run.seen.at(-1)?.value)]).toEqual(['complete', 60_000, '60000']);
  });

  it('gives a shell its text, a folder and an environment, and starts it again', async () => {
    const shell = { shell: true, command: 'echo "$GREETING from $(pwd)"; exit 3', env: { GREETING: 'hello' } };
    const run = start({ ...shell, cwd: folder, restart: { firstDelayMs: 1, maxAttempts: 1 } });
    run.onNext = (delivery) => setImmediate(() => delivery.ack());
    await until(() => run.ended !== '', 'the end');
    expect(texts(run).slice(1)).toEqual([`hello from ${folder}`]);
    expect(run.end).toBe('error RXF_EXEC_EXITED');
  });

  it('ends all that the command started when it is left, also what does not want to end', async () => {
    const run = start({
      shell: true,
      command: 'sh -c \'trap "" TERM; echo $$; while :; do sleep 0.05; done\' & echo $!; wait',
    });
    await until(() => run.seen.length === 2, 'both lines');
    const [inner] = texts(run).map(Number) as [number];
    expect(isThere(inner)).toBe(true);
    run.leave();
    await until(() => !isThere(inner), 'the end of what the shell started');
  });

  it('ends what runs when the process exits', async () => {
    const program = `
      import { commandRunner } from '${new URL('../../../src/drivers/node/index.ts', import.meta.url).href}';
      const listener = { output: (bytes) => process.stdout.write(bytes, () => process.exit(0)), errorOutput() {}, exited() {} };
      const line = { command: ['sh', '-c', 'echo $$; sleep 60'], cwd: undefined, env: {}, killAfterMs: 60000 };
      commandRunner().run(line, listener).subscribe();`;
    const pid = Number(
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { encoding: 'utf8' }),
    );
    expect(pid).toBeGreaterThan(1);
    await until(() => !isThere(pid), 'the end of the command');
  });

  it.each([
    [{ command: ['/no/such/program'] }, /Cannot run \/no\/such\/program: .*ENOENT.* give its whole path/],
    [{ command: ['true'], cwd: '/no/such/folder' }, /Its folder \/no\/such\/folder does not exist/],
    [{ command: [tmpdir()] }, /EACCES.*right to execute it/],
    [{ command: ['true', 'x'.repeat(300_000)] }, /Cannot run true: .*E2BIG/],
  ])('says why it cannot start %j', async (options, message) => {
    const run = start(options);
    await until(() => run.ended !== '', 'the end');
    expect(run.error?.code).toBe('RXF_EXEC_START');
    expect(run.error?.message).toMatch(message);
  });

  it('follows a file as `tail -F` does, and drains', async () => {
    const file = join(folder, 'a.log');
    execFileSync('sh', ['-c', `printf 'a\\nb\\n' > ${file}`]);
    const stop$ = new Subject<void>();
    const source = execSource(commandRunner(), { name: 'x', command: ['tail', '-n', '+1', '-F', file] });
    const run = new SourceRun(source, stop$, (delivery) => setImmediate(() => delivery.ack()));
    await until(() => run.seen.length === 2, 'two lines');
    execFileSync('sh', ['-c', `echo c >> ${file}`]);
    await until(() => run.seen.length === 3, 'three lines');
    stop$.next();
    await until(() => run.ended !== '', 'the end');
    expect([run.end, texts(run)]).toEqual(['complete', ['a', 'b', 'c']]);
  });
});

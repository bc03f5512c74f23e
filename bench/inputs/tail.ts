// Lines of a log a CPU second: tailSource, beside `tail -F | cat` as the limit, and rsyslog's imfile where it is installed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compiled } from '../lab/compiled.js';
import type { Result } from '../lab/measure.js';

/** The kernel counts CPU time in hundredths of a second. */
const TICKS = 100;
const LONGEST_MS = 120_000;
const RSYSLOG = '/usr/sbin/rsyslogd';

/** CPU seconds of a process so far. */
function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [user = '0', system = '0'] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return (Number(user) + Number(system)) / TICKS;
}

/** What processes have used once they have read so many bytes, and wait. */
async function usedWhenRead(bytes: number, children: readonly ChildProcess[]): Promise<number> {
  const used = () => children.reduce((sum, { pid }) => sum + cpuSecondsOf(pid as number), 0);
  const read = () => Math.min(...children.map(({ pid }) => bytesReadBy(pid as number)));
  const until = performance.now() + LONGEST_MS;
  for (let before = -1; performance.now() < until; await sleep(500)) {
    const now = used();
    if (read() >= bytes && now === before) return now;
    before = now;
  }
  throw new Error(`${read()} of ${bytes} bytes were read within ${LONGEST_MS / 1_000} s.`);
}

/** How many bytes a process has read so far. */
function bytesReadBy(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0);
}

function end(children: readonly ChildProcess[]): void {
  for (const child of children) child.kill('SIGKILL');
}

async function tailAndCat(log: string): Promise<number> {
  const tail = spawn('tail', ['-n', '+1', '-F', log], { stdio: ['ignore', 'pipe', 'ignore'] });
  const cat = spawn('cat', [], { stdio: [tail.stdout, 'ignore', 'ignore'] });
  try {
    return await usedWhenRead(statSync(log).size, [tail, cat]);
  } finally {
    end([tail, cat]);
  }
}

async function rsyslog(folder: string, log: string): Promise<number> {
  const config = join(folder, 'rsyslog.conf');
  writeFileSync(
    config,
    [
      `global(workDirectory="${folder}")`,
      'module(load="imfile")',
      'template(name="raw" type="string" string="%msg%\\n")',
      `input(type="imfile" file="${log}" tag="bench" ruleset="out")`,
      'ruleset(name="out") { action(type="omfile" file="/dev/null" template="raw") }',
      '',
    ].join('\n'),
  );
  const child = spawn(RSYSLOG, ['-n', '-f', config, '-i', join(folder, 'rsyslog.pid')], { stdio: 'ignore' });
  try {
    return await usedWhenRead(statSync(log).size, [child]);
  } finally {
    end([child]);
  }
}

function rxflume(log: string, lines: number): Result {
  const output = execFileSync(process.execPath, [compiled('inputs/rxflume-tail'), log, String(lines)], {
    encoding: 'utf8',
  });
  return JSON.parse(output.trim().split('\n').at(-1) as string) as Result;
}

async function writeLog(path: string, lines: number, bytes: number): Promise<void> {
  const out = createWriteStream(path);
  const filling = 'x'.repeat(Math.max(0, bytes - 10));
  for (let n = 0; n < lines; n += 1_000) {
    const chunk = Array.from({ length: 1_000 }, (_, at) => `${String(n + at).padStart(9, '0')}${filling}\n`).join('');
    if (!out.write(chunk)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

/** Measures in turn, so often, and prints medians. */
export async function benchTail(options: { readonly lines: number; readonly bytes: number; readonly rounds: number }) {
  const { lines, bytes, rounds } = options;
  const folder = mkdtempSync(join(tmpdir(), 'rxf-bench-tail-'));
  const log = join(folder, 'app.log');
  const found = new Map<string, number[]>();
  const add = (name: string, cpuSeconds: number) => found.set(name, [...(found.get(name) ?? []), lines / cpuSeconds]);
  try {
    await writeLog(log, lines, bytes);
    for (let round = 0; round < rounds; round += 1) {
      add('rxflume', rxflume(log, lines).cpuSeconds);
      add('tail -F | cat', await tailAndCat(log));
      if (existsSync(RSYSLOG)) add('rsyslog imfile', await rsyslog(mkdtempSync(join(folder, 'rsyslog-')), log));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`\n${lines} lines of ${bytes} bytes, medians of ${rounds} rounds, Node ${process.versions.node}\n`);
  console.log('                   lines a CPU second');
  for (const [name, all] of found) {
    const median = all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;
    console.log(`${name.padEnd(16)} ${Math.round(median).toLocaleString('en-US').padStart(20)}`);
  }
}

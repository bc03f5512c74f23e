import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it, jest } from '@jest/globals';
import { type Command, compare, fresh, nameNode, readNumbers, root, runFlow, sleep } from './support.js';

jest.setTimeout(240_000);

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'rxf-tail-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program that logs numbered lines, and keeps its log open until it is told to open it again. */
class Writer {
  readonly #path: string;
  #log: number;
  #timer: NodeJS.Timeout | undefined;
  static count = 0;

  constructor(name: string) {
    this.#path = join(folder, name);
    this.#log = openSync(this.#path, 'a');
    this.resume();
  }

  get path(): string {
    return this.#path;
  }

  resume(): void {
    this.#timer ??= setInterval(() => this.#write(), 10);
  }

  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** As a program does on the signal of logrotate's `postrotate`. */
  reopen(): void {
    closeSync(this.#log);
    this.#log = openSync(this.#path, 'a');
  }

  end(): void {
    this.pause();
    closeSync(this.#log);
  }

  #write(): void {
    let lines = '';
    for (let n = 0; n < 10; n += 1) {
      lines += `${JSON.stringify({ n: Writer.count, text: 'Where is my order? '.repeat(4) })}\n`;
      Writer.count += 1;
    }
    // In two parts: a line may be read before its second half is written.
    writeSync(this.#log, lines.slice(0, 333));
    writeSync(this.#log, lines.slice(333));
  }
}

/** Rotates by the real logrotate, whatever it thinks of the time. */
async function rotate(name: string, how: string): Promise<void> {
  const config = join(folder, `${name}.conf`);
  writeFileSync(config, `${join(folder, name)} {\n  rotate 40\n  missingok\n  ${how}\n}\n`, { mode: 0o600 });
  await run('/usr/sbin/logrotate', ['--force', '--state', join(folder, `${name}.state`), config]);
}

/** Waits until all that the file holds is in the lake, as the position file says. */
async function stored(path: string): Promise<void> {
  const deadline = Date.now() + 60_000;
  const { ino } = statSync(path);
  for (;;) {
    const { size } = statSync(path);
    const { files } = JSON.parse(readFileSync(join(folder, 'state/positions.json'), 'utf8')) as {
      files: { ino: string; offset: number }[];
    };
    if (files.some((file) => file.ino === String(ino) && file.offset === size)) return;
    if (Date.now() > deadline) throw new Error(`${path} of ${size} bytes is not stored: ${JSON.stringify(files)}`);
    await sleep(100);
  }
}

it('stores each line of rotated logs once, through kills of the collector', async () => {
  const lake = `/lake/${fresh('tail')}`;
  const env = { TEST_FOLDER: folder, TEST_ROOT: lake, TEST_HDFS: nameNode };
  let collector: Command | undefined;
  const start = async () => {
    collector = runFlow(`${root}test/live/flows/tailing.ts`, env);
    await collector.until('tail.following');
  };
  const killAfter = async (ms: number) => {
    await sleep(ms);
    collector?.child.kill('SIGKILL');
    await collector?.ended;
  };
  const app = new Writer('app.log');
  const cut = new Writer('cut.log');
  let kills = 0;
  try {
    await start();
    for (let round = 0; round < 4; round += 1) {
      // What was rotated before is compressed now, and so must be stored; `app.log.1` may be read still.
      if (round > 0) await stored(`${app.path}.1`);
      await rotate('app.log', 'create\n  compress\n  delaycompress');
      await sleep(50);
      app.reopen();
      if (round % 2 === 0) {
        await killAfter(100 + 700 * round);
        kills += 1;
        await start();
      }
      cut.pause();
      await stored(cut.path);
      await rotate('cut.log', 'copytruncate');
      if (round % 2 === 1) {
        await killAfter(0);
        kills += 1;
      }
      cut.resume();
      if (round % 2 === 1) await start();
    }
    app.end();
    cut.end();
    await stored(app.path);
    await stored(`${app.path}.1`);
    await stored(cut.path);
  } finally {
    app.pause();
    cut.pause();
    collector?.child.kill('SIGTERM');
    await collector?.ended;
  }
  expect(await collector?.ended).toBe(0);
  const seen = await readNumbers(lake);
  const found = compare(seen, Writer.count);
  console.log(`${Writer.count} lines, ${kills} kills: ${JSON.stringify(found)}`);
  expect(found).toEqual({ missing: [], foreign: 0, repeated: 0 });
  expect(statSync(`${app.path}.4.gz`).size).toBeGreaterThan(0);
});

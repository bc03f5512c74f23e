import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { consoleLog } from '../../src/cli/console-log.js';
import { guardedOutput } from '../../src/cli/guarded-output.js';
import { root } from './child.js';

const folder = mkdtempSync(join(tmpdir(), 'rxflume-gone-'));
const file = join(root, 'test/cli', `.gone-${process.pid}.ts`);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  rmSync(file, { force: true });
});

/** A flow of one message that notices something again and again. */
function flowInto(sink: string, name: string): string {
  return `import { consoleSink, defaultMonitor, fileSink, flow, kafkaSource, text } from 'rxflume';
import { embeddedLog } from 'rxflume/drivers/embedded-log';
import { localDisk } from 'rxflume/drivers/local-disk';
import { stdio } from 'rxflume/drivers/stdio';
void [consoleSink, stdio, fileSink, localDisk, text];
const log = embeddedLog({ folder: '${folder}/${name}/log', topics: ['chat'] });
if ((await log.recordCount('chat')) === 0) await log.append('chat', Array.from({ length: 50 }, (_, n) => 'line ' + n));
setInterval(() => defaultMonitor.logEvent('info', 'tick', 'tick'), 20).unref();
export default flow('gone', kafkaSource(log, { topics: ['chat'], groupId: 'g' }), ${sink});
`;
}

async function run(shell: string, sink: string, name: string): Promise<{ code: number | null; stderr: string }> {
  writeFileSync(file, flowInto(sink, name));
  const command = `${process.execPath} --import tsx src/cli/main.ts run ${file} --until-idle 500`;
  const child = spawn('bash', ['-c', shell.replace('COMMAND', command)], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  let stderr = '';
  child.stderr.on('data', (piece) => {
    stderr += String(piece);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

describe('an output that is gone', () => {
  it.each([
    ['a reader that has left', 'set -o pipefail; COMMAND | head -1 >/dev/null'],
    ['a full disk', 'COMMAND >/dev/full'],
    ['a closed one', 'COMMAND >&-'],
  ])(
    'does not stop a flow where it is the log: %s',
    async (what, shell) => {
      const name = what.replaceAll(' ', '-');
      const sink = `fileSink(localDisk(), { root: '${folder}/${name}/lake', format: text() }).write()`;
      const { code, stderr } = await run(shell, sink, name);
      expect([code, stderr]).toEqual([0, expect.stringMatching(/standard output is gone|^$/)]);
      const lake = `${folder}/${name}/lake`;
      const stored = readdirSync(lake, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.txt'));
      expect(stored.map((path) => readFileSync(join(lake, path), 'utf8').split('\n').length - 1)).toEqual([50]);
    },
    60_000,
  );

  it('fails a flow where it is the sink, and says so on standard error', async () => {
    const { code, stderr } = await run('COMMAND >/dev/full', 'consoleSink(stdio()).write()', 'sink');
    expect([code, stderr]).toEqual([1, expect.stringContaining('RXF_CONSOLE_CLOSED')]);
    expect(stderr).not.toContain('    at ');
  }, 60_000);

  it('is said once, and what comes then goes to the other one', () => {
    const instead: string[] = [];
    const heard: ((error: Error) => void)[] = [];
    const why: string[] = [];
    const throwing = {
      on: (_: string, listener: (error: Error) => void) => heard.push(listener),
      write: () => {
        throw new Error('write ENOSPC');
      },
    };
    const out = guardedOutput(throwing, { write: (text) => instead.push(text) }, (reason) => why.push(reason));
    out.write('a');
    out.write('b');
    heard[0]?.(new Error('write EPIPE'));
    expect([instead, why]).toEqual([['a', 'b'], ['write ENOSPC']]);
  });

  it('takes details that have no JSON text', () => {
    const said: string[] = [];
    const log = consoleLog({ write: (text) => said.push(text) }, () => new Date(0));
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    log.say('warn', 'a', 'big', { offset: 1n });
    log.say('warn', 'b', 'round', { cycle });
    expect(said.map((line) => JSON.parse(line) as object)).toMatchObject([
      { offset: '1' },
      { what: 'b', message: 'round' },
    ]);
  });

  it('says to a terminal only what it shows', () => {
    const said: string[] = [];
    const log = consoleLog({ isTTY: true, write: (text) => said.push(text) }, () => new Date(0));
    log.say('error', 'x', 'a\u001b[2Jb');
    expect(said.join('')).toContain('a\\x1b[2Jb');
  });
});

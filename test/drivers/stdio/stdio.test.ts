import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { from, lastValueFrom } from 'rxjs';
import { stdio } from '../../../src/drivers/stdio/index.js';
import { outputTo } from '../../../src/drivers/stdio/stdio.js';

const write = (stream: Writable, text: string) =>
  lastValueFrom(from(outputTo('test', stream).write(text)), { defaultValue: undefined });

describe('stdio', () => {
  it.each([true, false, undefined])('is a terminal where the stream says so: %s', (isTTY) => {
    const output = outputTo('test', Object.assign(new Writable(), { isTTY }));
    expect(output.isTerminal).toBe(isTTY === true);
  });

  it('completes when the stream has taken the text, not before', async () => {
    let take: (() => void) | undefined;
    const stream = new Writable({
      write: (_piece, _encoding, done) => {
        take = done;
      },
    });
    let isDone = false;
    const writing = write(stream, 'a').then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(isDone).toBe(false);
    take?.();
    await writing;
    expect(stream.listenerCount('error')).toBe(0);
  });

  it('says what failed, and the program lives', async () => {
    const stream = new Writable({ write: (_piece, _encoding, done) => done(new Error('write EPIPE')) });
    await expect(write(stream, 'a')).rejects.toMatchObject({
      code: 'RXF_CONSOLE_CLOSED',
      message: 'Cannot write to test: write EPIPE. Nobody reads it any more.',
    });
    await expect(write(stream, 'b')).rejects.toMatchObject({ code: 'RXF_CONSOLE_CLOSED' });
  });

  it('a program whose reader has gone ends with that error, and not by it', async () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    const code = `
      import { stdio } from './src/drivers/stdio/index.ts';
      const out = stdio();
      const next = (n) => out.write('line '.repeat(2_000) + '\\n').subscribe({
        complete: () => setTimeout(() => next(n + 1), 1),
        error: (error) => { process.stderr.write(error.code); process.exitCode = 7; },
      });
      next(0);`;
    const options = ['--import', 'tsx', '--input-type=module', '--eval', code];
    const child = spawn(process.execPath, options, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stderr.on('data', (piece) => {
      said += String(piece);
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect([status, said]).toEqual([7, 'RXF_CONSOLE_CLOSED']);
  }, 30_000);

  it('rejects wrong options', () => {
    expect(() => stdio({ stream: 'stdin' as never })).toThrow("one of 'stdout', 'stderr'");
    expect(stdio({ stream: 'stderr' }).name).toBe('stderr');
  });
});

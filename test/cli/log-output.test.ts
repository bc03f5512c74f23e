import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { consoleLog } from '../../src/cli/console-log.js';
import { guardedOutput } from '../../src/cli/guarded-output.js';
import { logOutput, MAX_WAITING_BYTES } from '../../src/cli/log-output.js';

/** A pipe whose reader takes one write at each `read`. */
function slowPipe() {
  const read: string[] = [];
  let next: (() => void) | undefined;
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk, _, done) => {
      read.push(String(chunk));
      next = done;
    },
  });
  return {
    stream,
    read,
    readOn: async () => {
      while (next !== undefined) {
        const done = next;
        next = undefined;
        done();
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
  };
}

const nowhere = { write: () => undefined };
const LINE = `${'x'.repeat(999)}\n`;

describe('a log whose reader is slower than what is said', () => {
  it('waits in bounded memory: the rest is dropped until all that waits was read, and then it is said how much', async () => {
    const pipe = slowPipe();
    const dropped: number[] = [];
    const out = logOutput(
      guardedOutput(pipe.stream, nowhere, () => undefined),
      (count) => {
        dropped.push(count);
        out.write(`dropped ${count}\n`);
      },
    );
    for (let line = 0; line < 5_000; line += 1) out.write(LINE);
    expect(pipe.stream.writableLength).toBeLessThan(MAX_WAITING_BYTES + LINE.length);
    expect(dropped).toEqual([]);
    await pipe.readOn();
    const kept = pipe.read.filter((text) => text === LINE).length;
    expect(kept * LINE.length).toBeGreaterThanOrEqual(MAX_WAITING_BYTES);
    expect([dropped, pipe.read.at(-1)]).toEqual([[5_000 - kept], `dropped ${5_000 - kept}\n`]);
    out.write('later\n');
    await pipe.readOn();
    expect(pipe.read.at(-1)).toBe('later\n');
  });

  it('says so in the form of the log', async () => {
    const pipe = slowPipe();
    const log = consoleLog(
      logOutput(
        guardedOutput(pipe.stream, nowhere, () => undefined),
        (count) => log.say('warn', 'log.dropped', 'dropped', { count }),
      ),
      () => new Date(0),
    );
    for (let line = 0; line < 3_000; line += 1) log.say('info', 'tick', LINE);
    await pipe.readOn();
    expect(JSON.parse(pipe.read.at(-1) as string)).toMatchObject({
      what: 'log.dropped',
      count: 3_001 - pipe.read.length,
    });
  });

  it('drops nothing any more where it is gone: all is said to the other one', () => {
    const pipe = slowPipe();
    const instead: string[] = [];
    const out = logOutput(
      guardedOutput(pipe.stream, { write: (text) => instead.push(text) }, () => undefined),
      (count) => out.write(`dropped ${count}\n`),
    );
    for (let line = 0; line < 2_000; line += 1) out.write(LINE);
    pipe.stream.emit('error', new Error('write EPIPE'));
    out.write('a\n');
    out.write('b\n');
    expect(instead).toEqual([expect.stringMatching(/^dropped \d+\n$/), 'a\n', 'b\n']);
  });
});

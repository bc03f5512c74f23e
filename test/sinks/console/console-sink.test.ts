import { describe, expect, it } from '@jest/globals';
import { Observable, timer } from 'rxjs';
import { SinkError } from '../../../src/core/errors.js';
import { shownText } from '../../../src/core/text.js';
import type { TextOutput } from '../../../src/ports/text-output.js';
import { consoleSink } from '../../../src/sinks/console/console-sink.js';
import type { ConsoleSinkOptions } from '../../../src/sinks/console/options.js';
import { describeSink } from '../../../src/testing/describe-sink.js';
import { RecordingAcker } from '../../../src/testing/recording-acker.js';
import { SinkRun } from '../../support/sink-run.js';
import { inVirtualTime } from '../../support/virtual-time.js';

/** Takes so long for each write. */
function slow(takesMs: number) {
  const output = { name: 'test', written: [] as string[], underWay: 0, most: 0 };
  const write = (text: string) =>
    new Observable((subscriber) => {
      output.written.push(text);
      output.underWay += 1;
      output.most = Math.max(output.most, output.underWay);
      return timer(takesMs).subscribe(() => {
        output.underWay -= 1;
        subscriber.complete();
      });
    });
  return Object.assign(output, { write });
}

const start = <T>(output: TextOutput, options: ConsoleSinkOptions<T> = {}) =>
  new SinkRun<T>(consoleSink<T>(output, options).write());

describeSink('the console sink', { sink: () => consoleSink(slow(2)).write(), value: (n) => ({ n }), it });
describeSink('the console sink, where writing takes no time', {
  sink: () => consoleSink({ name: 'test', write: () => [] }).write(),
  value: (n) => ({ n }),
  it,
});

describe('consoleSink', () => {
  it.each<[string, NonNullable<ConsoleSinkOptions<unknown>['encode']>, unknown]>([
    ['inspect', 'inspect', { a: '\u001b[2J\u202e' }],
    ['json', 'json', { '\u009b2J': '\u001b[2J' }],
    ['a function', (value) => `\u001b]0;${value}\u0007`, 'owned'],
  ])('escapes what a terminal would obey, and leaves it as it is for a pipe, with %s', (_, encode, value) =>
    inVirtualTime((at) => {
      const outputs = [true, false].map((isTerminal) => Object.assign(slow(1), { isTerminal }));
      const runs = outputs.map((output) => {
        const run = start<unknown>(output, { encode });
        run.put(value);
        return run;
      });
      at(5, () => {
        const [terminal = '', pipe = ''] = outputs.map(({ written }) => written.join(''));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
        expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/.test(terminal)).toBe(false);
        expect(terminal).toBe(`${shownText(pipe.slice(0, -1))}\n`);
        for (const run of runs) run.leave();
      });
    }),
  );

  it('writes a line a value, one write after the other, and acks when it is written', () =>
    inVirtualTime((at) => {
      const output = slow(10);
      const run = start<string>(output, { encode: 'json' });
      run.put('a');
      run.put('b');
      run.put('c');
      at(9, () => expect(run.acker.acks).toEqual([]));
      at(11, () => {
        expect(output.written).toEqual(['"a"\n', '"b"\n"c"\n']);
        expect(run.acker.acks).toEqual(['a']);
      });
      at(21, () => {
        expect(run.acker.acks).toEqual(['a', 'b', 'c']);
        expect(output.most).toBe(1);
        const range = { stream: 'test:0', firstOffset: 1, lastOffset: 2 };
        expect(run.receipts[1]).toEqual({ sink: 'console', target: 'test', values: 2, bytes: 8, ...range });
        run.leave();
      });
    }));

  it('bounds a write, also by its stream, and keeps the order', () =>
    inVirtualTime((at) => {
      const output = slow(1);
      const run = start<string>(output, { encode: (text) => text });
      const other = new RecordingAcker('test:1');
      run.put('first');
      for (const letter of 'abcd') run.put(letter.repeat(30_000));
      run.put('x', {}, other);
      at(20, () => {
        expect(output.written.map((text) => [text.length, text[0]])).toEqual([
          [6, 'f'],
          [60_002, 'a'],
          [60_002, 'c'],
          [2, 'x'],
        ]);
        expect(run.receipts.map(({ stream }) => stream)).toEqual(['test:0', 'test:0', 'test:0', 'test:1']);
        run.leave();
      });
    }));

  it('shows values as Node does, bytes as text, and lets no control character through', () =>
    inVirtualTime((at) => {
      const output = slow(1);
      const run = start<unknown>(output);
      const hostile = '\u001b[2J\nsecond line';
      for (const value of [hostile, { text: hostile }, Buffer.from(hostile), undefined, 5n]) run.put(value);
      at(10, () => {
        const lines = output.written.join('').split('\n');
        expect(lines).toEqual([
          "'\\x1B[2J\\nsecond line'",
          "{ text: '\\x1B[2J\\nsecond line' }",
          "'\\x1B[2J\\nsecond line'",
          'undefined',
          '5n',
          '',
        ]);
        run.leave();
      });
    }));

  it('nacks alone what its format throws for', () =>
    inVirtualTime((at) => {
      const run = start<unknown>(slow(1), { encode: 'json' });
      run.put('a');
      run.put(undefined);
      run.put('c');
      at(10, () => {
        expect(run.acker.acks).toEqual(['a', 'c']);
        expect(run.acker.causes.undefined).toMatchObject({ code: 'RXF_SINK_FORMAT' });
        run.leave();
      });
    }));

  it('nacks what a write that failed had, with its error, and goes on', () =>
    inVirtualTime((at) => {
      let failures = 0;
      const output: TextOutput = {
        name: 'test',
        write: () =>
          new Observable((subscriber) => {
            failures += 1;
            if (failures === 1) subscriber.error(new SinkError('RXF_CONSOLE_CLOSED', 'Cannot write to test: EPIPE.'));
            else subscriber.complete();
          }),
      };
      const run = start<string>(output);
      run.put('a');
      run.put('b');
      at(1, () => {
        expect(run.acker.log).toEqual(['nack a', 'ack b']);
        expect(run.acker.causes.a).toMatchObject({ code: 'RXF_CONSOLE_CLOSED', retryable: false });
        run.leave();
      });
    }));

  it('rejects wrong options', () => {
    expect(() => consoleSink({} as never)).toThrow('Expected `output.write` to be a function');
    expect(() => consoleSink(slow(1), { encode: 'yaml' as never })).toThrow("one of 'inspect', 'json'");
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { describeError, describeValue, SinkError } from '../../src/core/errors.js';
import { Monitor } from '../../src/core/monitor.js';
import { shownText } from '../../src/core/text.js';
import { json } from '../../src/formats/json.js';

const HOSTILE = '\u001b]0;owned\u0007\u001b[2J\u001b]52;c;cm0gLXJmIH4=\u0007\u009b2J\u202egpj.exe\r\u0000\ud800';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

describe('shownText', () => {
  it.each([
    ['\u001b[2J', '\\x1b[2J'],
    ['a\u0000b\u0007\u007f', 'a\\x00b\\x07\\x7f'],
    ['\u009b31m', '\\x9b31m'],
    ['\rover', '\\x0dover'],
    ['\u202eexe', '\\u202eexe'],
    ['\u2066x\u2069\u200f', '\\u2066x\\u2069\\u200f'],
    ['one\u2028two', 'one\\u2028two'],
    ['half \ud83d', 'half \\ud83d'],
  ])('shows %j as %j', (text, shown) => expect(shownText(text)).toBe(shown));

  it.each(['two\nlines\tand a tab', '中文 émoji 👩‍👩‍👧 שלום مرحبا', ''])('leaves %j as it is', (text) =>
    expect(shownText(text)).toBe(text),
  );

  it('leaves nothing that a terminal obeys, in any text, and is the same when applied twice', () =>
    fc.assert(
      fc.property(fc.string({ unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE)) }), (text) => {
        const shown = shownText(text);
        expect(OBEYED.test(shown)).toBe(false);
        expect(shownText(shown)).toBe(shown);
      }),
    ));
});

describe('what a record says reaches no terminal', () => {
  it.each<[string, () => string]>([
    ['the message of an error of ours', () => new SinkError('RXF_SINK_WRITE', HOSTILE).message],
    ['its stack', () => String(new SinkError('RXF_SINK_WRITE', HOSTILE).stack)],
    ['a foreign error described', () => describeError(new Error(HOSTILE))],
    ['a foreign error whose name is hostile', () => describeError(Object.assign(new Error(''), { name: HOSTILE }))],
    ['a thrown text', () => describeError(HOSTILE)],
    ['a value described', () => describeValue(HOSTILE)],
    ['an object that names itself', () => describeValue({ [Symbol.toStringTag]: HOSTILE })],
    ['a symbol', () => describeValue(Symbol(HOSTILE))],
    ['the refusal of what is no JSON', () => thrownBy(() => json()(Buffer.from(HOSTILE)))],
    ['a notice', () => logEventOf(HOSTILE)],
  ])('%s', (_, textOf) => {
    expect(OBEYED.test(textOf().replaceAll('\n', ' '))).toBe(false);
  });
});

function thrownBy(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

function logEventOf(text: string): string {
  const monitor = new Monitor();
  let seen = '';
  monitor.logEvents$.subscribe(({ message }) => {
    seen = message;
  });
  monitor.logEvent('warn', 'x', text);
  return seen;
}

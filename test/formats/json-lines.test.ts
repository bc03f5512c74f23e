import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError, OptionError, SinkError } from '../../src/core/errors.js';
import { jsonText } from '../../src/core/json-text.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { rawJson } from '../../src/formats/raw-json.js';

const textOf = (chunk: Uint8Array) => Buffer.from(chunk).toString('utf8');

describe('jsonLines', () => {
  it('writes a JSON text a line, in UTF-8', () => {
    const encoder = jsonLines().encoder();
    for (const value of [{ a: '中文 😀' }, 'two\nlines', null, 1.5, [true]]) encoder.add(value);
    expect(textOf(encoder.take())).toBe('{"a":"中文 😀"}\n"two\\nlines"\nnull\n1.5\n[true]\n');
  });

  it('writes null, empty objects, dates, a toJSON and half a surrogate pair as they are', () => {
    const encoder = jsonLines().encoder();
    const values = [{ a: null, b: {}, c: undefined }, new Date(0), { toJSON: () => null }, ['null{}'], '\ud800'];
    for (const value of values) encoder.add(value);
    expect(textOf(encoder.take())).toBe('{"a":null,"b":{}}\n"1970-01-01T00:00:00.000Z"\nnull\n["null{}"]\n"\\ud800"\n');
  });

  it('starts anew after a chunk is taken; an empty chunk has no bytes', () => {
    const encoder = jsonLines().encoder();
    expect(encoder.take().length).toBe(0);
    encoder.add(1);
    expect([textOf(encoder.take()), encoder.take().length]).toEqual(['1\n', 0]);
  });

  it('has an encoder of its own for each file', () => {
    const format = jsonLines();
    const [one, other] = [format.encoder(), format.encoder()];
    one.add('one');
    expect(other.take().length).toBe(0);
  });

  it.each<[string, () => unknown]>([
    ['undefined', () => undefined],
    ['function', () => () => 1],
    ['symbol', () => Symbol('s')],
    ['NaN', () => ({ a: [1, Number.NaN] })],
    ['Infinity', () => Number.POSITIVE_INFINITY],
    ['-Infinity', () => [{ a: Number.NEGATIVE_INFINITY }]],
    ['a Map', () => ({ a: new Map([[1, 2]]) })],
    ['a Set', () => new Set([1])],
    ['an invalid date', () => ({ at: new Date(Number.NaN) })],
    ['undefined in an array', () => [undefined]],
    ['a hole in an array', () => new Array(1)],
    ['a function in an array', () => ({ a: [() => 1] })],
    [
      'cycle',
      () => {
        const cycle: Record<string, unknown> = {};
        cycle.self = cycle;
        return cycle;
      },
    ],
    [
      'toJSON that throws',
      () => ({
        toJSON() {
          throw new Error('not me');
        },
      }),
    ],
  ])('rejects %s, and adds nothing', (_, make) => {
    const encoder = jsonLines().encoder();
    encoder.add('before');
    const call = () => encoder.add(make());
    expect(call).toThrow(SinkError);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
    encoder.add('after');
    expect(textOf(encoder.take())).toBe('"before"\n"after"\n');
  });

  it('gives each value back from its line, whatever the chunks; its size is at least a third of the bytes', () => {
    const values = fc.array(fc.jsonValue({ stringUnit: 'binary' }), { maxLength: 20 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 50 }), (all, limit) => {
        const encoder = jsonLines().encoder();
        const chunks: string[] = [];
        let isSizeWrong = false;
        const take = (size: number) => {
          const chunk = encoder.take();
          isSizeWrong ||= size > chunk.length || size * 3 < chunk.length;
          chunks.push(textOf(chunk));
        };
        let size = 0;
        for (const value of all) {
          size = encoder.add(value);
          if (size < limit) continue;
          take(size);
          size = 0;
        }
        take(size);
        const lines = chunks.join('').split('\n');
        expect([lines.pop(), isSizeWrong]).toEqual(['', false]);
        expect(lines).toEqual(all.map((value) => JSON.stringify(value)));
      }),
      { numRuns: 200 },
    );
  });

  it('names its files by the compression too', () => {
    expect([jsonLines().extension, jsonLines({ compression: 'gzip' }).extension]).toEqual(['jsonl', 'jsonl.gz']);
    expect(jsonLines().compression.name).toBe('none');
  });

  it('rejects wrong options', () => {
    const call = (options: unknown) => () => jsonLines(options as never);
    expect(call({ compression: 'zip' })).toThrow(
      "Expected `compression` to be one of 'none', 'gzip', 'deflate', 'snappy', 'zstd', got `\"zip\"` (string).",
    );
    expect(call({ compression: null })).toThrow('got `null` (null).');
    expect(call({ gzip: true })).toThrow(
      'Expected `jsonLines options` to have only known options (compression, compressionLevel), got `gzip`.',
    );
    expect(call(null)).toThrow(OptionError);
  });
});

describe('rawJson', () => {
  const lineOf = (input: Uint8Array | string) => {
    const encoder = jsonLines().encoder();
    encoder.add(rawJson(undefined, { numbers: 'rounded' })(input));
    return textOf(encoder.take());
  };

  it('is a value, and the line that came: digits, order, repeated names, escapes and spaces', () => {
    const text = '{ "b": 1.50, "a": 12345678901234567890, "b": -0, "c": "\\u00e9é\\n\\/" }';
    expect(rawJson(undefined, { numbers: 'rounded' })(text).value).toEqual({
      b: -0,
      a: Number('12345678901234567890'),
      c: 'éé\n/',
    });
    expect([lineOf(text), lineOf(Buffer.from(text))]).toEqual([`${text}\n`, `${text}\n`]);
  });

  it('is one line, without a mark, whatever is between and around its values', () => {
    expect(lineOf('\ufeff{\r\n  "a b": [1,\t2],\n "c": " \\" \\\\" }\n')).toBe('{"a b":[1,2],"c":" \\" \\\\"}\n');
    expect(lineOf(Buffer.from('\ufeff[ 1 ] \r\n\n'))).toBe('[ 1 ]\n');
    expect(lineOf('"\ud800x"')).toBe('"\\ud800x"\n');
    expect(lineOf(new Uint8Array(Buffer.from('xx{}')).subarray(2))).toBe('{}\n');
  });

  it('is not written where the value is another, and is the value within another', () => {
    const raw = rawJson()('{"a":1.0}');
    const encoder = jsonLines<unknown>().encoder();
    const sizes = [{ ...(raw.value as object) }, raw, { raw }, raw, 'x'].map((value) => encoder.add(value));
    const file = '{"a":1}\n{"a":1.0}\n{"raw":{"a":1}}\n{"a":1.0}\n"x"\n';
    expect([textOf(encoder.take()), sizes.at(-1), encoder.take().length]).toEqual([file, file.length, 0]);
    encoder.add('next');
    expect(textOf(encoder.take())).toBe('"next"\n');
    expect([jsonText(raw), JSON.stringify(raw)]).toEqual(['{"a":1.0}', '{"a":1}']);
  });

  it.each<[string, Uint8Array | string | null]>([
    ['RXF_DECODE_EMPTY', null],
    ['RXF_DECODE_EMPTY', ''],
    ['RXF_DECODE_SYNTAX', '{"a":"\n"}'],
    ['RXF_DECODE_SYNTAX', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['RXF_DECODE_INEXACT', '12345678901234567890'],
  ])('rejects with %s what `json` rejects: %p', (code, input) => {
    const call = () => rawJson()(input);
    expect(call).toThrow(DecodeError);
    expect(call).toThrow(expect.objectContaining({ code }));
  });

  it('is the same value in one line, whatever the white space; and the same bytes where that has no line breaks', () => {
    const white = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r', ''), maxLength: 3 });
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.array(white, { minLength: 1, maxLength: 9 }),
        (value, whites) => {
          let at = 0;
          const between = () => whites[at++ % whites.length] as string;
          // Strings are left as they are: a token, or a mark between two.
          const tokens = JSON.stringify(value).match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^"[\]{},:]+/gsu) as string[];
          const text = between() + tokens.map((token) => token + between()).join('');
          const bytes = Buffer.from(text);
          const line = lineOf(bytes);
          expect([line.indexOf('\n'), line.includes('\r')]).toEqual([line.length - 1, false]);
          expect(JSON.stringify(JSON.parse(line))).toBe(JSON.stringify(JSON.parse(text)));
          if (!/[\r\n]/.test(text)) expect(line).toBe(`${text.replace(/[ \t]+$/, '')}\n`);
          expect(lineOf(text)).toBe(line);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of text cut off or with bytes changed, is rejected, or still the line of its value', () => {
    const change = fc.record({ at: fc.nat(200), byte: fc.nat(255), cut: fc.nat(200) });
    fc.assert(
      fc.property(
        fc.jsonValue({ stringUnit: 'binary' }),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (value, changes) => {
          const bytes = Buffer.from(JSON.stringify({ value }, null, 1));
          for (const { at, byte } of changes) if (at < bytes.length) bytes[at] = byte;
          const damaged = bytes.subarray(0, (changes[0]?.cut ?? 0) > 100 ? changes[0]?.cut : bytes.length);
          let line: string | undefined;
          try {
            line = lineOf(damaged);
          } catch (error) {
            expect(error).toBeInstanceOf(DecodeError);
          }
          if (line === undefined) return;
          expect(line.indexOf('\n')).toBe(line.length - 1);
          expect(JSON.stringify(JSON.parse(line))).toBe(JSON.stringify(JSON.parse(damaged.toString())));
        },
      ),
      { numRuns: 300 },
    );
  });
});

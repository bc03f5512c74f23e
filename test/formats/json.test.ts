import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as t from 'io-ts';
import { z } from 'zod';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { json } from '../../src/formats/json.js';
import { jsonLines } from '../../src/formats/json-lines.js';

function rejection(read: () => unknown): { code: string; message: string } {
  try {
    read();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  return { code: '', message: '' };
}

describe('json', () => {
  it('reads bytes and text, in UTF-8', () => {
    const value = { a: ['é😀', 1, null] };
    const bytes = Buffer.from(`xx${JSON.stringify(value)}`);
    expect(json()(JSON.stringify(value))).toEqual(value);
    expect(json()(bytes.subarray(2))).toEqual(value);
    expect(json()(new Uint8Array(bytes).subarray(2))).toEqual(value);
    expect(json()('null')).toBe(null);
  });

  it.each([[null], [undefined], [''], [Buffer.alloc(0)]])('rejects %p as no value', (value) => {
    expect(rejection(() => json()(value as null))).toMatchObject({ code: 'RXF_DECODE_EMPTY' });
  });

  it.each(['{', 'undefined', '{"a":1}}', ' '])('rejects %j as no JSON, and shows its start', (value) => {
    const { code, message } = rejection(() => json()(value));
    expect(code).toBe('RXF_DECODE_SYNTAX');
    expect(message).toContain(`it starts with ${JSON.stringify(value)}.`);
  });

  it('shows no more than the start of what is long, on one line, and keeps the cause', () => {
    const error = rejection(() => json()(`[1,\n${'x'.repeat(5_000)}`)) as DecodeError;
    expect(error.message.length).toBeLessThan(250);
    expect(error.message).not.toContain('\n');
    expect(error.cause).toMatchObject({ name: 'SyntaxError' });
    expect(error.details).toEqual({ length: 5_004 });
  });

  it('reads by a schema of any of the three forms', () => {
    const schemas = [
      t.type({ n: t.number }),
      z.object({ n: z.number() }),
      (value: unknown) => {
        if (typeof (value as { n: unknown }).n !== 'number')
          throw new DecodeError('RXF_DECODE_SHAPE', '`n` is no number.');
        return value as { n: number };
      },
    ];
    for (const schema of schemas) {
      const read = json<{ n: number }>(schema as z.ZodType<{ n: number }>);
      expect(read('{"n":1}')).toEqual({ n: 1 });
      expect(rejection(() => read('{"n":"x"}'))).toMatchObject({ code: 'RXF_DECODE_SHAPE' });
      expect(rejection(() => read('{'))).toMatchObject({ code: 'RXF_DECODE_SYNTAX' });
    }
  });

  it('rejects at the call a schema that is none', () => {
    expect(() => json({} as never)).toThrow(OptionError);
    expect(() => json(null as never)).toThrow('Expected `decoder` to be a function');
  });

  it.each([
    ['9223372036854775488', 0, '$'],
    ['[1,9007199254740993]', 3, '$[1]'],
    ['{"a":"1e400","b":1e400}', 17, '$.b'],
    ['{"a\\\\":"\\"", "b": -1e-400}', 18, '$.b'],
    ['0.1000000000000000055511151231257827', 0, '$'],
    ['[1.0000000000000000000001]', 1, '$[0]'],
    ['{"é":["中文",{"a b":2.00000000000000001e0}]}', 18, '$["é"][1]["a b"]'],
    ['{"order":{"items":[{},{"id":[1]},{"x":1e1,"id":-1e999}]}}', 47, '$.order.items[2].id'],
    [`${'['.repeat(70)}1e400${']'.repeat(70)}`, 70, `$${'[0]'.repeat(70)}`.slice(0, 200)],
  ])('rejects %j, a number that a double does not hold, and names it', (text, offset, path) => {
    const error = rejection(() => json()(text)) as DecodeError;
    expect(error.code).toBe('RXF_DECODE_INEXACT');
    expect(error.message).toContain(`of \`${path}`);
    expect(error.message).toContain(`at character ${offset},`);
    expect(error.message).toContain("`numbers: 'rounded'`");
    expect(error.details).toMatchObject({ offset });
    expect(json(undefined, { numbers: 'rounded' })(text)).toEqual(JSON.parse(text));
  });

  it.each([
    '1.0',
    '1e3',
    '1E+3',
    '0.1',
    '9007199254740992',
    '1234567890123456.5',
    '5e-324',
    '1.7976931348623157e308',
    '0e999',
    '0.00000000000000000000',
    '123456789012345680000',
    '{"id":"12345678901234567890","hex":"3e400","t":"\\"1e400"}',
  ])('reads %s, which is held', (text) => {
    expect(json()(text)).toEqual(JSON.parse(text));
  });

  it('bounds what it shows of a path and of a number, and escapes what a terminal would obey', () => {
    const name = `\u202e${'n'.repeat(100_000)}`;
    const error = rejection(() => json()(`{"${name}":{"\u202e":[${'9'.repeat(100_000)}]}}`)) as DecodeError;
    expect(error.message.length).toBeLessThan(500);
    expect(error.message).toContain('nn…"]["\\u202e"][0]`');
    expect(JSON.stringify(error.details).length).toBeLessThan(500);
  });

  it('names the position of what is no JSON, where the engine gives it', () => {
    expect(rejection(() => json()('{"a":[1,{"b":1x}]}')).message).toContain('in `$.a[1].b`');
    expect(rejection(() => json()('{"a":[1,{"b":')).message).toContain('Not JSON: ');
  });

  it('finds such a number wherever it is, and in whatever text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string({ unit: 'grapheme' }),
      fc.stringMatching(/^[0-9.: ,eE+-]{0,40}$/),
    );
    const number = fc.constantFrom(
      '9007199254740993',
      '-1.0000000000000000001',
      '1e400',
      '-1E-0400',
      '0.1e-999',
      '90071992547409931e-1',
    );
    const others = fc.array(
      fc.oneof(
        text.map((one) => JSON.stringify(one)),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(others, number, others, fc.nat(20), fc.boolean(), (before, wrong, after, depth, isMarked) => {
        const open = (middle: readonly string[]) =>
          `${isMarked ? '\ufeff' : ''}${'['.repeat(depth)}[${middle.join(', ')}]${']'.repeat(depth)}`;
        const bytes = Buffer.from(open([...before, wrong, ...after]));
        expect(rejection(() => json()(bytes))).toMatchObject({
          code: 'RXF_DECODE_INEXACT',
          details: { number: wrong, path: `$${'[0]'.repeat(depth)}[${before.length}]` },
        });
        const fine = open([...before, ...after]);
        expect(json()(Buffer.from(fine))).toEqual(JSON.parse(fine.replace('\ufeff', '')));
      }),
      { numRuns: 500 },
    );
  });

  it('finds such a number among many of as many digits, in a text as JSON.stringify writes it and in another', () => {
    const held = fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number));
    const wrong = fc.constantFrom(
      '9007199254740993',
      '-1.0000000000000000001',
      '1e400',
      '0.30000000000000001',
      '1E-0400',
    );
    const space = fc.constantFrom('', ' ', '\n');
    fc.assert(
      fc.property(
        fc.array(held, { minLength: 3, maxLength: 30 }),
        fc.nat(29),
        wrong,
        space,
        (numbers, at, bad, gap) => {
          const fine = `{"a":[${numbers.join(`,${gap}`)}]}`;
          expect(json()(Buffer.from(fine))).toEqual(JSON.parse(fine));
          const all = [...numbers.slice(0, at), bad, ...numbers.slice(at)];
          const text = `{"a":[${all.join(`,${gap}`)}]}`;
          expect(rejection(() => json()(Buffer.from(text)))).toMatchObject({
            code: 'RXF_DECODE_INEXACT',
            details: { number: bad, path: `$.a[${Math.min(at, numbers.length)}]` },
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('reads many numbers of many digits below any depth', () => {
    const deep = (number: string) => `${`[${number},`.repeat(20_000)}1${']'.repeat(20_000)}`;
    expect(json()(deep('0.1234567890123456'))).toHaveLength(2);
    expect(rejection(() => json()(deep('9007199254740993'))).code).toBe('RXF_DECODE_INEXACT');
  });

  it('rejects bytes that are not UTF-8 and says where; U+FFFD itself is read', () => {
    const error = rejection(() => json()(Buffer.from('{"a":"\xc4\xe3"}', 'latin1'))) as DecodeError;
    expect(error).toMatchObject({ code: 'RXF_DECODE_SYNTAX', details: { path: '$.a', offset: 6, length: 10 } });
    expect(error.message).toContain('c4e3227d');
    expect(json()(Buffer.from('"\ufffd"'))).toBe('\ufffd');
    expect(rejection(() => json()(Buffer.from('"\ufffd\xc4"', 'latin1'))).code).toBe('RXF_DECODE_SYNTAX');
  });

  it('skips one byte order mark', () => {
    expect([json()('\ufeff{}'), json()(Buffer.from('\ufeff[1]'))]).toEqual([{}, [1]]);
    expect(rejection(() => json()('\ufeff\ufeff{}')).code).toBe('RXF_DECODE_SYNTAX');
    expect(rejection(() => json()(Buffer.from('\ufeff9007199254740993'))).code).toBe('RXF_DECODE_INEXACT');
  });

  it('keeps a field named __proto__ on its way into lines', () => {
    const encoder = jsonLines().encoder();
    encoder.add(json()('{"__proto__":{"a":1}}'));
    expect(Buffer.from(encoder.take()).toString()).toBe('{"__proto__":{"a":1}}\n');
  });

  it('gives each number back with its value, or rejects it', () => {
    const digits = fc.stringMatching(/^(0|[1-9][0-9]{0,25})$/);
    const number = fc
      .tuple(
        fc.boolean(),
        digits,
        fc.stringMatching(/^(\.[0-9]{1,25})?$/),
        fc.stringMatching(/^([eE][+-]?[0-9]{1,3})?$/),
      )
      .map(([isNegative, ...parts]) => `${isNegative ? '-' : ''}${parts.join('')}`);
    const held = fc.double({ noNaN: true, noDefaultInfinity: true }).map(String);
    fc.assert(
      fc.property(fc.oneof(number, held), fc.string(), (text, other) => {
        const read = () => json()(`{${JSON.stringify(other)}:[${text}]}`);
        const back = String(Number(text));
        if (Number.isFinite(Number(text)) && isSame(text, back))
          expect(read()).toEqual(JSON.parse(`{${JSON.stringify(other)}:[${text}]}`));
        else expect(rejection(read).code).toBe('RXF_DECODE_INEXACT');
      }),
      { numRuns: 500 },
    );
  });

  it('reads large integers as BigInt where asked to, and all else as without', () => {
    const read = json(undefined, { numbers: 'bigint' });
    const text =
      ' {"a" : [9223372036854775488, -9007199254740992, 9007199254740991, 1.5, "1e400\\"", true, null, {}, []], "b":false}';
    const big = [9223372036854775488n, -9007199254740992n, 9007199254740991, 1.5, '1e400"', true, null, {}, []];
    expect(read(text)).toEqual({ a: big, b: false });
    expect(read(Buffer.from('{"__proto__":[9007199254740993],"é":1,"é":-9007199254740993}'))).toEqual(
      JSON.parse('{"__proto__":[1],"é":1}', (key, one) =>
        key === '0' ? 9007199254740993n : key === 'é' ? -9007199254740993n : one,
      ),
    );
    expect(read(`${'['.repeat(50_000)}9007199254740993${']'.repeat(50_000)}`)).toHaveLength(1);
    expect(rejection(() => json()('9007199254740993')).message).toContain("`numbers: 'bigint'`");
  });

  it.each(['1e400', '[9007199254740993,0.1000000000000000055]', '90071992547409931e-1', '9'.repeat(1_001)])(
    'rejects %s also where large integers are read',
    (text) => {
      const { code, message } = rejection(() => json(undefined, { numbers: 'bigint' })(text));
      expect(code).toBe('RXF_DECODE_INEXACT');
      expect(message).not.toContain('bigint');
    },
  );

  it('gives every text back as it came, with `bigint`, by way of lines', () => {
    const text = fc.letrec((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.stringMatching(/^-?[1-9][0-9]{0,30}$/),
        fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => JSON.stringify(one)),
        fc.string({ unit: 'binary' }).map((one) => JSON.stringify(one)),
        fc.constantFrom('true', 'false', 'null', '0'),
        fc.array(tie('any'), { maxLength: 5 }).map((all) => `[${all.join(',')}]`),
        fc.uniqueArray(fc.tuple(fc.string(), tie('any')), { maxLength: 5, selector: ([name]) => name }).map(
          // A name that is a whole number would come first.
          (all) => `{${all.map(([name, value]) => `${JSON.stringify(`-${name}`)}:${value}`).join(',')}}`,
        ),
      ),
    })).any as fc.Arbitrary<string>;
    fc.assert(
      fc.property(text, (given) => {
        const encoder = jsonLines().encoder();
        encoder.add(json(undefined, { numbers: 'bigint' })(Buffer.from(given)));
        expect(Buffer.from(encoder.take()).toString()).toBe(`${given}\n`);
      }),
      { numRuns: 1_000 },
    );
  });

  it('rejects wrong options at the call', () => {
    expect(() => json(undefined, { numbers: 'big' as never })).toThrow(
      "Expected `numbers` to be one of 'exact', 'bigint', 'rounded'",
    );
    expect(() => json(undefined, { number: 'exact' } as never)).toThrow(OptionError);
  });
});

/** Compared as whole numbers of 10^-1100. */
function isSame(one: string, other: string): boolean {
  const whole = (text: string) => {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [digits = '', fraction = ''] = mantissa.split('.');
    return BigInt(digits + fraction) * 10n ** BigInt(1_100 + Number(exponent) - fraction.length);
  };
  return whole(one) === whole(other);
}

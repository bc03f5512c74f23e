import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import * as t from 'io-ts';
import { jsonCheckOf } from '../../src/formats/io-ts-check.js';
import { json } from '../../src/formats/json.js';
import { JsonLayouts } from '../../src/formats/json-layouts.js';
import { jsonLines } from '../../src/formats/json-lines.js';
import { rawJson } from '../../src/formats/raw-json.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parsed(json: Buffer): unknown {
  return JSON.parse(utf8.decode(json));
}

/** What `read` gives, after it is held against `JSON.parse`; and learned from where it gave nothing. */
function readChecked(layouts: JsonLayouts, json: Buffer): unknown {
  let expected: unknown;
  try {
    expected = parsed(json);
  } catch {
    expect(layouts.read(json)).toBeUndefined();
    return undefined;
  }
  const value = layouts.read(json);
  if (value === undefined) layouts.learn(json, expected);
  else {
    expect(value).toStrictEqual(expected);
    expect(Object.keys(value)).toEqual(Object.keys(expected as object));
  }
  return value;
}

const knowing = (...texts: readonly string[]) => {
  const layouts = new JsonLayouts();
  for (const text of texts) layouts.learn(Buffer.from(text), JSON.parse(text));
  return layouts;
};

describe('JsonLayouts', () => {
  it('reads what JSON.parse reads, or nothing', () => {
    const name = fc.constantFrom('id', 'at', 'text', '"', 'ü', '__proto__', '7', '');
    const scalar = fc.oneof(
      fc.string({ maxLength: 20, unit: 'binary' }),
      fc.string({ maxLength: 20 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer(),
      fc.constantFrom(true, false, null, -0, '\ufffd', '\ud800', '\n', [], {}, [1], { a: 1 }),
    );
    const text = fc
      .tuple(fc.array(fc.tuple(name, scalar), { maxLength: 4 }), fc.constantFrom('', ' ', '\n\t'))
      .map(([fields, white]) => {
        const each = fields.map(([key, value]) => `${white}${JSON.stringify(key)}:${white}${JSON.stringify(value)}`);
        return Buffer.from(`{${each.join(',')}${white}}${white}`);
      });
    const change = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(2)), { freq: 2 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, change), { minLength: 1, maxLength: 30 }), (texts) => {
        const layouts = new JsonLayouts();
        for (const [whole, changed] of texts) {
          readChecked(layouts, whole);
          if (changed === null) continue;
          const [at, byte, cut] = [changed[0] % whole.length, changed[1], changed[2]];
          readChecked(layouts, Buffer.concat([whole.subarray(0, at), Buffer.of(byte), whole.subarray(at + cut)]));
        }
      }),
      { numRuns: 400 },
    );
  });

  it.each([
    ...['0', '-0', '7', '-7', '0.5', '-0.0', '0.1', '123456789012345', '1.23456789012345', '0.00000000000001'],
    ...[
      '9.95',
      '4.35',
      'true',
      'false',
      'null',
      '""',
      '"a"',
      '"123456789012"',
      '"1234567890123"',
      '"é😀"',
      '"\\u00e9\\n"',
    ],
    '"😀\\ud800"',
  ])('reads %s as JSON.parse does', (value) => {
    expect(readChecked(knowing('{"n":1}'), Buffer.from(`{"n":${value}}`))).toBeDefined();
  });

  it.each([
    ...['01', '1.', '-', '.5', '+1', '1e5', '1E5', '1234567890123456', '1234567.123456789', '-01', '0x1', '1_0'],
    ...[
      'tru',
      'truer',
      'nul',
      'True',
      '"a',
      '"\n"',
      '"\\x"',
      '"\\u00"',
      "'a'",
      '[]',
      '{}',
      '',
      ' 1',
      '1 ',
      '1,"n":2',
      '1}',
    ],
  ])('leaves %j to JSON.parse', (value) => {
    expect(readChecked(knowing('{"n":1}'), Buffer.from(`{"n":${value}}`))).toBeUndefined();
  });

  it('leaves what is not UTF-8 to JSON.parse', () => {
    for (const bytes of [[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc0, 0xaf], [0x80], [0x5c, 0xff]]) {
      const text = Buffer.concat([Buffer.from('{"n":"'), Buffer.from(bytes), Buffer.from('"}')]);
      expect(readChecked(knowing('{"n":1}'), text)).toBeUndefined();
    }
  });

  it.each(['[1]', '1', '"a"', '{"a":{"b":1}}', '{"a":1,"a":2}', '{"b":1,"1":2}', '{"__proto__":1}'])(
    'does not learn %s',
    (text) => {
      expect(readChecked(knowing(text), Buffer.from(text))).toBeUndefined();
    },
  );

  it('knows many layouts, with what they share, and forgets them when they are no more in use', () => {
    const layouts = new JsonLayouts();
    const texts = Array.from({ length: 40 }, (_, n) =>
      Buffer.from(`{"id":"a","f${n % 20}":1${n < 20 ? '' : ',"z":2'}}`),
    );
    for (const text of texts) expect(readChecked(layouts, text)).toBeUndefined();
    for (const text of texts) expect(readChecked(layouts, text)).toBeDefined();
    for (let n = 0; n < 16; n += 1) readChecked(layouts, Buffer.from('[1]'));
    for (let n = 0; n < 2_000; n += 1) expect(layouts.read(texts[0] as Buffer)).toBeUndefined();
    expect(readChecked(layouts, texts[0] as Buffer)).toBeUndefined();
    expect(readChecked(layouts, texts[0] as Buffer)).toBeDefined();
  });

  it('gives texts that do not keep the bytes alive, and values of their own', () => {
    const [layouts, text] = [knowing('{"a":"b"}'), Buffer.from('{"a":"a text that is long enough"}')];
    const first = layouts.read(text) as { a: string };
    text.fill(0x2a);
    expect(first.a).toBe('a text that is long enough');
    first.a = 'changed';
    expect(layouts.read(Buffer.from('{"a":"c"}'))).toEqual({ a: 'c' });
  });

  it('serves json and rawJson, whose lines are what came', () => {
    const texts = ['{"id":"a","n":1.0}', '{"id":"b\\u0021","n":2}', '{"id":"c","n":3} ', '{\n"id":"d","n":4}'];
    const [asValues, asRaw, encoder] = [json(), rawJson(), jsonLines().encoder()];
    for (const text of [...texts, ...texts]) {
      expect(asValues(Buffer.from(text))).toEqual(JSON.parse(text));
      const raw = asRaw(Buffer.from(text));
      expect(raw.value).toEqual(JSON.parse(text));
      encoder.add(raw);
    }
    const lines = '{"id":"a","n":1.0}\n{"id":"b\\u0021","n":2}\n{"id":"c","n":3}\n{"id":"d","n":4}\n';
    expect(String(encoder.take())).toBe(lines + lines);
  });
});

describe('jsonCheckOf', () => {
  const One = t.type({ kind: t.literal('a'), n: t.Int });
  const Other = t.intersection([
    t.type({ kind: t.keyof({ b: null, c: null }) }),
    t.partial({ s: t.string, l: t.array(t.boolean), u: t.union([t.null, t.undefined]) }),
  ]);
  const known: readonly t.Mixed[] = [
    ...[t.string, t.number, t.boolean, t.null, t.unknown, t.Int, t.literal(1), t.array(t.string), One, Other],
    ...[t.union([One, Other]), t.partial({ kind: t.string }), t.record(t.string, t.unknown)],
    ...[t.type({ kind: t.unknown }), t.type({ kind: t.null, u: t.union([t.undefined, t.number]) })],
  ];

  it('says yes only of what the codec gives back as it is', () => {
    const part = fc.oneof(
      fc.constantFrom('a', 'b', 'c', 'toString', 1, 1.5, null, true, undefined),
      fc.array(fc.boolean(), { maxLength: 2 }),
      fc.dictionary(fc.string(), fc.integer(), { maxKeys: 2 }),
    );
    const object = fc.record({ kind: part, n: part, s: part, l: part, u: part, d: part }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.oneof(object, part), fc.constantFrom(...known), (given, codec) => {
        const text = JSON.stringify(given);
        if (text === undefined) return;
        const value: unknown = JSON.parse(text);
        if (jsonCheckOf(codec)?.(value) !== true) return;
        const result = codec.decode(value);
        expect(result._tag === 'Right' && result.right === value).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('says yes of what is good, for all types that keep a value', () => {
    for (const codec of known) expect(jsonCheckOf(codec)).toBeDefined();
    expect(jsonCheckOf(One)?.({ kind: 'a', n: 1 })).toBe(true);
    expect(jsonCheckOf(Other)?.({ kind: 'b', l: [true] })).toBe(true);
    expect(jsonCheckOf(t.type({ a: t.unknown }))?.({})).toBe(false);
  });

  it('leaves alone what may change a value', () => {
    const trimmed = new t.Type<string, string, unknown>(
      'trimmed',
      t.string.is,
      (u, c) => t.string.validate(u, c),
      String,
    );
    // As `withFallback` and `withValidate` of io-ts-types make one.
    const clone = Object.assign(Object.create(Object.getPrototypeOf(t.string)), t.string, {
      validate: () => t.success('other'),
      decode: () => t.success('other'),
    });
    const other = [trimmed, clone, t.strict({ a: t.string }), t.exact(t.type({ a: t.string })), t.string.pipe(trimmed)];
    for (const codec of other) {
      expect(jsonCheckOf(codec)).toBeUndefined();
      expect(jsonCheckOf(t.type({ a: t.array(codec) }))).toBeUndefined();
    }
    for (const none of [undefined, null, () => 1, {}]) expect(jsonCheckOf(none)).toBeUndefined();
  });
});

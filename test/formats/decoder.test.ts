import { describe, expect, it } from '@jest/globals';
import * as t from 'io-ts';
import { z } from 'zod';
import { DecodeError } from '../../src/core/errors.js';
import { type DecoderLike, decoderOf } from '../../src/formats/decoder.js';
import { json } from '../../src/formats/json.js';
import { rawJson } from '../../src/formats/raw-json.js';
import { secretField, secretFieldsOf } from '../../src/formats/secret-field.js';

function rejection(schema: unknown, value: unknown): string {
  try {
    decoderOf(schema as DecoderLike<unknown, unknown>)(value);
  } catch (error) {
    if (error instanceof DecodeError) return `${error.details.path}: ${error.message}`;
    throw error;
  }
  return '';
}

const Text = t.type({ kind: t.literal('text'), body: t.type({ words: t.array(t.string) }) });
const Image = t.type({ kind: t.literal('image'), size: t.number });
const Chat = t.type({ user: t.string, content: t.union([Text, Image]), tags: t.array(t.union([t.string, t.number])) });

describe('decoderOf', () => {
  it.each([
    [
      'a wrong field',
      t.type({ user: t.string }),
      { user: 1 },
      'user: `user` does not match the schema: expected string, got 1 (number).',
    ],
    [
      'a missing one',
      t.type({ user: t.string }),
      {},
      'user: `user` does not match the schema: expected string, got undefined (undefined).',
    ],
    [
      'no object',
      t.type({ user: t.string }, 'User'),
      null,
      ': The value does not match the schema: expected User, got null (null).',
    ],
    [
      'a deep one',
      t.type({ a: t.array(t.type({ b: t.number })) }),
      { a: [{ b: 1 }, { b: 'x' }] },
      'a.1.b: `a.1.b` does not match the schema: expected number, got "x" (string).',
    ],
    [
      'several, the deepest',
      t.type({ a: t.string, b: t.type({ c: t.string }) }),
      { a: 1, b: { c: 2 } },
      'b.c: `b.c` does not match the schema: expected string, got 2 (number), and 1 more.',
    ],
    [
      'a field within the member of a union that its tag tells',
      Chat,
      { user: 'a', content: { kind: 'text', body: { words: ['x', 5] } }, tags: [] },
      'content.body.words.1: `content.body.words.1` does not match the schema: expected string, got 5 (number).',
    ],
    [
      'no member of a union: all of it is expected',
      Chat,
      { user: 'a', content: { kind: 'image', size: 3 }, tags: ['x', 1, null] },
      'tags.2: `tags.2` does not match the schema: expected (string | number), got null (null), and 1 more.',
    ],
    [
      'a field of an intersection',
      t.intersection([t.type({ a: t.string }), t.type({ b: t.type({ c: t.union([t.null, t.number]) }) })]),
      { a: 'x', b: { c: true } },
      'b.c: `b.c` does not match the schema: expected (null | number), got true (boolean), and 1 more.',
    ],
  ])('says of io-ts what does not match the schema: %s', (_, schema, value, message) => {
    expect(rejection(schema, value)).toBe(message);
  });

  it('shows the message of an io-ts type of one’s own', () => {
    const Even = new t.Type<number, number, unknown>(
      'Even',
      (value): value is number => typeof value === 'number',
      (value, context) =>
        Number(value) % 2 === 0 ? t.success(Number(value)) : t.failure(value, context, 'odd numbers are not taken'),
      t.identity,
    );
    expect(rejection(t.type({ n: Even }), { n: 3 })).toBe(
      'n: `n` does not match the schema: odd numbers are not taken.',
    );
  });

  it.each([
    [
      z.object({ a: z.array(z.string()) }),
      { a: ['x', 1] },
      /^a\.1: `a\.1` does not match the schema: .*expected string/,
    ],
    [z.object({ a: z.string(), b: z.string() }), {}, /^a: .*, and 1 more\.$/],
    [z.string(), 5, /^: The value does not match the schema: .*expected string/],
    [
      {
        '~standard': {
          version: 1,
          vendor: 'x',
          validate: () => ({ issues: [{ message: 'bad', path: [{ key: 'k' }, 0] }] }),
        },
      },
      1,
      /^k\.0: `k\.0` does not match the schema: bad\.$/,
    ],
    [
      { '~standard': { version: 1, vendor: 'x', validate: () => ({ issues: [] }) } },
      1,
      /^: The value does not match the schema: not valid\.$/,
    ],
  ])('says of a Standard Schema what does not fit', (schema, value, message) => {
    expect(rejection(schema, value)).toMatch(message);
  });

  it('gives what the schema makes of the value', () => {
    expect(decoderOf(z.string().transform(Number))('5' as never)).toBe(5);
    expect(decoderOf(Image as DecoderLike<unknown, unknown>)({ kind: 'image', size: 1 })).toEqual({
      kind: 'image',
      size: 1,
    });
    expect(decoderOf((value: number) => value + 1)(1)).toBe(2);
  });

  it('takes a function that is a Standard Schema as a schema, not as a decoder', () => {
    const schema = Object.assign(() => 'called', {
      '~standard': { version: 1 as const, vendor: 'arktype', validate: () => ({ value: 'validated' }) },
    });
    expect(decoderOf(schema as DecoderLike<unknown, unknown>)(1)).toBe('validated');
  });
});

describe('secretField', () => {
  const Login = t.intersection([
    t.type({ user: t.string, pin: secretField(t.string) }),
    t.partial({
      keys: t.array(t.type({ key: secretField(t.number) })),
      more: t.record(t.string, t.type({ seed: secretField(t.string) })),
    }),
  ]);
  const messageOf = (decode: () => unknown): string => {
    try {
      return String(decode());
    } catch (error) {
      return `${(error as Error).message} ${String((error as Error).cause ?? '')}`;
    }
  };

  it('names its fields, decodes as before, and is not quoted in an error', () => {
    const decode = json(Login);
    expect(secretFieldsOf(decode)).toEqual(['pin', 'key', 'seed']);
    expect(secretFieldsOf(Login)).toEqual(['pin', 'key', 'seed']);
    const value = { user: 'u', pin: '1234', keys: [{ key: 5 }] };
    expect(decode(JSON.stringify(value))).toEqual(value);
    for (const bad of [
      '{"user":"u","pin":98765}',
      '{"user":"u","pin":"1","keys":[{"key":"98765"}]}',
      '{"pin":"98765"',
      '{"pin":98765.00000000000000001}',
    ])
      expect(messageOf(() => decode(bad))).not.toContain('98765');
    expect(messageOf(() => decode('{"user":"u","pin":98765}'))).toMatch(
      /^`pin` does not match the schema: expected string, got a secret value \(number\)/,
    );
    expect(messageOf(() => decode('{"user":98765,"pin":"1"}'))).toContain('98765');
    expect(secretFieldsOf(json(t.type({ pin: t.string })))).toEqual([]);
    expect(secretFieldsOf(rawJson(Login))).toEqual(['pin', 'key', 'seed']);
    expect(secretFieldsOf(() => undefined)).toEqual([]);
  });

  it('ends in a codec of itself', () => {
    interface Tree {
      readonly pin: string;
      readonly left?: Tree;
    }
    const Tree: t.Type<Tree> = t.recursion('Tree', () =>
      t.intersection([t.type({ pin: secretField(t.string) }), t.partial({ left: Tree })]),
    );
    expect(secretFieldsOf(json(Tree))).toEqual(['pin']);
  });
});

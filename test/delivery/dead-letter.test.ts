import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError } from '../../src/core/errors.js';
import { deadLetterOf } from '../../src/delivery/dead-letter.js';

const origin = { stream: 'kafka:chat/0', offset: 12, epoch: 1, byteLength: 3 };
const of = (value: unknown, cause: unknown = new Error('no')) => deadLetterOf(value, origin, cause, AT);
const AT = { attempt: 2, now: Date.UTC(2026, 0, 3) };
const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

describe('deadLetterOf', () => {
  it.each([
    ['text', 'héllo', 'héllo', 'utf8'],
    ['bytes of UTF-8', Buffer.from('héllo 😀'), 'héllo 😀', 'utf8'],
    ['bytes that are none', Buffer.from([0xc3, 0x28]), 'wyg=', 'base64'],
    ['bytes of a true replacement character', Buffer.from('\ufffd'), '\ufffd', 'utf8'],
    ['a view into other bytes', new Uint8Array(Buffer.from('xaby')).subarray(1, 3), 'ab', 'utf8'],
    ['no bytes', new Uint8Array(), '', 'utf8'],
    ['null', null, null, 'none'],
    ['undefined', undefined, null, 'none'],
    ['an object', { a: [1] }, '{"a":[1]}', 'json'],
    ['a number', 5, '5', 'json'],
    ['what has no JSON', cyclic, 'Object', 'utf8'],
    ['a BigInt', 5n, '5', 'json'],
    ['a BigInt in a field', { id: 9007199254740993n }, '{"id":9007199254740993}', 'json'],
    ['what of a value has JSON', { at: Number.NaN, id: 1 }, '{"at":null,"id":1}', 'json'],
    ['a function', () => 1, 'Function', 'utf8'],
  ])('keeps %s', (_, value, text, encoding) => {
    expect(of(value)).toMatchObject({ value: text, encoding });
  });

  it.each([
    [Date.UTC(2024, 1, 29), '2024-02-29T00:00:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    [-1, '1969-12-31T23:59:59.999Z'],
    [undefined, null],
    [Number.NaN, null],
    [1.7e18, null],
    [Number.POSITIVE_INFINITY, null],
  ])('keeps the time %p, or null for what is no date', (timestamp, text) => {
    expect(deadLetterOf('x', { ...origin, timestamp }, new Error('no'), AT).timestamp).toBe(text);
  });

  it('says where it came from and why it was nacked', () => {
    expect(
      deadLetterOf('x', { ...origin, key: Buffer.from('k') }, new DecodeError('RXF_DECODE_SHAPE', 'bad'), AT),
    ).toEqual({
      version: 1,
      code: 'RXF_DECODE_SHAPE',
      message: 'bad',
      causes: [],
      stream: 'kafka:chat/0',
      offset: 12,
      part: null,
      timestamp: null,
      key: 'k',
      keyEncoding: 'utf8',
      headers: [],
      value: 'x',
      encoding: 'utf8',
      type: 'text',
      attempt: 2,
      setAsideAt: '2026-01-03T00:00:00.000Z',
      flow: null,
      operator: null,
      replayOf: null,
    });
    expect(of('x', new TypeError('two\nlines'))).toMatchObject({ code: 'TypeError', message: 'two', key: null });
    expect(of('x', 'thrown')).toMatchObject({ code: 'Error', message: '"thrown"' });
  });

  it('keeps headers in their order, keys that are no text, and what is behind the error', () => {
    const headerList = [
      ['trace', Buffer.from('a')],
      ['trace', null],
      ['bin', Buffer.from([0xff])],
    ] as const;
    const cause = new DecodeError('RXF_DECODE_SHAPE', 'bad', { cause: new TypeError('deep', { cause: 'deeper' }) });
    const letter = deadLetterOf(
      Buffer.from('x'),
      { ...origin, headerList, key: Buffer.from([0xff]), part: '1' },
      cause,
      {
        ...AT,
        flow: 'chat',
        operator: '1 decode',
      },
    );
    expect(letter).toMatchObject({
      ...{ key: '/w==', keyEncoding: 'base64', type: 'bytes', part: '1', flow: 'chat', operator: '1 decode' },
      headers: [
        { name: 'trace', value: 'a', encoding: 'utf8' },
        { name: 'trace', value: null, encoding: 'none' },
        { name: 'bin', value: '/w==', encoding: 'base64' },
      ],
      causes: [
        { code: 'TypeError', message: 'deep' },
        { code: 'Error', message: '"deeper"' },
      ],
    });
  });

  it('names the record, not the replay, where a replay fails again', () => {
    const replayOf = { letter: 'a.jsonl#3', stream: 'kafka:chat/3', offset: 1841, part: null, attempt: 2 };
    const letter = deadLetterOf('x', { ...origin, part: '0', replayOf }, new Error('no'), { ...AT, attempt: 1 });
    expect(letter).toMatchObject({
      stream: 'kafka:chat/3',
      offset: 1841,
      part: '0',
      attempt: 3,
      replayOf: 'a.jsonl#3',
    });
  });

  it('can be stored as JSON whatever came, and bytes come back whole', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.anything(), (bytes, anything) => {
        const letter = JSON.parse(JSON.stringify(of(bytes)));
        expect([...Buffer.from(letter.value, letter.encoding)]).toEqual([...bytes]);
        expect(JSON.parse(JSON.stringify(of(anything)))).toEqual(of(anything));
      }),
      { numRuns: 200 },
    );
  });
});

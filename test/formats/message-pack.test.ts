import { describe, expect, it } from '@jest/globals';
import { decode, Encoder, ExtData } from '@msgpack/msgpack';
import fc from 'fast-check';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { messagePack } from '../../src/formats/message-pack.js';

const read = messagePack();
const hex = (bytes: string) => Buffer.from(bytes.replaceAll(' ', ''), 'hex');
const encoder = new Encoder({ useBigInt64: true });

const key = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((name) => name !== '__proto__');
const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double().filter((one) => !Number.isSafeInteger(one) || Object.is(one, Number(BigInt(one)))),
    fc.maxSafeInteger().map((one) => one + 0),
    key,
    fc.string({ unit: 'grapheme', minLength: 200, maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.date({ noInvalidDate: true }).map((date) => new Date(Math.trunc(date.getTime()))),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(key, tie('value'), { maxKeys: 20 }),
  ),
})).value;

describe('messagePack', () => {
  it('reads what another library writes', () => {
    fc.assert(
      fc.property(value, (given) => {
        const bytes = encoder.encode(given);
        expect(read(bytes)).toEqual(given);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, string, unknown]>([
    ['a small integer', '7f', 127],
    ['one below zero', 'e0', -32],
    [
      '8 to 64 bits',
      '96 ccff cdffff ceffffffff cf001fffffffffffff d0ff d38000000000000000',
      [255, 65535, 4294967295, 2 ** 53 - 1, -1, -(2n ** 63n)],
    ],
    ['16 and 32 bits below zero', '92 d18000 d280000000', [-32768, -(2 ** 31)]],
    ['64 bits beyond a double', '92 cfffffffffffffffff cf0020000000000000', [2n ** 64n - 1n, 2n ** 53n]],
    ['a float and a double', '92 ca3fc00000 cb3ff8000000000000', [1.5, 1.5]],
    ['long forms', '93 d90161 da000162 dc000101', ['a', 'b', [1]]],
    [
      'longest forms',
      '94 db0000000161 dd0000000101 df0000000101 02 c60000000103',
      ['a', [1], { 1: 2 }, Buffer.from([3])],
    ],
    ['a map of 16 bits', 'de0001a16101', { a: 1 }],
    ['bytes of 16 bits', 'c5000101', Buffer.from([1])],
    ['integer keys', '82 01c0 cfffffffffffffffffc0', { '1': null, '18446744073709551615': null }],
    ['a key twice', '82a16101a16102', { a: 2 }],
    ['seconds', 'd6ff 00000001', new Date(1_000)],
    ['milliseconds', 'd7ff 007a1200 00000001'.replace('007a1200', '07a12000'), new Date(1_032)],
    ['seconds before 1970', 'c70cff 00000000 ffffffffffffffff', new Date(-1_000)],
    ['an extension', 'd405 61', { type: 5, data: Buffer.from('a') }],
    ['an extension of any length', 'c80003fe616263', { type: -2, data: Buffer.from('abc') }],
    ['an extension of 32 bits', 'c90000000007', { type: 7, data: Buffer.alloc(0) }],
  ])('reads %s', (_, bytes, expected) => {
    expect(read(hex(bytes))).toEqual(expected);
  });

  it('does not set the prototype', () => {
    const found = read(hex(`81a9${Buffer.from('__proto__').toString('hex')}80`)) as object;
    expect([Object.keys(found), Object.getPrototypeOf(found)]).toEqual([['__proto__'], Object.prototype]);
  });

  it.each<[string, string, string, number, string]>([
    ['what is left', 'c0c0', '$', 1, '1 bytes are left behind the value'],
    ['nothing in a list', '9201', '$', 1, '2 items are declared, 1 bytes are left'],
    ['the end of a list', '92 01 a2', '$[1]', 3, '2 bytes are declared, 0 are left'],
    ['a value that ends', '81a161cd01', '$.a', 4, '2 bytes are declared, 1 are left'],
    ['a text that ends', 'a261', '$', 1, '2 bytes are declared, 1 are left'],
    ['4 GiB of text', 'dbffffffff61', '$', 5, '4294967295 bytes are declared, 1 are left'],
    ['4 GiB of bytes', 'c6ffffffff61', '$', 5, '4294967295 bytes are declared'],
    ['2^32 items', 'ddffffffff01', '$', 5, '4294967295 items are declared'],
    ['2^32 entries', 'dfffffffff01', '$', 5, '4294967295 items are declared'],
    ['2^32 bytes of an extension', 'c9ffffffff01', '$', 6, '4294967295 bytes are declared'],
    ['no type', 'c1', '$', 0, '0xc1 begins no value'],
    ['no UTF-8', '81a16191a2ff00', '$.a[0]', 5, 'a text is not UTF-8'],
    ['a list as a key', '819000', '$', 1, 'a key is neither a text nor an integer'],
    ['a fraction as a key', '81ca3fc0000000', '$', 1, 'a key is neither'],
    ['no timestamp', 'c701ff00', '$', 2, 'a timestamp has 1 bytes'],
    ['too many nanoseconds', 'd7ff fffffffc00000000', '$', 1, 'more than 999,999,999 nanoseconds'],
    ['too deep', '91'.repeat(600), `$${'[0]'.repeat(67).slice(0, 199)}…`, 501, 'more than 500 arrays and maps'],
  ])('rejects %s, with the path and the offset', (_, bytes, path, offset, message) => {
    const call = () => read(hex(bytes));
    expect(call).toThrow(DecodeError);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_DECODE_SYNTAX', details: { path, offset } }));
    expect(call).toThrow(`Cannot read \`${path}\` as MessagePack: `);
    expect(call).toThrow(message);
  });

  it('a time of more digits than a Date holds is an error, or truncated', () => {
    const micros = hex('d7ff 00000fa000000001');
    expect(() => read(micros)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_INEXACT' }));
    expect(() => read(micros)).toThrow("Drop them with `timestamps: 'truncated'`");
    expect(messagePack(undefined, { timestamps: 'truncated' })(micros)).toEqual(new Date(1_000));
    const beyond = hex('c70cff 00000000 7fffffffffffffff');
    expect(() => read(beyond)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_INEXACT' }));
    expect(() => read(beyond)).toThrow('beyond the times of a Date');
  });

  it('gives what it reads to a schema, and rejects a tombstone', () => {
    const id = messagePack((given) => (given as { id: number }).id);
    expect(id(hex('81a2696407')) + 1).toBe(8);
    for (const nothing of [null, Buffer.alloc(0)]) {
      expect(() => read(nothing)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
    }
    expect(() => messagePack(undefined, { timestamps: 'some' as never })).toThrow(OptionError);
  });

  it('agrees with another library on what is no value', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        let ours: unknown;
        try {
          ours = read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
          return;
        }
        if (hasExtension(ours)) return;
        expect(plain(decode(bytes, { useBigInt64: true }))).toEqual(plain(ours));
      }),
      { numRuns: 500 },
    );
  });
});

/** Times, which the other library rounds; extensions, which it gives a class. */
function hasExtension(value: unknown): boolean {
  if (value instanceof Date) return true;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return value instanceof ExtData || 'data' in value || Object.values(value).some(hasExtension);
}

/** Integers as text, since it gives 64 bits as BigInts always; bytes as hex. */
function plain(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') return `${value}`;
  if (value instanceof Uint8Array) return `hex ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, plain(part)]));
}

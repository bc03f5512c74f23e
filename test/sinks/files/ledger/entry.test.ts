import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SinkError } from '../../../../src/core/errors.js';
import { checkedBytes, entryBytes, type LedgerEntry, readEntry } from '../../../../src/sinks/files/ledger/entry.js';

const STREAM = 'kafka:chat/3';
const PATH = '/lake/_rxflume/ledger/kafka+chat~3/0000000000001200';
const file = {
  temporary: '_rxflume/tmp/kafka+chat~3/0000000000001200/k3x9q2ab-7-0',
  final: 'dt=2026-03-02/lang=zh/kafka+chat~3+0000000000001200+0000000000005311+k3x9q2ab-7.jsonl.gz',
  bytes: 77,
  values: 12,
  first: 1200,
  last: 5311,
};
const entry: LedgerEntry = { writer: 'k3x9q2ab-7', stream: STREAM, from: 1200, next: 5312, files: [file] };
const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const read = (value: unknown) => readEntry(bytesOf(value), PATH, STREAM, 1200);

describe('an entry of the ledger', () => {
  it('is read as it was written', () => {
    expect(readEntry(entryBytes(entry), PATH, STREAM, 1200)).toEqual(entry);
    const bare = { ...entry, files: [{ ...file, final: file.final.split('/').at(-1) as string }] };
    expect(readEntry(entryBytes(bare), PATH, STREAM, 1200)).toEqual(bare);
  });

  it.each([
    ['a final path above the root', { ...file, final: `../../etc/${file.final.split('/').at(-1)}` }],
    ['a final path from the top of the file system', { ...file, final: `/${file.final.split('/').at(-1)}` }],
    ['a final path within the own folder', { ...file, final: `_rxflume/ledger/${file.final.split('/').at(-1)}` }],
    ['an absolute final path', { ...file, final: `/${file.final}` }],
    ['a final path of another stream', { ...file, final: file.final.replace('chat', 'cat') }],
    ['a temporary file elsewhere', { ...file, temporary: `dt=2026-03-02/${file.final.split('/').at(-1)}` }],
    ['a temporary file of another commit', { ...file, temporary: file.temporary.replace('1200', '1300') }],
    ['a temporary path that climbs', { ...file, temporary: file.temporary.replace('k3x', '../k3x') }],
    ['a length that is none', { ...file, bytes: -1 }],
    ['a file that is none', null],
  ])('rejects %s', (_, wrong) => {
    expect(() => read({ version: 1, ...entry, files: [wrong] })).toThrow(
      expect.objectContaining({ code: 'RXF_LEDGER_DAMAGED', message: expect.stringContaining(PATH) }),
    );
  });

  it.each([
    ['another version', { version: 2 }, 'its version is 2'],
    ['another stream', { stream: 'kafka:chat/4' }, 'kafka:chat/4'],
    ['another place', { from: 1201 }, 'begins at 1201'],
    ['an end before its beginning', { next: 3 }, 'ends at 3'],
    ['no writer', { writer: 'a/b' }, 'names no writer'],
    ['no files', { files: undefined }, 'lists no files'],
    ['an absent writer', { writer: undefined }, 'names no writer'],
    ['an absent end', { next: undefined }, 'its `next` is undefined, not a whole number'],
    ['an end that is a text', { next: '5312' }, 'its `next` is 5312, not a whole number'],
    ['an end between two offsets', { next: 1300.5 }, 'its `next` is 1300.5, not a whole number'],
  ])('rejects %s, and says so', (_, wrong, why) => {
    expect(() => read({ version: 1, ...entry, ...wrong })).toThrow(why);
  });

  it.each([null, 7, 'text'])('rejects %j where an entry, or a file of it, should be', (wrong) => {
    expect(() => read(wrong)).toThrow('it is not an object');
    expect(() => read({ version: 1, ...entry, files: [wrong] })).toThrow('a file of it is not an object');
  });

  it.each([
    [{ temporary: 7 }, '7 is no temporary file of it'],
    [{ temporary: `${file.temporary}/../x` }, `${file.temporary}/../x is no temporary file of it`],
    [{ final: 7 }, 'a file of it has no final path'],
    [{ final: file.final.replace('chat', 'cat') }, `${file.final.replace('chat', 'cat')} is no file of ${STREAM}`],
    [{ bytes: -1 }, 'its `bytes` is -1, not a whole number'],
    [{ values: 0.5 }, 'its `values` is 0.5, not a whole number'],
    [{ first: '1200' }, 'its `first` is 1200, not a whole number'],
    [{ last: null }, 'its `last` is null, not a whole number'],
  ])('says what is wrong with a file: %j', (wrong, why) => {
    expect(() => read({ version: 1, ...entry, files: [{ ...file, ...wrong }] })).toThrow(why);
  });

  it('takes an entry that ends where it begins, and a file that begins at 0 and has no bytes', () => {
    const empty = { ...entry, next: 1200, files: [{ ...file, bytes: 0, values: 0, first: 0, last: 0 }] };
    expect(readEntry(entryBytes(empty), PATH, STREAM, 1200)).toEqual(empty);
  });

  it('is rejected with its path, the cause, and what to do', () => {
    const details = { path: PATH, stream: STREAM, from: 1200 };
    expect(() => read({ version: 2 })).toThrow(expect.objectContaining({ details, cause: expect.any(Error) }));
    expect(() => read({ version: 2 })).toThrow('`rxflume ledger` shows the entries beside it');
  });

  it('never takes bytes that were cut off or changed for another entry, nor throws anything of its own', () => {
    const whole = entryBytes(entry);
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), fc.boolean(), (at, byte, isCut) => {
        const broken = isCut ? whole.slice(0, at) : whole.slice();
        if (!isCut) broken[at] = byte;
        try {
          const got = readEntry(broken, PATH, STREAM, 1200);
          expect({ ...got, files: [] }).toMatchObject({ stream: STREAM, from: 1200 });
        } catch (error) {
          expect(error).toBeInstanceOf(SinkError);
        }
      }),
    );
  });

  it('is not written where it could not be read back', () => {
    expect(checkedBytes(entry)).toEqual(entryBytes(entry));
    const wrong = (files: LedgerEntry['files']) => () => checkedBytes({ ...entry, files });
    expect(wrong([{ ...file, final: '../x' }])).toThrow(expect.objectContaining({ code: 'RXF_LEDGER_ENTRY' }));
    expect(wrong([{ ...file, final: 'of=1/kafka+cat~3+1' }])).toThrow('Nothing was committed');
    const many = Array.from({ length: 7_000 }, () => ({ ...file, final: `${'x'.repeat(2_500)}/${file.final}` }));
    expect(wrong(many)).toThrow(/it has \d+ bytes, and 16777216 are the most/);
  });

  it('is read though no store can hold a path in it, if that path could do no harm', () => {
    for (const bucket of ['lang=\ud800', '.snapshot', 'a:b', 'x'.repeat(300)]) {
      const odd = { ...entry, files: [{ ...file, final: `${bucket}/${file.final.split('/').at(-1)}` }] };
      expect(readEntry(entryBytes(odd), PATH, STREAM, 1200)).toEqual(odd);
    }
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SinkError } from '../../../src/core/errors.js';
import { entryBytes, type LedgerEntry, readEntry } from '../../../src/sinks/files/ledger-entry.js';

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
    ['a final path within the own folder', { ...file, final: `_rxflume/ledger/${file.final.split('/').at(-1)}` }],
    ['an absolute final path', { ...file, final: `/${file.final}` }],
    ['a final path of another stream', { ...file, final: file.final.replace('chat', 'cat') }],
    ['a temporary file elsewhere', { ...file, temporary: `dt=2026-03-02/${file.final.split('/').at(-1)}` }],
    ['a temporary file of another commit', { ...file, temporary: file.temporary.replace('1200', '1300') }],
    ['a temporary path that climbs', { ...file, temporary: file.temporary.replace('k3x', '../k3x') }],
    ['a length that is none', { ...file, bytes: -1 }],
    ['a file that is none', null],
  ])('refuses %s', (_, wrong) => {
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
  ])('refuses %s, and says so', (_, wrong, why) => {
    expect(() => read({ version: 1, ...entry, ...wrong })).toThrow(why);
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
});

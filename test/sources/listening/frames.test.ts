import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type Framer, LengthFramer, LineFramer } from '../../../src/sources/listening/frames.js';
import { PartialBytes } from '../../../src/sources/listening/partial-bytes.js';
import { RelpFrames, relpFrame } from '../../../src/sources/syslog/relp-frames.js';
import { syslogFramer } from '../../../src/sources/syslog/syslog-framer.js';

/** What a framer makes of bytes that come in pieces of these sizes, in turn: a text each, with a + where it is cut. */
function framesOf(framer: Framer, bytes: Uint8Array, sizes: readonly number[]): string[] {
  const found: string[] = [];
  const shown = ({ bytes: of, isCut }: { bytes: Uint8Array; isCut: boolean }) =>
    `${Buffer.from(of).toString('latin1')}${isCut ? '+' : ''}`;
  for (let at = 0, n = 0; at < bytes.length; n += 1) {
    const size = sizes[n % sizes.length] as number;
    framer.push(bytes.subarray(at, at + size));
    at += size;
    for (let frame = framer.next(); frame !== undefined; frame = framer.next()) found.push(shown(frame));
  }
  const last = framer.end();
  return last === undefined ? found : [...found, shown(last)];
}

function prefixed(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, Buffer.from(text)]);
}

const texts = fc.array(fc.stringMatching(/^<[a-z0-9 ]{0,30}$/), { minLength: 1, maxLength: 8 });
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const MOST = 20;
const cut = (text: string) => (text.length > MOST ? `${text.slice(0, MOST)}+` : text);

const FRAMINGS: Readonly<
  Record<string, { readonly framer: (most: number) => Framer; readonly write: (text: string) => Uint8Array }>
> = {
  lines: { framer: (most) => new LineFramer(most), write: (text) => Buffer.from(`${text}\n`) },
  'length-prefixed': { framer: (most) => new LengthFramer(most), write: prefixed },
  'octet-counting': {
    framer: (most) => syslogFramer('octet-counting', most),
    write: (text) => Buffer.from(`${text.length} ${text}`),
  },
  'auto, counted': {
    framer: (most) => syslogFramer('auto', most),
    write: (text) => Buffer.from(`${text.length} ${text}`),
  },
  'auto, lines': { framer: (most) => syslogFramer('auto', most), write: (text) => Buffer.from(`${text}\n`) },
};

describe.each(Object.entries(FRAMINGS))('%s', (_, { framer, write }) => {
  it('gives the same frames however the bytes come, and of one that is too long the beginning', () => {
    fc.assert(
      fc.property(texts, sizes, (all, pieces) => {
        const bytes = Buffer.concat(all.map(write));
        expect(framesOf(framer(MOST), bytes, pieces)).toEqual(all.map(cut));
      }),
    );
  });

  it('says whether something has begun, and keeps no more of it than is allowed', () => {
    const own = framer(MOST);
    expect(own.pending).toBe(0);
    own.push(write(`<${'a'.repeat(200)}`).subarray(0, 100));
    expect(own.next()).toBeUndefined();
    expect(own.pending).toBeGreaterThan(0);
  });
});

describe('octet counting', () => {
  it.each(['x <13>1', '12345678901 a', ' <13>1'])('rejects %j, which does not begin with a length', (text) => {
    const framer = syslogFramer('octet-counting', MOST);
    framer.push(Buffer.from(text));
    expect(() => framer.next()).toThrow('length');
  });

  it('is not taken for it where a line begins with a number', () => {
    expect(framesOf(syslogFramer('auto', 100), Buffer.from('404 not found\n<13>x\n'), [3])).toEqual([
      '404 not found',
      '<13>x',
    ]);
    expect(framesOf(syslogFramer('auto', 100), Buffer.from('12'), [3])).toEqual(['12']);
  });
});

describe('RELP', () => {
  const framesIn = (bytes: Uint8Array, pieces: readonly number[]) => {
    const frames = new RelpFrames(MOST);
    const found: string[] = [];
    for (let at = 0, n = 0; at < bytes.length; n += 1) {
      const size = pieces[n % pieces.length] as number;
      frames.push(bytes.subarray(at, at + size));
      at += size;
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        const data = Buffer.from(frame.data).toString('latin1');
        found.push(`${frame.transaction} ${frame.command} ${data}${frame.isCut ? '+' : ''}`);
      }
    }
    expect(frames.pending).toBe(0);
    return found;
  };

  it('gives the same frames however the bytes come', () => {
    const numbered = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 999_999_999 }), fc.string({ unit: 'grapheme-ascii', maxLength: 40 })),
      {
        minLength: 1,
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(numbered, sizes, (all, pieces) => {
        const bytes = Buffer.concat(all.map(([transaction, data]) => relpFrame(transaction, 'syslog', data)));
        expect(framesIn(bytes, pieces)).toEqual(all.map(([transaction, data]) => `${transaction} syslog ${cut(data)}`));
      }),
    );
  });

  it.each([
    'GET / HTTP/1.1\r\n\r\n',
    '1 syslog 5 abcdefgh\n',
    '1 syslog 5\n',
    '1234567890 open 0\n',
    `1 ${'a'.repeat(60)} 3 abc\n`,
    '-1 open 0\n',
  ])('rejects %j', (text) => {
    const frames = new RelpFrames(MOST);
    frames.push(Buffer.from(text));
    expect(() => frames.next()).toThrow(/frame/);
  });
});

describe('what all clients have begun', () => {
  it('is bounded: one that would hold more may not, and one alone may hold all it needs', () => {
    const partial = new PartialBytes(10);
    const [one, other] = [{}, {}];
    expect([partial.set(one, 50), partial.set(other, 1), partial.set(one, 0), partial.set(other, 9)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
  });
});

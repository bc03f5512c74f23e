import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type LineGroupLimits, LineGroups } from '../../src/formats/line-groups.js';
import { type Line, type LineEnd, LineSplitter, type TooLong } from '../../src/formats/lines.js';

/** What a splitter gives of chunks: each line's bytes and kind; checks that the sizes add up to the input. */
function split(chunks: readonly Buffer[], maxBytes: number, tooLong: TooLong, lineEnd: LineEnd = 'lf'): string[] {
  const splitter = new LineSplitter({ lineEnd, maxBytes, tooLong });
  const lines: Line[] = [];
  for (const chunk of chunks) {
    splitter.push(chunk);
    for (let line = splitter.next(); line !== undefined; line = splitter.next()) lines.push(line);
    const given = lines.reduce((sum, { size }) => sum + size, 0);
    const pushed = chunks.slice(0, chunks.indexOf(chunk) + 1).reduce((sum, { length }) => sum + length, 0);
    if (!lines.some(({ size }) => size === 0)) expect(given + splitter.pending).toBe(pushed);
  }
  const rest = splitter.end();
  if (rest !== undefined) lines.push(rest);
  return lines.map(
    ({ bytes, kind }) => `${kind} ${lineEnd === 'lf' ? bytes.toString('latin1') : bytes.toString('hex')}`,
  );
}

const cutAt = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
};

describe('LineSplitter', () => {
  it('splits at line feeds, with or without a carriage return, and gives what is left at the end', () => {
    expect(split([Buffer.from('a\r\n\nb\rc\nd')], 10, 'stop')).toEqual(['whole a', 'whole ', 'whole b\rc', 'rest d']);
    expect(split([], 10, 'stop')).toEqual([]);
    expect(split([Buffer.from('a\n')], 10, 'stop')).toEqual(['whole a']);
  });

  it('gives a line that is too long as `tooLong` says', () => {
    const chunks = [Buffer.from('12'), Buffer.from('345\n1234\r'), Buffer.from('\n123'), Buffer.from('456789\nx\n')];
    expect(split(chunks, 4, 'stop')).toEqual(['overlong 1234']);
    expect(split(chunks, 4, 'cut')).toEqual([
      ...['piece 1234', 'whole 5', 'whole 1234', 'piece 1234', 'piece 5678', 'whole 9', 'whole x'],
    ]);
    expect(split(chunks, 4, 'shorten')).toEqual(['overlong 1234', 'whole 1234', 'overlong 1234', 'whole x']);
  });

  it('keeps no more than the limit of a line that never ends', () => {
    const splitter = new LineSplitter({ lineEnd: 'lf', maxBytes: 8, tooLong: 'shorten' });
    for (let turn = 0; turn < 1_000; turn += 1) {
      splitter.push(Buffer.alloc(1_000, 0x61));
      expect(splitter.next()).toBe(undefined);
    }
    expect(splitter.pending).toBe(1_000_000);
    splitter.push(Buffer.from('\nok\n'));
    expect(splitter.next()).toMatchObject({ bytes: Buffer.from('aaaaaaaa'), size: 1_000_001, kind: 'overlong' });
    expect(splitter.next()?.bytes.toString()).toBe('ok');
  });

  it('gives the same lines however the input is cut into chunks', () => {
    const text = fc.array(fc.constantFrom('a', 'b', '\r', '\n', 'ccccc', '\r\n'), { maxLength: 40 });
    fc.assert(
      fc.property(
        text,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom<TooLong>('stop', 'cut', 'shorten'),
        fc.integer({ min: 1, max: 9 }),
        (parts, sizes, tooLong, maxBytes) => {
          const bytes = Buffer.from(parts.join(''));
          const whole = split([bytes], maxBytes, tooLong);
          expect(split(cutAt(bytes, sizes), maxBytes, tooLong)).toEqual(whole);
          if (tooLong !== 'cut') return;
          const given = whole.map((line) => line.slice(line.indexOf(' ') + 1).length);
          expect(Math.max(0, ...given)).toBeLessThanOrEqual(maxBytes + (parts.at(-1) === '\n' ? 0 : 1));
        },
      ),
    );
  });

  it('agrees with a plain split', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'bb', '\n', '\r\n', 'é'), { maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        (parts, size) => {
          const bytes = Buffer.from(parts.join(''));
          const expected = bytes.toString('latin1').split('\n');
          const rest = expected.pop();
          const lines = [
            ...expected.map((line) => `whole ${line.replace(/\r$/, '')}`),
            ...(rest ? [`rest ${rest}`] : []),
          ];
          expect(split(cutAt(bytes, [size]), 1_000, 'stop')).toEqual(lines);
        },
      ),
    );
  });

  it('finds the line ends of UTF-16 at whole characters only, however it is cut', () => {
    // U+0A00 and U+000A side by side: the bytes of a line end lie across two characters.
    const text = 'x\u0a00\u0a0a\r\nöb\n\n\u0a00';
    const le = Buffer.from(text, 'utf16le');
    const be = Buffer.from(le).swap16();
    for (const [bytes, lineEnd] of [
      [le, 'utf-16le'],
      [be, 'utf-16be'],
    ] as const) {
      const hex = (part: string) => {
        const encoded = Buffer.from(part, 'utf16le');
        return (lineEnd === 'utf-16le' ? encoded : encoded.swap16()).toString('hex');
      };
      const lines = [`whole ${hex('x\u0a00\u0a0a')}`, `whole ${hex('öb')}`, 'whole ', `rest ${hex('\u0a00')}`];
      for (const size of [1, 2, 3, 5, 100]) expect(split(cutAt(bytes, [size]), 100, 'stop', lineEnd)).toEqual(lines);
      const short = split(cutAt(bytes, [3]), 5, 'shorten', lineEnd).map((line) => line.split(' ')[0]);
      expect(short).toEqual(['overlong', 'whole', 'whole', 'rest']);
    }
  });
});

describe('LineGroups', () => {
  const grouped = (lines: readonly string[], limits: Partial<LineGroupLimits> = {}): string[] => {
    const isStart = (line: Buffer) => /^\d/.test(line.toString());
    const groups = new LineGroups({ isStart, lineEnd: 'lf', maxLines: 100, maxBytes: 1_000, ...limits });
    const done: (Line | undefined)[] = [];
    for (const line of lines) {
      const [kind = '', text = ''] = line.split(' ');
      done.push(groups.add({ bytes: Buffer.from(text), size: text.length + 1, kind: kind as Line['kind'] }));
    }
    done.push(groups.flush());
    return done.flatMap((line) => (line === undefined ? [] : [`${line.kind} ${line.bytes} ${line.size}`]));
  };

  it('joins lines up to the next that begins a group', () => {
    expect(grouped(['whole  at', 'whole 1', 'whole at', 'whole 2'])).toEqual([
      'whole  1',
      'whole 1\nat 5',
      'whole 2 2',
    ]);
    expect(grouped([])).toEqual([]);
  });

  it('joins all up to a flush where nothing begins a group', () => {
    expect(grouped(['whole 1', 'whole 2'], { isStart: undefined })).toEqual(['whole 1\n2 4']);
  });

  it('gives a group that is too large in several, and the pieces of a line without a line feed between them', () => {
    expect(grouped(['whole 1', 'whole a', 'whole b'], { maxLines: 2 })).toEqual(['whole 1\na 4', 'whole b 2']);
    expect(grouped(['whole 1', 'whole abc', 'whole d'], { maxBytes: 5 })).toEqual(['whole 1\nabc 6', 'whole d 2']);
    expect(grouped(['piece 12', 'whole 34', 'whole a'])).toEqual(['whole 1234\na 8']);
  });

  it('gives a line that is not all there by itself', () => {
    expect(grouped(['whole 1', 'overlong a', 'whole b'])).toEqual(['whole 1 2', 'overlong a 2', 'whole b 2']);
  });
});

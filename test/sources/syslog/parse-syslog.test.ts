import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseSyslog } from '../../../src/sources/syslog/parse-syslog.js';

const NOW = new Date(2026, 10, 27, 20, 0, 0).getTime();
const local = (...parts: [number, number, number, number, number, number]) => new Date(...parts).getTime();

function read(text: string | Uint8Array, now = NOW) {
  const { raw: _, ...fields } = parseSyslog({ bytes: Buffer.from(text as string), isCut: false }, now);
  return JSON.parse(JSON.stringify(fields)) as Record<string, unknown>;
}

describe('RFC 5424', () => {
  // Section 6.5.
  it('is read: its own examples', () => {
    expect(
      read("<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \uFEFF'su root' failed on /dev/pts/8"),
    ).toEqual({
      format: 'rfc5424',
      facility: 4,
      severity: 2,
      timestamp: Date.UTC(2003, 9, 11, 22, 14, 15, 3),
      host: 'mymachine.example.com',
      app: 'su',
      msgId: 'ID47',
      structuredData: {},
      message: "'su root' failed on /dev/pts/8",
      isTruncated: false,
    });
    expect(
      read(
        '<165>1 2003-10-11T22:14:15.003000-07:00 192.0.2.1 evntslog 8710 ID47 [exampleSDID@32473 iut="3" eventSource="Appli\\"c\\\\a\\]tion" x=""][b@1] BOMAn event',
      ),
    ).toMatchObject({
      timestamp: Date.UTC(2003, 9, 12, 5, 14, 15, 3),
      procId: '8710',
      structuredData: { 'exampleSDID@32473': { iut: '3', eventSource: 'Appli"c\\a]tion', x: '' }, 'b@1': {} },
      message: 'BOMAn event',
    });
    expect(read('<0>1 - - - - - -')).toMatchObject({ format: 'rfc5424', facility: 0, severity: 0, message: '' });
  });

  it.each([
    '<34>1 yesterday host app - - - text',
    '<34>1 2003-13-11T22:14:15Z host app - - - text',
    '<34>1 2003-10-11T22:14:15Z host app - - [a b="c] text',
    '<34>1 2003-10-11T22:14:15Z host app - - [a b=c] text',
    '<34>1 2003-10-11T22:14:15Z host app',
    '<34>2 2003-10-11T22:14:15Z host app - - - text',
  ])('of which %j is none is kept whole', (text) => {
    const { format, severity, message } = read(text);
    expect([format, severity]).toEqual(['rfc3164', 2]);
    expect(text.endsWith(String(message))).toBe(true);
  });

  it('has names that JavaScript has too', () => {
    const { structuredData } = parseSyslog(
      { bytes: Buffer.from('<13>1 - - - - - [__proto__ __proto__="a" constructor="b"] -'), isCut: false },
      NOW,
    );
    const [[, own = {}] = []] = Object.entries(structuredData);
    expect(Object.entries(own)).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });
});

describe('RFC 3164', () => {
  it.each([
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed",
      { timestamp: local(2026, 9, 11, 22, 14, 15), host: 'mymachine', app: 'su', message: "'su root' failed" },
    ],
    [
      '<13>Nov  7 01:02:03 h sshd[12]: hi: there',
      { timestamp: local(2026, 10, 7, 1, 2, 3), host: 'h', app: 'sshd', procId: '12', message: 'hi: there' },
    ],
    // As a local program sends it, without a host.
    ['<13>Nov 27 19:00:00 logger: hi', { timestamp: local(2026, 10, 27, 19, 0, 0), app: 'logger', message: 'hi' }],
    [
      '<13>2026-11-27T19:00:00.5+01:00 h app: hi',
      { timestamp: Date.UTC(2026, 10, 27, 18, 0, 0, 500), host: 'h', app: 'app', message: 'hi' },
    ],
    [
      '<13>Nov 27 19:00:00 10.0.0.7 no tag here',
      { timestamp: local(2026, 10, 27, 19, 0, 0), host: '10.0.0.7', message: 'no tag here' },
    ],
    ['<13>Nov 27 19:00:00 fe80::1 a: b', { host: 'fe80::1', app: 'a', message: 'b' }],
    ['<13>Nov 27 2025 19:00:00: %ASA-6-1: x', { timestamp: undefined }],
    ['<13>Nov 31 19:00:00 h a: b', { message: 'Nov 31 19:00:00 h a: b' }],
    ['<13>just text', { message: 'just text' }],
    ['<13>', { message: '' }],
  ])('%j', (text, expected) => {
    const { timestamp, ...rest } = expected as { timestamp?: number };
    const found = read(text);
    expect(found).toMatchObject({ format: 'rfc3164', facility: text.startsWith('<34>') ? 4 : 1, ...rest });
    if (timestamp !== undefined) expect(found.timestamp).toBe(timestamp);
  });

  it('has no year: it is the last that the date was in, but for tomorrow', () => {
    const newYear = local(2027, 0, 1, 0, 10, 0);
    expect(read('<13>Dec 31 23:59:59 h a: b', newYear).timestamp).toBe(local(2026, 11, 31, 23, 59, 59));
    expect(read('<13>Jan  1 00:00:01 h a: b', local(2026, 11, 31, 23, 59, 0)).timestamp).toBe(
      local(2027, 0, 1, 0, 0, 1),
    );
    expect(read('<13>Feb 29 10:00:00 h a: b').timestamp).toBe(local(2024, 1, 29, 10, 0, 0));
  });
});

describe('any bytes', () => {
  it('are a message: what cannot be read is marked, and kept as it came', () => {
    expect(read('no priority')).toMatchObject({ format: 'unparsed', message: 'no priority' });
    expect(read('<192>1 - - - - - - x')).toMatchObject({ format: 'unparsed' });
    const bytes = Buffer.from([0x3c, 0x31, 0x3e, 0xff, 0xfe, 0x0a]);
    const { message, raw } = parseSyslog({ bytes, isCut: true }, NOW);
    expect([message, [...raw]]).toEqual(['\uFFFD\uFFFD', [...bytes.subarray(0, 5)]]);
  });

  it('never throw, and lose no character of their text', () => {
    const part = fc.constantFrom(
      '<13>',
      '1 ',
      '- ',
      '[a b="c"]',
      '"',
      '\\',
      ']',
      '[',
      'Nov 27 19:00:00 ',
      'h ',
      'app[1]: ',
      '2026-11-27T19:00:00Z ',
      'é',
      '💥',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        const message = parseSyslog({ bytes: Buffer.from(text), isCut: false }, NOW);
        expect(Buffer.from(message.raw).toString()).toBe(text);
        expect(text.endsWith(message.message)).toBe(true);
      }),
    );
  });
});

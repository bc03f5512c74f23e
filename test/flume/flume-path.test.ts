import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { flumePath } from '../../src/flume/index.js';

const at = (timestamp: number | string, headers = {}) => ({
  headers: { timestamp: String(timestamp), ...headers },
  body: Buffer.from(''),
});
// 2026-03-02 07:09:05.678 UTC, a Monday.
const MONDAY = Date.UTC(2026, 2, 2, 7, 9, 5, 678);

describe('flumePath', () => {
  it('has every letter of Flume', () => {
    const letters = [...'aAbBdeHIjklmMnpsStyYz'];
    const path = flumePath(letters.map((letter) => `${letter}=%${letter}`).join(','));
    expect(path(at(MONDAY))).toBe(
      [
        ...[
          'a=Mon',
          'A=Monday',
          'b=Mar',
          'B=March',
          'd=02',
          'e=2',
          'H=07',
          'I=07',
          'j=061',
          'k=7',
          'l=7',
          'm=03',
          'M=09',
        ],
        ...['n=3', 'p=AM', `s=${Math.floor(MONDAY / 1_000)}`, 'S=05', `t=${MONDAY}`, 'y=26', 'Y=2026', 'z=+0000'],
      ].join(','),
    );
    expect(flumePath('%D')(at(MONDAY))).toBe('03/02/26');
    expect(flumePath('100%%')(at(MONDAY))).toBe('100%');
  });

  it('has noon and midnight as twelve', () => {
    const path = flumePath('%I %l %p');
    expect([0, 12, 23].map((hour) => path(at(Date.UTC(2026, 0, 1, hour))))).toEqual([
      '12 12 AM',
      '12 12 PM',
      '11 11 PM',
    ]);
  });

  it.each([
    ['Europe/Berlin', '2026-03-29T00:59:59Z', '0159 +0100'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z', '0300 +0200'],
    ['Europe/Berlin', '2026-10-25T00:30:00Z', '0230 +0200'],
    ['Europe/Berlin', '2026-10-25T01:30:00Z', '0230 +0100'],
    ['Asia/Kathmandu', '2026-01-01T00:00:00Z', '0545 +0545'],
    ['America/St_Johns', '2026-01-01T00:00:00Z', '2030 -0330'],
  ])('shows the clocks of %s at %s as %s', (timeZone, iso, shown) => {
    expect(flumePath('%H%M %z', { timeZone })(at(Date.parse(iso)))).toBe(shown);
  });

  it('is the time that Node shows, at any moment in any zone', () => {
    const zones = ['UTC', 'Europe/Berlin', 'Asia/Shanghai', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata'];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), fc.constantFrom(...zones), (ms, timeZone) => {
        const shown = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
          ms,
        );
        expect(flumePath('%Y-%m-%d %H-%M-%S', { timeZone })(at(ms)).replace(/-(\d\d)-(\d\d)$/, ':$1:$2')).toBe(shown);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['minute', 10, '07:00:00'],
    ['second', 4, '07:09:04'],
    ['hour', 6, '06:00:00'],
    ['minute', 7, '07:07:00'],
  ] as const)('rounds down to %s %i', (unit, value, shown) => {
    expect(flumePath('%H.%M.%S', { round: { unit, value } })(at(MONDAY)).replaceAll('.', ':')).toBe(shown);
  });

  it('rounds within the zone', () => {
    const path = flumePath('%d %H', { timeZone: 'Asia/Kolkata', round: { unit: 'hour', value: 12 } });
    expect(path(at(Date.UTC(2026, 0, 1, 18, 29)))).toBe('01 12');
    expect(path(at(Date.UTC(2026, 0, 1, 18, 30)))).toBe('02 00');
  });

  it('makes one segment of a header, whatever it holds', () => {
    const path = flumePath('app=%{app}/%{host}');
    const headers = (app: string, host: string) => path({ headers: { app, host }, body: Buffer.from('') });
    expect(headers('a/../b', '..')).toBe('app=a%2F..%2Fb/%2E.');
    expect(headers('', '')).toBe('app=/%00');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (app, host) => {
        expect(headers(app, host).split('/')).toHaveLength(2);
      }),
    );
    expect(path({ headers: {}, body: Buffer.from('') })).toBe('app=/%00');
    expect(flumePath('%{__proto__}')({ headers: {}, body: Buffer.from('') })).toBe('%00');
  });

  it('needs the header `timestamp` for a time only, and nacks the event alone without it', () => {
    const bare = { headers: { host: 'a' }, body: Buffer.from('') };
    expect(flumePath('%{host}')(bare)).toBe('a');
    for (const timestamp of ['', 'soon', '1.5', '-1', '9'.repeat(20)]) {
      expect(() => flumePath('%Y')(at(timestamp))).toThrow(expect.objectContaining({ code: 'RXF_SINK_BUCKET' }));
    }
    const arrival = flumePath('%Y', { time: 'arrival' });
    expect(arrival(bare, undefined, () => new Date(MONDAY))).toBe('2026');
  });

  it.each([
    ['%Q', '`%Q`'],
    ['%c', '`%c`'],
    ['%[nowhere]', '`%[nowhere]`'],
  ])('rejects %s, which Flume leaves out or fails at', (pattern, named) => {
    expect(() => flumePath(pattern)).toThrow(named);
  });

  it('rejects a zone and a rounding that do not exist', () => {
    expect(() => flumePath('%Y', { timeZone: 'Mars/Olympus' })).toThrow('Mars/Olympus');
    expect(() => flumePath('%Y', { round: { unit: 'minute', value: 60 } })).toThrow('round.value');
  });
});

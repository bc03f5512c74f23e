import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Origin } from '../../../src/delivery/delivery.js';
import { batchId, type HttpBatch, idempotencyKey } from '../../../src/sinks/http/batch-id.js';
import { expectHeaders, urlProblem, withoutSecrets } from '../../../src/sinks/http/request-parts.js';
import { retryAfterMs } from '../../../src/sinks/http/retry-after.js';
import { type Judging, verdictOf } from '../../../src/sinks/http/verdict.js';

describe('Retry-After', () => {
  const now = Date.parse('Wed, 25 Nov 2026 02:00:00 GMT');

  it.each([
    ['0', 0],
    ['7', 7_000],
    [' 120 ', 120_000],
    ['Wed, 25 Nov 2026 02:00:30 GMT', 30_000],
    ['Wednesday, 25-Nov-26 02:00:30 GMT', 30_000],
    ['Wed Nov 25 02:00:30 2026', 30_000],
    ['Wed Nov  4 02:00:30 2026', 0],
    ['Wednesday, 25-Nov-75 02:00:30 GMT', Date.UTC(2075, 10, 25, 2, 0, 30) - now],
    ['Wednesday, 25-Nov-99 02:00:30 GMT', 0],
    ['Wed Nov 25 02:00:30 2026 GMT', undefined],
    ['Wed, 25 Nov 2026 02:00:30', undefined],
    ['Wed, 25 Nov 2026 02:00:30 +0800', undefined],
    ['Wed, 25 Nov 2026 25:00:30 GMT', undefined],
    ['30, 60', undefined],
    ['Tue, 24 Nov 2026 02:00:30 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['2026', 2_026_000],
    ['99999999999999999999', undefined],
    ['Wed, 99 Foo 2026', undefined],
  ])('%j is %j ms, in every time zone', (header, expected) => {
    const zone = process.env.TZ;
    try {
      for (const TZ of ['UTC', 'Asia/Shanghai', 'America/Los_Angeles']) {
        process.env.TZ = TZ;
        expect(retryAfterMs(header, now)).toBe(expected);
      }
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });
});

describe('the verdict on an answer', () => {
  const judging: Judging = { values: 3, hasKey: true, reject: 'batch', whyRejected: () => undefined, now: 0 };
  const verdict = (status: number, change: Partial<Judging> = {}, headers: Record<string, string> = {}) =>
    verdictOf({ status, headers, excerpt: '', isWhole: true }, { ...judging, ...change });

  it.each([
    ['taken', [200, 201, 202, 204, 299]],
    ['elsewhere', [300, 301, 302, 307, 308]],
    ['again', [408, 409, 425, 429, 500, 502, 503, 504, 599]],
    ['rejected', [400, 422]],
    ['halve', [413]],
    ['denied', [401, 403, 404, 405, 410, 411, 415, 421, 451]],
  ])('%s: %j', (what, statuses) => {
    expect(statuses.map((status) => verdict(status).what)).toEqual(statuses.map(() => what));
  });

  it('by the number of values, the key, and the options', () => {
    expect(verdict(413, { values: 1 })).toEqual({ what: 'tooLarge' });
    expect(verdict(409, { hasKey: false })).toEqual({ what: 'rejected' });
    expect(verdict(422, { reject: 'value' })).toEqual({ what: 'halve' });
    expect(verdict(422, { reject: 'value', values: 1 })).toEqual({ what: 'rejected' });
    expect(verdict(401, { reject: 'value' })).toEqual({ what: 'denied' });
    expect(verdict(200, { whyRejected: () => 'errors' })).toEqual({ what: 'rejected', why: 'errors' });
    expect(verdict(200, { whyRejected: () => 'errors', reject: 'value' })).toEqual({ what: 'halve' });
    expect(verdict(503, {}, { 'retry-after': '2' })).toEqual({ what: 'again', afterMs: 2_000 });
    expect(verdict(503)).toEqual({ what: 'again', afterMs: 0 });
  });
});

describe('the id of a batch', () => {
  const idOf = (...origins: Partial<Origin>[]) => batchId('s', origins as Origin[]);

  it('is the run of offsets, where it is one', () => {
    expect(idOf({ offset: 5 })).toBe('s+5');
    expect(idOf({ offset: 5 }, { offset: 6 }, { offset: 7 })).toBe('s+5-7');
    expect(idOf({ offset: 5, part: '0.2' })).toBe('s+5.0.2');
    expect(idOf({ offset: 5, lastOffset: 9 })).toBe('s+5-9');
  });

  it('tells two batches apart that begin and end at the same, and is the same for the same', () => {
    const gap = idOf({ offset: 5 }, { offset: 7 }, { offset: 9 });
    expect(gap).toMatch(/^s\+5-9~[0-9a-z]{8,14}$/);
    expect(gap).toBe(idOf({ offset: 5 }, { offset: 7 }, { offset: 9 }));
    expect(idOf({ offset: 5, part: '0' }, { offset: 5, part: '1' })).toMatch(/^s\+5.0-5.1~/);
    const all = [6, 7, 8].flatMap((one) =>
      [6, 7, 8].map((other) => idOf({ offset: 5 }, { offset: one }, { offset: other }, { offset: 9 })),
    );
    expect(new Set([gap, ...all]).size).toBe(10);
  });

  it('has no two alike among many', () => {
    const ids = new Set<string>();
    for (let set = 0; set < 2 ** 14; set += 1) {
      const inner = Array.from({ length: 14 }, (_, bit) => bit + 1).filter((bit) => (set & (1 << (bit - 1))) !== 0);
      ids.add(idOf({ offset: 0 }, ...inner.map((offset) => ({ offset })), { offset: 15 }));
    }
    expect(ids.size).toBe(2 ** 14);
  });
});

describe('the idempotency key', () => {
  it.each([
    ['kafka:chat/3+1-9', '"kafka:chat/3+1-9"'],
    ['tail:/var/log/мир "x" 50%\\', '"tail:/var/log/%D0%BC%D0%B8%D1%80 %22x%22 50%25%5C"'],
    ['a\r\nb', '"a%0D%0Ab"'],
    ['a\ud800b', '"a%ud800b"'],
    ['a%ud800b', '"a%25ud800b"'],
    ['订单', '"%E8%AE%A2%E5%8D%95"'],
  ])('of %j is %j', (id, expected) => expect(idempotencyKey({ id } as HttpBatch)).toBe(expected));
});

describe('the name of a batch, as a server sees it', () => {
  // Names that look like the rest of an id, or that lose something on the way to a header.
  const names = fc.oneof(
    fc.constantFrom(
      's',
      's+1',
      's+1-2',
      's+1~x',
      's"',
      's%22',
      's\\',
      's%',
      's%25',
      '\ud800',
      '%ud800',
      '\udc00',
      '订',
      's/1',
      's 1',
    ),
    fc.string({ unit: 'binary', maxLength: 6 }),
  );
  const run = fc.record({
    stream: names,
    first: fc.integer({ min: 0, max: 12 }),
    count: fc.integer({ min: 1, max: 3 }),
    step: fc.integer({ min: 1, max: 2 }),
    part: fc.constantFrom(undefined, '0', '1', '0.1'),
  });
  const originsOf = ({
    first,
    count,
    step,
    part,
  }: {
    first: number;
    count: number;
    step: number;
    part: string | undefined;
  }) => Array.from({ length: count }, (_, n) => ({ offset: first + n * step, part }) as Origin);

  it('is another for another stream, other offsets and other parts, and fits a header', () =>
    fc.assert(
      fc.property(run, run, (one, other) => {
        const [a, b] = [one, other].map((each) => {
          const key = idempotencyKey({ id: batchId(each.stream, originsOf(each)) } as HttpBatch);
          expectHeaders('idempotencyKey', { 'Idempotency-Key': key });
          return { key, values: JSON.stringify([each.stream, originsOf(each)]) };
        }) as [{ key: string; values: string }, { key: string; values: string }];
        expect(a.key === b.key).toBe(a.values === b.values);
      }),
      { numRuns: 3_000 },
    ));
});

describe('the parts of a request', () => {
  it('URLs', () => {
    expect(urlProblem('https://store:9200/chat?token=x')).toBeUndefined();
    expect(urlProblem('/chat')).toMatch(/whole URL/);
    expect(urlProblem('ftp://store/')).toMatch(/http:\/\//);
    expect(urlProblem('http://ann:sesame@store/')).toMatch(/no user name or password/);
    expect(urlProblem(undefined)).toMatch(/text/);
    expect(urlProblem('http://store/\ud800')).toMatch(/no unpaired surrogate/);
  });

  it.each([
    [{ 'x y': 'a' }, 'by names of HTTP headers'],
    [{ 'Content-Length': '5' }, 'without what the sink sets itself'],
    [{ 'x-a': 'sesame\r\nevil: 1' }, 'texts without control characters'],
    [{ 'x-a': 'снег' }, 'texts without control characters'],
    [{ 'x-a': 5 }, 'texts without control characters'],
    [null, 'an object of texts by name'],
  ])('rejects the headers %j and shows no value', (headers, rule) => {
    expect(() => expectHeaders('headers', headers)).toThrow(rule);
    expect(() => expectHeaders('headers', headers)).not.toThrow('sesame');
  });

  it('takes what was sent out of what a server says', () => {
    const url = 'http://store/?key=s%C3%A9same-open';
    const said = 'no Bearer abc.def-123 for sésame-open or s%C3%A9same-open in json';
    const headers = { authorization: 'Bearer abc.def-123', accept: 'json' };
    expect(withoutSecrets(said, url, headers)).toBe('no *** for *** or *** in json');
  });
});

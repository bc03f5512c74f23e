import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SinkError } from '../../../../src/core/errors.js';
import { bucketError, bucketSegment, checkBucket, harmOf } from '../../../../src/sinks/files/buckets/bucket.js';

const NEXT = 'Make `path` give safe segments, such as with bucketSegment(value).';

describe('a bucket', () => {
  it.each(['', 'a', 'dt=2026-03-02/lang=zh', '...', '..a', 'a..', '_a', 'a'.repeat(255), `${'a/'.repeat(1_023)}aa`])(
    'may be %j',
    (bucket) => expect(() => checkBucket(bucket)).not.toThrow(),
  );

  it.each([
    [undefined, 'it is not a text but undefined'],
    [7, 'it is not a text but 7'],
    ['/a', 'it has an empty segment, or starts or ends with `/`'],
    ['a/', 'it has an empty segment, or starts or ends with `/`'],
    ['a//b', 'it has an empty segment, or starts or ends with `/`'],
    ['.', 'it has a segment `.`'],
    ['a/../b', 'it has a segment `..`'],
    ['a\u0000b', 'it has a control character, a `:` or a `\\`'],
    ['a\u007f', 'it has a control character, a `:` or a `\\`'],
    ['a\ud800', 'it has an unpaired surrogate'],
    ['a:b', 'it has a control character, a `:` or a `\\`'],
    ['a\\b', 'it has a control character, a `:` or a `\\`'],
    ['_rxflume', '`_rxflume` is where the sink keeps its own files'],
    ['a/_rxflume-2', '`_rxflume` is where the sink keeps its own files'],
    ['a'.repeat(256), 'a segment is longer than 255 bytes'],
    ['é'.repeat(128), 'a segment is longer than 255 bytes'],
    [`a/${'b'.repeat(256)}`, 'a segment is longer than 255 bytes'],
    [`${'a/'.repeat(1_024)}a`, 'it is longer than 2048 bytes'],
  ])('may not be %j', (bucket, why) => {
    const call = () => checkBucket(bucket);
    expect(call).toThrow(SinkError);
    expect(call).toThrow(`is not valid: ${why}. ${NEXT}`);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_SINK_BUCKET', retryable: false }));
  });

  it('is in the error, but not all of a long one', () => {
    const detailsOf = (bucket: unknown) => {
      try {
        checkBucket(bucket);
      } catch (error) {
        return (error as SinkError).details;
      }
      return undefined;
    };
    expect(detailsOf('..')).toEqual({ bucket: '..' });
    expect(detailsOf({})).toEqual({ bucket: 'Object' });
    expect(detailsOf('b'.repeat(3_000))).toEqual({ bucket: 'b'.repeat(200) });
  });
});

describe('a path in the ledger', () => {
  it.each([
    ['a:b', null],
    ['a'.repeat(300), null],
    ['a\u001fb', 'it has a control character or a `\\`'],
    ['a\\b', 'it has a control character or a `\\`'],
    ['a/../b', 'it has a segment `..`'],
  ])('%j could harm: %j', (path, why) => expect(harmOf(path)).toBe(why));
});

describe('the error of a bucket', () => {
  it('has a cause where there was one', () => {
    const cause = new RangeError('Invalid time value');
    expect(bucketError(undefined, 'path failed', cause).cause).toBe(cause);
    expect('cause' in bucketError(undefined, 'path failed')).toBe(false);
  });
});

describe('bucketSegment', () => {
  it.each([
    ['', '%00'],
    ['zh', 'zh'],
    ['a/b', 'a%2Fb'],
    ['100%', '100%25'],
    ['a:b\\c', 'a%3Ab%5Cc'],
    ['\u0001\n', '%01%0A'],
    ['.', '%2E'],
    ['..', '%2E.'],
    ['.a', '%2Ea'],
    ['\ud800', '%ED%A0%80'],
    ['a\udfff', 'a%ED%BF%BF'],
    ['x'.repeat(200), 'x'.repeat(200)],
    ['_rxflume', '%5Frxflume'],
    ['_', '%5F'],
    ['a_', 'a_'],
    ['你好🎉', '你好🎉'],
  ])('of %j is %j', (text, segment) => expect(bucketSegment(text)).toBe(segment));

  it('makes any short text a bucket, and no two the same', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 40 }), (one, other) => {
        expect(() => checkBucket(bucketSegment(one))).not.toThrow();
        expect(bucketSegment(one).includes('/')).toBe(false);
        if (one !== other && one !== '\u0000' && other !== '\u0000') {
          expect(bucketSegment(one)).not.toBe(bucketSegment(other));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

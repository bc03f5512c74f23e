import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { OptionError, SinkError } from '../../src/core/errors.js';
import { text } from '../../src/formats/text.js';

describe('text', () => {
  it('writes bytes as they are and text in UTF-8, a newline behind each', () => {
    const encoder = text().encoder();
    for (const value of [Buffer.from([0xff, 0]), 'é😀', '', new Uint8Array(), 'two\nlines']) encoder.add(value);
    const expected = [Buffer.from([0xff, 0, 10]), Buffer.from('é😀\n\n\ntwo\nlines\n')];
    expect(Buffer.from(encoder.take())).toEqual(Buffer.concat(expected));
  });

  it.each(['\ud800', 'a\udc00b', '😀\ud83d'])('rejects %j, an unpaired surrogate, and adds nothing', (value) => {
    const encoder = text().encoder();
    expect(() => encoder.add(value)).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
    encoder.add('😀');
    expect(Buffer.from(encoder.take()).toString()).toBe('😀\n');
  });

  it('answers with the size of the chunk in bytes', () => {
    const encoder = text().encoder();
    expect([encoder.add('é'), encoder.add(Buffer.from('ab')), encoder.add('')]).toEqual([3, 6, 7]);
    expect([encoder.take().length, encoder.add('x'), encoder.take().length, encoder.take().length]).toEqual([
      7, 2, 2, 0,
    ]);
  });

  it('grows past its first 16 KiB, by many small values and by one large', () => {
    const encoder = text().encoder();
    const small = 'é'.repeat(50);
    for (let n = 0; n < 1_000; n += 1) encoder.add(small);
    const large = 'x'.repeat(300_000);
    encoder.add(large);
    encoder.add(Buffer.alloc(300_000, 'y'));
    expect(Buffer.from(encoder.take()).toString()).toBe(
      `${`${small}\n`.repeat(1_000)}${large}\n${'y'.repeat(300_000)}\n`,
    );
  });

  it('keeps a chunk as it was taken, whatever is added afterwards, and copies what it is given', () => {
    const encoder = text().encoder();
    const bytes = Buffer.from('first');
    encoder.add(bytes);
    bytes.fill('!');
    const chunk = encoder.take();
    encoder.add('second');
    encoder.take();
    expect(Buffer.from(chunk).toString()).toBe('first\n');
  });

  it.each([
    [null, 'Cannot write null (null) as text'],
    [undefined, 'Cannot write undefined (undefined) as text'],
    [5, 'Cannot write 5 (number) as text'],
    [{ a: 1 }, 'Cannot write Object (object) as text'],
  ])('rejects %p, and adds nothing', (value, message) => {
    const encoder = text().encoder();
    encoder.add('before');
    const call = () => encoder.add(value as never);
    expect(call).toThrow(message);
    expect(call).toThrow(SinkError);
    expect(call).toThrow(expect.objectContaining({ code: 'RXF_SINK_FORMAT', retryable: false }));
    expect(Buffer.from(encoder.take()).toString()).toBe('before\n');
  });

  it('joins to the same bytes wherever the chunks are taken', () => {
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 30 }),
      fc.uint8Array({ maxLength: 30 }),
      fc.constantFrom('é'.repeat(9_000), new Uint8Array(17_000).fill(65)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 30 }), (values) => {
        const encoder = text().encoder();
        const chunks: Uint8Array[] = [];
        for (const [one, isTaken] of values) {
          encoder.add(one);
          if (isTaken) chunks.push(encoder.take());
        }
        chunks.push(encoder.take());
        const expected = Buffer.concat(values.flatMap(([one]) => [Buffer.from(one as string), Buffer.from('\n')]));
        expect(Buffer.concat(chunks).equals(expected)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('names its files by the compression too', () => {
    expect([text().extension, text({ compression: 'gzip' }).extension]).toEqual(['txt', 'txt.gz']);
  });

  it('rejects wrong options', () => {
    expect(() => text({ newline: '\r\n' } as never)).toThrow(
      'Expected `text options` to have only known options (compression, compressionLevel), got `newline`.',
    );
    expect(() => text(null as never)).toThrow(OptionError);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DecodeError, OptionError } from '../../src/core/errors.js';
import { json } from '../../src/formats/json.js';
import { textDecoder } from '../../src/formats/text-decoder.js';

describe('textDecoder', () => {
  it.each([
    ['utf-8', 'e4bda0e5a5bd', '你好'],
    ['gbk', 'c4e3bac3', '你好'],
    ['gb18030', 'c4e3bac39439fc36', '你好😀'],
    ['big5', 'a741a66e', '你好'],
    ['shift_jis', '82b182f182c9', 'こんに'],
    ['euc-jp', 'a4b3a4f3', 'こん'],
    ['euc-kr', 'bec8b3e7', '안녕'],
    ['latin1', 'e9e880819f', 'éè€\u0081Ÿ'],
    ['ISO-8859-1', '7be97d', '{é}'],
    ['windows-1251', 'cff0e8', 'При'],
    ['utf-16le', '604f7d59', '你好'],
    ['utf-16be', '4f60597d', '你好'],
  ])('reads %s', (charset, hex, text) => {
    const decoder = textDecoder({ charset });
    expect(decoder(Buffer.from(hex, 'hex'))).toBe(text);
    expect(json()(decoder(Buffer.from(hex, 'hex')).replace(/.*/, '"$&"'))).toBe(text);
    expect(decoder(new Uint8Array())).toBe('');
    expect(() => decoder(null)).toThrow(expect.objectContaining({ code: 'RXF_DECODE_EMPTY' }));
  });

  it.each([
    ['utf-8', '61ff', 1],
    ['utf-8', '61c3', 1],
    ['utf-8', 'eda080', 0],
    ['gbk', '6181', 1],
    ['big5', '6181', 1],
    ['shift_jis', '6182', 1],
    ['euc-kr', '61fe', 1],
    ['utf-16le', '610000d8', 1],
    ['utf-16le', '610062', 1],
  ])('bytes that %s does not have are an error, or are replaced: %s', (charset, hex, offset) => {
    const bytes = Buffer.from(hex, 'hex');
    const decoder = textDecoder({ charset });
    for (let time = 0; time < 2; time += 1) {
      expect(() => decoder(bytes)).toThrow(DecodeError);
      expect(() => decoder(bytes)).toThrow(
        expect.objectContaining({ code: 'RXF_DECODE_SYNTAX', details: { charset, offset, length: bytes.length } }),
      );
      expect(() => decoder(bytes)).toThrow(`Not ${charset}: bytes that it does not have come at character ${offset}`);
      // What an error left behind is not put before the next value.
      const good = charset.startsWith('utf-16') ? Buffer.from([0x41, 0]) : Buffer.from([0x41]);
      expect(decoder(good)).toBe('A');
    }
    expect(textDecoder({ charset, invalid: 'replace' })(bytes).indexOf('\ufffd')).toBe(offset);
  });

  it('keeps a U+FFFD that was sent', () => {
    expect(textDecoder()(Buffer.from('\ufffd'))).toBe('\ufffd');
  });

  it('strips a byte order mark or keeps it, and rejects that of the other byte order', () => {
    for (const [charset, hex] of [
      ['utf-8', 'efbbbf61'],
      ['utf-16le', 'fffe6100'],
      ['utf-16be', 'feff0061'],
    ] as const) {
      expect(textDecoder({ charset })(Buffer.from(hex, 'hex'))).toBe('a');
      expect(textDecoder({ charset, bom: 'keep' })(Buffer.from(hex, 'hex'))).toBe('\ufeffa');
    }
    for (const [charset, hex] of [
      ['utf-16be', 'fffe6100'],
      ['utf-16le', 'feff0061'],
    ] as const) {
      for (const invalid of ['error', 'replace'] as const) {
        const call = () => textDecoder({ charset, invalid })(Buffer.from(hex, 'hex'));
        expect(call).toThrow(expect.objectContaining({ code: 'RXF_DECODE_SYNTAX' }));
        expect(call).toThrow(`Not ${charset}: the text begins with the byte order mark of the other byte order`);
      }
    }
  });

  it('of any bytes gives a text or a DecodeError', () => {
    const charsets = ['utf-8', 'gbk', 'gb18030', 'big5', 'shift_jis', 'euc-kr', 'latin1', 'utf-16le', 'utf-16be'];
    const decoders = charsets.map((charset) => textDecoder({ charset }));
    fc.assert(
      fc.property(fc.nat(charsets.length - 1), fc.uint8Array({ maxLength: 60 }), (at, bytes) => {
        try {
          expect(typeof decoders[at]?.(bytes)).toBe('string');
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('checks its options at the call', () => {
    expect(() => textDecoder({ charset: 'klingon' })).toThrow(OptionError);
    expect(() => textDecoder({ charset: 'klingon' })).toThrow("got `klingon`. Examples: 'utf-8', 'gbk'");
    expect(() => textDecoder({ charset: '' })).toThrow('`charset` to be a non-empty string');
    expect(() => textDecoder({ invalid: 'drop' as never })).toThrow("`invalid` to be one of 'error', 'replace'");
    expect(() => textDecoder({ bom: 'add' as never })).toThrow("`bom` to be one of 'strip', 'keep'");
  });
});

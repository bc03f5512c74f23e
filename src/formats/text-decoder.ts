import { TextDecoder } from 'node:util';
import { DecodeError, OptionError } from '../core/errors.js';
import { expectOneOf, expectText, withDefaults } from '../core/options.js';
import type { Decoder } from './decoder.js';

export interface TextDecoderOptions {
  /**
   * A label of the WHATWG Encoding Standard, such as `gbk`, `gb18030`, `big5`, `shift_jis`, `euc-kr`, `latin1`, which is windows-1252 there, or
   * `utf-16le`. Default `utf-8`.
   */
  readonly charset?: string;
  /** Of bytes that the charset does not have: `error`, or `replace` each by U+FFFD. Default `error`. */
  readonly invalid?: 'error' | 'replace';
  /** Of a byte order mark before the text: `strip` it, or `keep` it as U+FEFF. Default `strip`. */
  readonly bom?: 'strip' | 'keep';
}

/** The defaults of `textDecoder`. */
export const TEXT_DECODER_DEFAULTS = {
  charset: 'utf-8',
  invalid: 'error',
  bom: 'strip',
} as const satisfies TextDecoderOptions;

/**
 * A decoder of text in a charset. `json` takes text too, so JSON in another charset is decoded in two steps: `decode(textDecoder({ charset:
 * 'gbk' }))`, then `decode(json(schema))`.
 *
 * ```ts
 * import { json } from 'rxflume';
 * import { textDecoder } from 'rxflume/formats';
 *
 * const decoder = textDecoder({ charset: 'gbk' });
 * decoder(Buffer.from([0xc4, 0xe3, 0xba, 0xc3])); // → '你好'
 * json()(decoder(Buffer.from('7b226964223a377d', 'hex'))); // → { id: 7 }
 * ```
 *
 * Fails: an `OptionError` at the call for a charset that this Node does not have. Of a value: `RXF_DECODE_EMPTY` for null (a Kafka
 * tombstone), `RXF_DECODE_SYNTAX` for bytes that the charset does not have, and for UTF-16 whose byte order mark is that of the other order.
 * Source: WHATWG Encoding Standard; Node's `TextDecoder`, but for windows-1252, which Node before 23.7 reads as ISO-8859-1.
 */
export function textDecoder(options: TextDecoderOptions = {}): Decoder<Uint8Array | null, string> {
  const { charset, invalid, bom } = withDefaults('textDecoder options', TEXT_DECODER_DEFAULTS, options);
  expectText('charset', charset);
  expectOneOf('invalid', invalid, ['error', 'replace']);
  expectOneOf('bom', bom, ['strip', 'keep']);
  const decoder = decoderOf(charset, invalid === 'error', bom === 'keep');
  const { encoding } = decoder;
  const wrongMark = WRONG_MARKS[encoding];
  return (bytes) => {
    if (bytes === null || bytes === undefined) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected text, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    if (encoding === 'windows-1252') return windows1252(bytes);
    if (wrongMark !== undefined && bytes[0] === wrongMark[0] && bytes[1] === wrongMark[1]) {
      throw new DecodeError(
        'RXF_DECODE_SYNTAX',
        `Not ${charset}: the text begins with the byte order mark of the other byte order. Set \`charset\` to it.`,
        { details: { charset, offset: 0, length: bytes.length } },
      );
    }
    try {
      return decoder.decode(bytes);
    } catch (cause) {
      throw invalidError(charset, bytes, cause);
    }
  };
}

/** The byte order marks that show the other order: read as this one, each pair of bytes would be another character. */
const WRONG_MARKS: Readonly<Record<string, readonly [number, number]>> = {
  'utf-16le': [0xfe, 0xff],
  'utf-16be': [0xff, 0xfe],
};

function decoderOf(charset: string, fatal: boolean, ignoreBOM: boolean): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal, ignoreBOM });
  } catch (cause) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected \`charset\` to be one that this Node has, got \`${charset}\`. Examples: 'utf-8', 'gbk', 'gb18030', 'big5', ` +
        "'shift_jis', 'euc-jp', 'euc-kr', 'latin1', 'windows-1251', 'koi8-r', 'utf-16le', 'utf-16be'.",
      { cause, details: { option: 'charset' } },
    );
  }
}

/** The characters 0x80 to 0x9f; the others are those of Latin-1. Source: index-windows-1252.txt of the standard. */
const HIGH = '€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ';

function windows1252(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  return text.replace(/[\u0080-\u009f]/g, (char) => HIGH[char.charCodeAt(0) - 0x80] as string);
}

/** Its place is that of the first character that would be replaced. */
function invalidError(charset: string, bytes: Uint8Array, cause: unknown): DecodeError {
  const offset = new TextDecoder(charset, { ignoreBOM: true }).decode(bytes).indexOf('\ufffd');
  return new DecodeError(
    'RXF_DECODE_SYNTAX',
    `Not ${charset}: bytes that it does not have come at character ${offset}. Set \`charset\` to that of the producer, or ` +
      "`invalid: 'replace'`.",
    { cause, details: { charset, offset, length: bytes.length } },
  );
}

import { expectKnown } from '../core/options.js';
import { type CompressionName, compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';
import { jsonText } from './json-text.js';

export interface LinesOptions {
  /** Default `none`. */
  readonly compression?: CompressionName;
}

/**
 * One JSON text a line, in UTF-8. A value that has no JSON text (undefined, a function, a BigInt, a cycle), or one that
 * holds NaN, an infinity, an invalid date, a Map or a Set, or undefined in an array, is refused with `RXF_SINK_FORMAT`. A
 * field that is undefined is left out, and `-0` is written as `0`.
 */
export function jsonLines<T = unknown>(options: LinesOptions = {}): Format<T> {
  expectKnown('jsonLines options', options, ['compression']);
  const compression = compressionOf(options.compression);
  const extension = ['jsonl', compression.extension].filter(Boolean).join('.');
  return { extension, compression, encoder: () => new JsonLinesEncoder() };
}

class JsonLinesEncoder<T> implements Encoder<T> {
  #text = '';

  add(value: T): number {
    this.#text += `${jsonText(value)}\n`;
    return this.#text.length;
  }

  take(): Uint8Array {
    const chunk = Buffer.from(this.#text);
    this.#text = '';
    return chunk;
  }
}

import { jsonText } from '../core/json-text.js';
import { expectKnown } from '../core/options.js';
import { COMPRESSION_OPTIONS, type CompressionOptions, compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';

export interface LinesOptions extends CompressionOptions {}

/**
 * One JSON text a line, in UTF-8, by the rule of `jsonText`: a BigInt is its digits, and what JSON does not hold is rejected
 * with `RXF_SINK_FORMAT`.
 *
 * ```ts
 * import { jsonLines } from 'rxflume';
 *
 * const encoder = jsonLines().encoder();
 * encoder.add({ id: 1 });
 * encoder.add({ id: 2n });
 * String(encoder.take()); // → '{"id":1}\n{"id":2}\n'
 * jsonLines({ compression: 'gzip' }).extension; // → 'jsonl.gz'
 * ```
 */
export function jsonLines<T = unknown>(options: LinesOptions = {}): Format<T> {
  expectKnown('jsonLines options', options, COMPRESSION_OPTIONS);
  const compression = compressionOf(options.compression, options.compressionLevel);
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

import { jsonText } from '../core/json-text.js';
import { expectKnown } from '../core/options.js';
import { RawJson } from '../core/raw-json.js';
import { ChunkBuffer } from './chunk-buffer.js';
import { COMPRESSION_OPTIONS, type CompressionOptions, compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';

export interface LinesOptions extends CompressionOptions {}

/**
 * One JSON text a line, in UTF-8, by the rule of `jsonText`: a BigInt is its digits, and what JSON does not hold is rejected
 * with `RXF_SINK_FORMAT`. A value of `rawJson` is the text that came.
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
  readonly #chunk = new ChunkBuffer();
  /** What is serialised is joined as text, and encoded once for many values. */
  #text = '';

  add(value: T): number {
    if (value instanceof RawJson) {
      const line = value.line();
      this.#encode();
      this.#chunk.bytes(line);
      this.#chunk.newLine();
    } else {
      this.#text += `${jsonText(value)}\n`;
    }
    return this.#chunk.length + this.#text.length;
  }

  take(): Uint8Array {
    if (this.#chunk.length > 0) {
      this.#encode();
      return this.#chunk.take();
    }
    const chunk = Buffer.from(this.#text);
    this.#text = '';
    return chunk;
  }

  #encode(): void {
    if (this.#text === '') return;
    this.#chunk.text(this.#text);
    this.#text = '';
  }
}

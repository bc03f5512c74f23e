import { inspect } from 'node:util';
import { describeValue, SinkError } from '../core/errors.js';
import { expectKnown } from '../core/options.js';
import { isWellFormed } from '../core/text.js';
import { ChunkBuffer } from './chunk-buffer.js';
import { COMPRESSION_OPTIONS, compressionOf } from './compression.js';
import type { Encoder, Format } from './format.js';
import type { LinesOptions } from './json-lines.js';

/**
 * One value a line: bytes as they are, text in UTF-8, each with a newline behind it. A newline within a value is kept, and
 * makes two lines of it for a reader. A value that is neither bytes nor text (null is a Kafka tombstone), or a text with an
 * unpaired surrogate, which UTF-8 cannot hold, is rejected with `RXF_SINK_FORMAT`.
 *
 * ```ts
 * import { text } from 'rxflume';
 *
 * const encoder = text().encoder();
 * encoder.add('one');
 * encoder.add(Buffer.from('two'));
 * String(encoder.take()); // → 'one\ntwo\n'
 * ```
 */
export function text(options: LinesOptions = {}): Format<Uint8Array | string | null> {
  expectKnown('text options', options, COMPRESSION_OPTIONS);
  const compression = compressionOf(options.compression, options.compressionLevel);
  const extension = ['txt', compression.extension].filter(Boolean).join('.');
  return { extension, compression, encoder: () => new TextEncoder() };
}

class TextEncoder implements Encoder<Uint8Array | string | null> {
  readonly #chunk = new ChunkBuffer();

  add(value: Uint8Array | string | null): number {
    if (value instanceof Uint8Array) {
      this.#chunk.bytes(value);
    } else if (typeof value === 'string') {
      if (!isWellFormed(value)) throw halfPair(value);
      this.#chunk.text(value);
    } else {
      throw new SinkError(
        'RXF_SINK_FORMAT',
        `Cannot write ${describeValue(value)} (${value === null ? 'null' : typeof value}) as text: it is neither bytes nor a ` +
          'string. Drop tombstones with filterValue, or use jsonLines.',
      );
    }
    this.#chunk.newLine();
    return this.#chunk.length;
  }

  take(): Uint8Array {
    return this.#chunk.take();
  }
}

function halfPair(value: string): SinkError {
  const at = value.search(/\p{Surrogate}/u);
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write ${describeValue(value)} as text: UTF-8 cannot encode the unpaired surrogate at character ${at}. ` +
      'Replace it with mapValue, or use jsonLines, which escapes it.',
    { details: { offset: at } },
  );
}

/** A value as Node shows it to people, on one line: any value has such a text, and texts are quoted. Bytes as UTF-8 text. */
export function inspectText(value: unknown): string {
  const shown = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  return inspect(shown, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 6 });
}

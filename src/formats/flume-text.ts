import { expectKnown, expectOneOf } from '../core/options.js';
import { KiB } from '../core/units.js';
import { AvroWriter } from './avro-bytes.js';
import { COMPRESSION_OPTIONS, type CompressionOptions, compressionOf } from './compression.js';
import { type FlumeEvent, flumeEventBytes } from './flume-event.js';
import type { Encoder, Format } from './format.js';

export interface FlumeTextOptions extends CompressionOptions {
  /** `body`: as Flume's serializer `text`. `headers-and-body`: as its `header_and_text`, `{k=v, k2=v2} body`. Default `body`. */
  readonly write?: 'body' | 'headers-and-body';
}

/**
 * Flume events as Flume's own text serializers write them: the bytes of the body as they are, each with a newline behind it;
 * before it, where they are wanted, the headers as Java shows a map. A value that is not an event is nacked
 * (`RXF_SINK_FORMAT`).
 *
 * ```ts
 * import { flumeText } from 'rxflume';
 *
 * const encoder = flumeText({ write: 'headers-and-body' }).encoder();
 * encoder.add({ headers: { host: 'web1' }, body: Buffer.from('hi') });
 * String(encoder.take()); // → '{host=web1} hi\n'
 * ```
 *
 * Source: Flume 1.11, `BodyTextEventSerializer` and `HeaderAndBodyTextEventSerializer`, with `appendNewline`.
 */
export function flumeText(options: FlumeTextOptions = {}): Format<FlumeEvent> {
  expectKnown('flumeText options', options, ['write', ...COMPRESSION_OPTIONS]);
  const { write = 'body' } = options;
  expectOneOf('write', write, ['body', 'headers-and-body']);
  const compression = compressionOf(options.compression, options.compressionLevel);
  const extension = ['txt', compression.extension].filter(Boolean).join('.');
  return { extension, compression, encoder: () => new FlumeTextEncoder(write === 'headers-and-body') };
}

const NEW_LINE = Buffer.from('\n');

class FlumeTextEncoder implements Encoder<FlumeEvent> {
  readonly #withHeaders: boolean;
  readonly #bytes = new AvroWriter(16 * KiB);

  constructor(withHeaders: boolean) {
    this.#withHeaders = withHeaders;
  }

  add(event: FlumeEvent): number {
    flumeEventBytes(event);
    if (this.#withHeaders) this.#bytes.fixed(Buffer.from(`${headersText(event)} `));
    this.#bytes.fixed(event.body);
    this.#bytes.fixed(NEW_LINE);
    return this.#bytes.length;
  }

  take(): Uint8Array {
    return this.#bytes.take();
  }
}

/** As Java shows a map; in the order the headers came in, where Java has an order of its own. */
function headersText({ headers }: FlumeEvent): string {
  const pairs = Object.entries(headers).map(([name, value]) => `${name}=${value}`);
  return `{${pairs.join(', ')}}`;
}

import { deflateRawSync } from 'node:zlib';
import { expectKnown, expectOneOf } from '../core/options.js';
import { KiB } from '../core/units.js';
import { AvroWriter } from './avro-bytes.js';
import { compressionOf } from './compression.js';
import { writeFlumeEvent } from './flume-avro.js';
import { type FlumeEvent, flumeEventBytes } from './flume-event.js';
import type { Encoder, Format } from './format.js';

export interface FlumeAvroFileOptions {
  /** How each block is stored, a choice of the Avro file itself. Default `null`, which is as it is. */
  readonly codec?: 'null' | 'deflate';
}

/**
 * Flume events in an Avro object container file, as Flume's serializer `avro_event` writes them: records `Event` of `headers`
 * and `body`, one block a chunk. A value that is not an event is nacked (`RXF_SINK_FORMAT`).
 *
 * ```ts
 * import { flumeAvroFile } from 'rxflume';
 *
 * flumeAvroFile({ codec: 'deflate' }).extension; // → 'avro'
 * ```
 *
 * Source: Flume 1.11, `FlumeEventAvroEventSerializer`; Avro 1.11 specification, "Object Container Files".
 */
export function flumeAvroFile(options: FlumeAvroFileOptions = {}): Format<FlumeEvent> {
  expectKnown('flumeAvroFile options', options, ['codec']);
  const { codec = 'null' } = options;
  expectOneOf('codec', codec, ['null', 'deflate']);
  return {
    extension: 'avro',
    // The blocks are compressed, not the file: a reader must find them.
    compression: compressionOf('none'),
    encoder: () => new AvroFileEncoder(codec),
  };
}

const SCHEMA = JSON.stringify({
  type: 'record',
  name: 'Event',
  fields: [
    { name: 'headers', type: { type: 'map', values: 'string' } },
    { name: 'body', type: 'bytes' },
  ],
});

const MAGIC = Buffer.from('Obj\u0001', 'latin1');
const SYNC_BYTES = 16;
/** More than the count, the length and the marker around a block take. */
const BLOCK_EXTRA_BYTES = 64;

class AvroFileEncoder implements Encoder<FlumeEvent> {
  readonly #codec: 'null' | 'deflate';
  readonly #events = new AvroWriter(16 * KiB);
  /** Marks the end of each block; another in each file. */
  readonly #sync = Buffer.from(Array.from({ length: SYNC_BYTES }, () => Math.floor(Math.random() * 256)));
  #count = 0;
  #hasHeader = false;

  constructor(codec: 'null' | 'deflate') {
    this.#codec = codec;
  }

  add(event: FlumeEvent): number {
    flumeEventBytes(event);
    writeFlumeEvent(this.#events, event);
    this.#count += 1;
    return this.#events.length;
  }

  take(): Uint8Array {
    if (this.#count === 0) return new Uint8Array();
    const events = this.#events.take();
    const block = this.#codec === 'deflate' ? deflateRawSync(events) : events;
    const writer = new AvroWriter(block.length + SCHEMA.length + 2 * BLOCK_EXTRA_BYTES);
    if (!this.#hasHeader) this.#writeHeader(writer);
    writer.long(this.#count);
    writer.bytes(block);
    writer.fixed(this.#sync);
    this.#count = 0;
    return writer.written;
  }

  #writeHeader(writer: AvroWriter): void {
    this.#hasHeader = true;
    writer.fixed(MAGIC);
    writer.long(2);
    writer.text('avro.schema');
    writer.text(SCHEMA);
    writer.text('avro.codec');
    writer.text(this.#codec);
    writer.long(0);
    writer.fixed(this.#sync);
  }
}

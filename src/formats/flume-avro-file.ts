import { expectKnown } from '../core/options.js';
import { KiB } from '../core/units.js';
import { AvroWriter } from './avro-bytes.js';
import { AvroContainer, type BlockCodec, blockCodec } from './avro-container.js';
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
  const codec = blockCodec(options.codec ?? 'null', ['null', 'deflate']);
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

class AvroFileEncoder implements Encoder<FlumeEvent> {
  readonly #container: AvroContainer;
  readonly #events = new AvroWriter(16 * KiB);
  #count = 0;

  constructor(codec: BlockCodec) {
    this.#container = new AvroContainer(SCHEMA, codec);
  }

  add(event: FlumeEvent): number {
    flumeEventBytes(event);
    writeFlumeEvent(this.#events, event);
    this.#count += 1;
    return this.#events.length;
  }

  take(): Uint8Array {
    if (this.#count === 0) return new Uint8Array();
    const block = this.#container.block(this.#count, this.#events.take());
    this.#count = 0;
    return block;
  }
}

import { DecodeError } from '../core/errors.js';
import { AvroReader, AvroWriter } from './avro-bytes.js';
import type { Decoder } from './decoder.js';
import { type FlumeEvent, flumeEventBytes } from './flume-event.js';

/** The end of its headers and the length of its body: no event takes less. */
export const LEAST_EVENT_BYTES = 2;

/** The end of a name and of a value: no header takes less. */
const LEAST_HEADER_BYTES = 2;

/** The most headers of one event in a Kafka value. */
const MAX_HEADERS = 100_000;

/** Writes one event as Flume's Avro record: a map of headers, a body. */
export function writeFlumeEvent(writer: AvroWriter, { headers, body }: FlumeEvent): void {
  const names = Object.keys(headers);
  if (names.length > 0) {
    writer.long(names.length);
    for (const name of names) {
      writer.text(name);
      writer.text(headers[name] as string);
    }
  }
  writer.long(0);
  writer.bytes(body);
}

/** How many headers may still be read. */
export interface HeaderRoom {
  headers: number;
}

/** Reads one event; its body is a view of the bytes read from. Throws where it has more headers than there is room for. */
export function readFlumeEvent(reader: AvroReader, room: HeaderRoom): FlumeEvent {
  const headers: Record<string, string> = {};
  for (let count = reader.block(LEAST_HEADER_BYTES); count > 0; count = reader.block(LEAST_HEADER_BYTES)) {
    room.headers -= count;
    if (room.headers < 0) throw new DecodeError('RXF_DECODE_SYNTAX', 'Not a Flume event: it has too many headers.');
    for (let at = 0; at < count; at += 1) {
      const name = reader.text();
      const value = reader.text();
      if (name !== '__proto__') headers[name] = value;
      // An assignment would set the prototype, and lose the header.
      else Object.defineProperty(headers, name, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return { headers, body: reader.bytes() };
}

/**
 * A decoder of an event in Flume's Avro form, as the Kafka source, sink and channel of Flume write it with
 * `useFlumeEventFormat` and `parseAsFlumeEvent`. The body is a view of the bytes it was read from.
 *
 * ```ts
 * import { flumeAvro, toFlumeAvro } from 'rxflume';
 *
 * const bytes = toFlumeAvro({ headers: { host: 'web1' }, body: Buffer.from('hi') });
 * flumeAvro()(bytes); // → { headers: { host: 'web1' }, body: Buffer.from('hi') }
 * ```
 *
 * Fails: `RXF_DECODE_EMPTY` for null or no bytes, `RXF_DECODE_SYNTAX` for what is no event.
 * Source: Flume 1.11, `AvroFlumeEvent` in binary encoding, without schema or registry header.
 */
export function flumeAvro(): Decoder<Uint8Array | null, FlumeEvent> {
  return (bytes) => {
    if (bytes === null || bytes === undefined || bytes.length === 0) {
      throw new DecodeError(
        'RXF_DECODE_EMPTY',
        'Expected a Flume event, got no value (a tombstone). Drop tombstones with `filterValue((value) => value !== null)` first.',
      );
    }
    const reader = new AvroReader(bytes);
    const event = readFlumeEvent(reader, { headers: MAX_HEADERS });
    if (reader.left > 0) {
      throw new DecodeError(
        'RXF_DECODE_SYNTAX',
        `Not a Flume event in Avro: ${reader.left} of ${bytes.length} bytes are left after it.`,
      );
    }
    return event;
  };
}

/**
 * An event in Flume's Avro form, for a Kafka value that agents read. Throws `RXF_SINK_FORMAT` for what is no event.
 *
 * ```ts
 * import { toFlumeAvro } from 'rxflume';
 *
 * toFlumeAvro({ headers: {}, body: Buffer.from('hi') }); // → Buffer.from([0, 4, 0x68, 0x69])
 * ```
 */
export function toFlumeAvro(event: FlumeEvent): Buffer {
  const writer = new AvroWriter(flumeEventBytes(event) + 64);
  writeFlumeEvent(writer, event);
  return writer.written;
}

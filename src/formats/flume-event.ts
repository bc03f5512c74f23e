import { describeValue, SinkError } from '../core/errors.js';
import { isWellFormed } from '../core/text.js';

/** An Apache Flume event: string headers by name, and a body of bytes. */
export interface FlumeEvent {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Lengths on the wire and in Avro's blocks are of 32 bits; what is around an event takes less than the rest. */
const MAX_EVENT_BYTES = 2 ** 31 - 1 - 1024 * 1024;

/**
 * About how many bytes an event takes when it is sent: its body, and its headers' characters. Throws a `SinkError`
 * (`RXF_SINK_FORMAT`) for what is no event, and for what no form of an event can hold: an unpaired surrogate, which would be
 * written as U+FFFD, or 2 GiB.
 */
export function flumeEventBytes(event: FlumeEvent): number {
  const { headers, body } = (event ?? {}) as Partial<FlumeEvent>;
  if (!(body instanceof Uint8Array) || typeof headers !== 'object' || headers === null) throw noEvent(event);
  let bytes = body.length;
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (typeof value !== 'string') throw noEvent(event, name, value);
    if (!isWellFormed(name) || !isWellFormed(value)) throw unpaired(name);
    bytes += name.length + value.length;
  }
  if (bytes > MAX_EVENT_BYTES) {
    const message = `A Flume event of ${bytes} bytes cannot be sent: the limit is ${MAX_EVENT_BYTES} bytes. Split it before the sink.`;
    throw new SinkError('RXF_SINK_FORMAT', message);
  }
  return bytes;
}

/** What Node keeps for an event beside its bytes: its object, its headers', its body's, its delivery. */
const EVENT_OVERHEAD_BYTES = 320;
/** The same for a header: two texts, and its place in a table of names that is at most half full. */
const HEADER_OVERHEAD_BYTES = 120;

/** About how much memory a decoded event takes beside its bytes: one of a few bytes on the wire, a hundred times as much. */
export function flumeEventOverhead({ headers }: FlumeEvent): number {
  return EVENT_OVERHEAD_BYTES + Object.keys(headers).length * HEADER_OVERHEAD_BYTES;
}

function unpaired(name: string): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `The header ${describeValue(name)} of a Flume event has an unpaired surrogate in its name or value, which would be ` +
      'sent as U+FFFD. Correct it before the sink, or remove the header.',
    { details: { header: name } },
  );
}

function noEvent(event: unknown, name?: string, value?: unknown): SinkError {
  const got =
    name === undefined ? describeValue(event) : `the header ${describeValue(name)} with ${describeValue(value)}`;
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Expected a Flume event, \`{ headers, body }\` with string headers and a body of bytes, got ${got}. ` +
      'Map the value before the sink: `mapValue((value) => ({ headers: {}, body: value }))`.',
  );
}

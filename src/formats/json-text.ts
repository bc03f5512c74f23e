import { describeError, describeValue, SinkError } from '../core/errors.js';

/** A value's JSON text, without a newline. Throws `RXF_SINK_FORMAT` where it has none. */
export function jsonText(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new SinkError('RXF_SINK_FORMAT', `Cannot write a value as JSON: ${describeError(cause)}`, { cause });
  }
  if (json !== undefined) return json;
  throw new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write ${describeValue(value)} (${typeof value}) as JSON: it has no JSON text. Map it to an object before the sink.`,
  );
}

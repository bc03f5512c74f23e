import { describeError, describeValue, SinkError } from '../core/errors.js';

/** JSON.stringify writes `null` or `{}` for what JSON cannot hold, so only such a text needs a look at its value. */
const SUSPECT = /null|\{\}/;

/** A value's JSON text, without a newline. Throws `RXF_SINK_FORMAT` where it has none, or one that holds another value. */
export function jsonText(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new SinkError('RXF_SINK_FORMAT', `Cannot write a value as JSON: ${describeError(cause)}`, { cause });
  }
  if (json === undefined) throw noJson(value);
  if (SUSPECT.test(json)) expectHeld(value);
  return json;
}

/** Throws for the first part that was written as another value. A part with a `toJSON` of its own is what that says. */
function expectHeld(value: unknown): void {
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const part = rest.pop();
    if (typeof part === 'number' && !Number.isFinite(part)) throw noJson(part);
    if (typeof part !== 'object' || part === null) continue;
    if (part instanceof Map || part instanceof Set) throw noJson(part);
    if (part instanceof Date && Number.isNaN(part.getTime())) throw noJson(part);
    if (typeof (part as { toJSON?: unknown }).toJSON === 'function') continue;
    if (!Array.isArray(part)) for (const each of Object.values(part)) rest.push(each);
    else {
      for (const each of part) {
        if (each === undefined || typeof each === 'function' || typeof each === 'symbol') throw noJson(each);
        rest.push(each);
      }
    }
  }
}

function noJson(value: unknown): SinkError {
  return new SinkError(
    'RXF_SINK_FORMAT',
    `Cannot write ${describeValue(value)} (${typeof value}) as JSON: it has no JSON text. Map it to one that has before the sink.`,
  );
}

import { describeError } from '../../core/errors.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import { json } from '../../formats/json.js';
import type { HttpBodyKind } from './options.js';

/** A body that holds no values, or too many; `index`: which of them is wrong, from 0, where it is one. */
export class BodyError extends Error {
  readonly status: number;
  readonly index: number | undefined;

  constructor(status: number, message: string, index?: number) {
    super(message);
    this.status = status;
    this.index = index;
  }
}

/** A value, and its size as received, or about that. */
export interface HttpValue {
  readonly value: unknown;
  readonly byteLength: number;
}

const LINES = /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines|jsonlines|json-seq)$/;
const JSON_TYPE = /^(application\/json|application\/[\w.+-]+\+json|text\/json)$/;

/** What nearly all send. */
const JSON_PLAIN = 'application/json';

const exact = json();
const LF = 0x0a;

/** Whether a content type may hold what is asked for; none counts as JSON. */
export function isKnownType(kind: HttpBodyKind, type: string): boolean {
  if (kind === 'bytes' || type === '' || type === JSON_PLAIN) return true;
  return JSON_TYPE.test(type) || (kind === 'json' && LINES.test(type));
}

/** The content type without its parameters, in lower case. */
export function mediaType(header: string | undefined): string {
  if (header === JSON_PLAIN) return header;
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

/**
 * The values of a body, all of them or none.
 *
 * Fails: `BodyError`, 400 with the index of the first that is wrong, 413 for more than `maxCount`.
 */
export function valuesOf(kind: HttpBodyKind, type: string, body: Uint8Array, maxCount: number): HttpValue[] {
  if (kind === 'bytes') return [{ value: body, byteLength: Math.max(1, body.length) }];
  if (kind === 'json' && LINES.test(type)) return linesOf(body, maxCount);
  const parsed = parse(body);
  const list = kind === 'flume' || Array.isArray(parsed) ? parsed : [parsed];
  if (!Array.isArray(list)) throw new BodyError(400, 'The body is no array of events, as Flume’s JSONHandler has it.');
  if (list.length > maxCount) throw tooMany(maxCount);
  const byteLength = Math.max(1, Math.ceil(body.length / Math.max(1, list.length)));
  return list.map((value: unknown, index) => ({
    value: kind === 'flume' ? eventOf(value, index) : value,
    byteLength,
  }));
}

function linesOf(body: Uint8Array, maxCount: number): HttpValue[] {
  const values: HttpValue[] = [];
  for (let start = 0; start < body.length; ) {
    const found = body.indexOf(LF, start);
    const end = found < 0 ? body.length : found;
    const line = body.subarray(start, end);
    start = end + 1;
    if (isBlank(line)) continue;
    if (values.length === maxCount) throw tooMany(maxCount);
    values.push({ value: parse(line, values.length), byteLength: line.length });
  }
  return values;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09);
}

function parse(bytes: Uint8Array, index?: number): unknown {
  try {
    return exact(bytes);
  } catch (error) {
    throw new BodyError(
      400,
      index === undefined ? describeError(error) : `Value ${index}: ${describeError(error)}`,
      index,
    );
  }
}

/** Source: Flume 1.11, `JSONHandler`: both may be left out; a body and the headers are texts, or become texts as Gson makes them. */
function eventOf(value: unknown, index: number): FlumeEvent {
  const wrong = (problem: string) => new BodyError(400, `Event ${index}: ${problem}.`, index);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('it is no object');
  const { headers = {}, body: given = '' } = value as { readonly headers?: unknown; readonly body?: unknown };
  const body = textOf(given);
  if (body === undefined) throw wrong('its `body` is no string');
  if (typeof headers !== 'object' || headers === null || Array.isArray(headers))
    throw wrong('its `headers` is no object');
  // Without a prototype: a header may be called `__proto__`.
  const own: Record<string, string> = Object.create(null);
  for (const [name, header] of Object.entries(headers)) {
    const text = textOf(header);
    if (text === undefined) throw wrong(`its header ${JSON.stringify(name)} is no string`);
    own[name] = text;
  }
  return { headers: own, body: new TextEncoder().encode(body) };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || ['number', 'bigint', 'boolean'].includes(typeof value)
    ? String(value)
    : undefined;
}

function tooMany(maxCount: number): BodyError {
  return new BodyError(
    413,
    `The request has more than ${maxCount} values (maxBatchCount). Send them in several requests.`,
  );
}

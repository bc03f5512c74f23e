import { describeError, describeValue } from '../core/errors.js';
import { Denied } from './answers.js';

/** The longest body of a request, in bytes. */
const MAX_BODY_BYTES = 65_536;

export type Fields = Readonly<Record<string, unknown>>;

/**
 * The JSON object that a request carries.
 *
 * Bounds: 64 KiB; the rest is not read.
 */
export async function jsonBody(request: Request): Promise<Fields> {
  if (!/^application\/json\b/i.test(request.headers.get('content-type') ?? '')) {
    throw new Denied(
      415,
      'RXF_CONSOLE_REQUEST',
      'Expected `content-type` to be application/json. Send the body as JSON.',
    );
  }
  const text = await boundedText(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Denied(400, 'RXF_CONSOLE_REQUEST', `The body is not JSON: ${describeError(error)}. Send a JSON object.`);
  }
  if (isFields(value)) return value;
  throw new Denied(400, 'RXF_CONSOLE_REQUEST', `Expected the body to be a JSON object, got ${describeValue(value)}.`);
}

async function boundedText({ body, headers }: Request): Promise<string> {
  const tooLong = () => new Denied(413, 'RXF_CONSOLE_REQUEST', `The body is longer than ${MAX_BODY_BYTES} bytes.`);
  if (Number(headers.get('content-length') ?? 0) > MAX_BODY_BYTES) throw tooLong();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A field of a request that must hold something. */
export function field<T>(fields: Fields, name: string, isFit: (value: unknown) => value is T, wanted: string): T {
  const value = fields[name];
  if (isFit(value)) return value;
  throw new Denied(400, 'RXF_CONSOLE_REQUEST', `Expected \`${name}\` to be ${wanted}, got ${describeValue(value)}.`);
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isOptional =
  <T>(isFit: (value: unknown) => value is T) =>
  (value: unknown): value is T | undefined =>
    value === undefined || isFit(value);
export const isText = (value: unknown): value is string => typeof value === 'string';
export const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
export const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
export const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 1;

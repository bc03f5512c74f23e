import { SinkError } from '../../core/errors.js';
import { jsonText } from '../../core/json-text.js';
import { isWellFormed } from '../../core/text.js';

/** How values become the body of a request. */
export interface HttpBody<in T> {
  /** The header `content-type`. */
  readonly contentType: string;
  /** The text, or the bytes, of one value. What it throws nacks that value alone. */
  readonly encode: (value: T) => string | Uint8Array;
  /** Written before the first value. Default nothing. */
  readonly before?: string;
  /** Written between two values. Default nothing. */
  readonly between?: string;
  /** Written after the last value. Default nothing. */
  readonly after?: string;
}

/** The forms with a name. `single`: one request a value, and its JSON text is the body. */
export const HTTP_BODIES = {
  jsonLines: { contentType: 'application/x-ndjson', encode: jsonText, between: '\n', after: '\n' },
  jsonArray: { contentType: 'application/json', encode: jsonText, before: '[', between: ',', after: ']' },
  single: { contentType: 'application/json', encode: jsonText },
} as const satisfies Record<string, HttpBody<unknown>>;

/** One value by the form. Throws what `encode` throws, and `RXF_SINK_FORMAT` for what it may not give. */
export function encodeWith<T>({ encode }: HttpBody<T>, value: T): string | Uint8Array {
  const piece = encode(value);
  if (typeof piece === 'string' && !isWellFormed(piece)) {
    throw new SinkError('RXF_SINK_FORMAT', 'Cannot encode a value for HTTP: `encode` gave an unpaired surrogate.');
  }
  if (typeof piece === 'string' || piece instanceof Uint8Array) return piece;
  throw new SinkError('RXF_SINK_FORMAT', 'Cannot encode a value for HTTP: `encode` gave neither text nor bytes.');
}

/** The body of a request. */
export function joinBody(pieces: readonly (string | Uint8Array)[], form: HttpBody<never>): Uint8Array {
  const { before = '', between = '', after = '' } = form;
  if (pieces.every((piece) => typeof piece === 'string')) return Buffer.from(before + pieces.join(between) + after);
  const all = pieces.flatMap((piece, n) => (n === 0 ? [before, piece] : [between, piece]));
  return Buffer.concat([...all, after].map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
}

/** How many bytes of a body are not of its values: at both ends together, and between two. */
export function frameOf(form: HttpBody<never>): { readonly ends: number; readonly between: number } {
  const { before = '', between = '', after = '' } = form;
  return { ends: Buffer.byteLength(before) + Buffer.byteLength(after), between: Buffer.byteLength(between) };
}

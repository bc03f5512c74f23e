import { inspect } from 'node:util';

/** A value as Node shows it to people, on one line: any value has such a text, and texts are quoted. Bytes as UTF-8 text. */
export function inspectText(value: unknown): string {
  const shown = value instanceof Uint8Array ? Buffer.from(value).toString() : value;
  return inspect(shown, { breakLength: Number.POSITIVE_INFINITY, compact: true, depth: 6 });
}

import type { HeaderList, HeaderValue } from '../../../core/headers.js';
import { Cursor } from './varint.js';

/** The headers of a record whose lengths were checked, from their count on. */
export function readHeaders(bytes: Buffer, at: number): HeaderList {
  const cursor = new Cursor(bytes, at);
  const list: (readonly [string, HeaderValue])[] = [];
  for (let left = cursor.varint(); left > 0; left -= 1) {
    const name = take(bytes, cursor)?.toString() ?? '';
    list.push([name, take(bytes, cursor)]);
  }
  return list;
}

function take(bytes: Buffer, cursor: Cursor): Buffer | null {
  const length = cursor.varint();
  if (length < 0) return null;
  const start = cursor.at;
  cursor.at = start + length;
  return bytes.subarray(start, cursor.at);
}

/** The headers of a record, from its attributes on. */
export function readHeadersOf(bytes: Buffer, at: number): HeaderList {
  const cursor = new Cursor(bytes, at + 1);
  // The timestamp, the offset.
  cursor.varint();
  cursor.varint();
  take(bytes, cursor);
  take(bytes, cursor);
  return readHeaders(bytes, cursor.at);
}

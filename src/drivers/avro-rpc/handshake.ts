import type { AvroReader, AvroWriter } from '../../formats/avro-bytes.js';

/** How much of the two protocols both sides know: a `NONE` is asked again with the whole text. */
export type Match = 'BOTH' | 'CLIENT' | 'NONE';

const MATCHES: readonly Match[] = ['BOTH', 'CLIENT', 'NONE'];
const HASH_BYTES = 16;

export interface HandshakeRequest {
  readonly clientHash: Buffer;
  readonly clientProtocol: string | null;
  readonly serverHash: Buffer;
}

export interface HandshakeResponse {
  readonly match: Match;
  readonly serverProtocol: string | null;
  readonly serverHash: Buffer | null;
}

export function writeRequest(writer: AvroWriter, { clientHash, clientProtocol, serverHash }: HandshakeRequest): void {
  writer.fixed(clientHash);
  writeOptional(writer, clientProtocol, (text) => writer.text(text));
  writer.fixed(serverHash);
  writer.long(0);
}

export function readRequest(reader: AvroReader): HandshakeRequest {
  const clientHash = reader.fixed(HASH_BYTES);
  const clientProtocol = readOptional(reader, () => reader.text());
  const serverHash = reader.fixed(HASH_BYTES);
  readOptional(reader, () => skipMeta(reader));
  return { clientHash, clientProtocol, serverHash };
}

export function writeResponse(writer: AvroWriter, { match, serverProtocol, serverHash }: HandshakeResponse): void {
  writer.long(MATCHES.indexOf(match));
  writeOptional(writer, serverProtocol, (text) => writer.text(text));
  writeOptional(writer, serverHash, (hash) => writer.fixed(hash));
  writer.long(0);
}

export function readResponse(reader: AvroReader): HandshakeResponse {
  const match = MATCHES[reader.long()];
  if (match === undefined) throw new Error('its answer to the handshake is none of BOTH, CLIENT, NONE');
  const serverProtocol = readOptional(reader, () => reader.text());
  const serverHash = readOptional(reader, () => reader.fixed(HASH_BYTES));
  readOptional(reader, () => skipMeta(reader));
  return { match, serverProtocol, serverHash };
}

/** Passes over the map of bytes that precedes every call and answer; Flume leaves it empty. */
export function skipMeta(reader: AvroReader): void {
  for (let count = reader.block(2); count > 0; count = reader.block(2)) {
    for (let at = 0; at < count; at += 1) {
      reader.bytes();
      reader.bytes();
    }
  }
}

function writeOptional<T>(writer: AvroWriter, value: T | null, write: (value: T) => void): void {
  writer.long(value === null ? 0 : 1);
  if (value !== null) write(value);
}

function readOptional<T>(reader: AvroReader, read: () => T): T | null {
  const branch = reader.long();
  if (branch !== 0 && branch !== 1) throw new Error(`a union has no branch ${branch}`);
  return branch === 1 ? read() : null;
}

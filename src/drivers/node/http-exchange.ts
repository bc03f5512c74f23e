import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { shownHostPort } from '../../core/address.js';
import type { HttpHead, HttpReply } from '../../ports/http-server.js';

/** A body of which so much may still come is read to its end, so that the connection can be used again. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** How long a client may go on sending what nobody reads, before its connection is cut, in milliseconds. */
const LINGER_MS = 1_000;

/** The head of a request, of HTTP/1.1 or HTTP/2. */
export function headOf(request: IncomingMessage, client: string): HttpHead {
  const { method = 'GET', url = '/' } = request;
  const query = url.indexOf('?');
  return { client, method, path: query < 0 ? url : url.slice(0, query), headers: headersOf(request) };
}

function headersOf({ headers, httpVersionMajor }: IncomingMessage): Readonly<Record<string, string>> {
  // Of HTTP/1.1 Node joins all but one.
  if (httpVersionMajor === 1 && headers['set-cookie'] === undefined) return headers as Record<string, string>;
  const plain: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    plain[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return plain;
}

/** What HTTP/2 charges for a header beside its name and its value. */
const HEADER_OVERHEAD_BYTES = 32;

/**
 * The size of a head of HTTP/2, which Node passes on though it is larger than its setting `maxHeaderListSize` allows, up to 64 KiB.
 *
 * Source: RFC 9113, 10.5.1.
 */
export function headBytesOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, (rawHeaders.length / 2) * HEADER_OVERHEAD_BYTES);
}

export function clientOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return shownHostPort(remoteAddress, remotePort);
}

/** Answers a request, and says whether the client is there. `isLast`: the connection is to close. */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: HttpReply,
  isLast: boolean,
): boolean {
  if (response.destroyed || response.headersSent) return false;
  const isHttp1 = request.httpVersionMajor === 1;
  const isUnread = !request.complete && !mayDiscard(request);
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  const head: Record<string, string> = { 'content-length': String(length) };
  if (body !== undefined) head['content-type'] = 'application/json';
  if (headers !== undefined) Object.assign(head, headers);
  if (isHttp1 && (isUnread || isLast)) head.connection = 'close';
  response.writeHead(status, head);
  // A HEAD has the length of a body, and no body.
  const sent = body === undefined || request.method === 'HEAD' ? '' : body;
  if (isHttp1 && !request.complete) endWhenRead(request, response, sent);
  else {
    response.end(sent);
    if (isUnread) cutLater(request, response);
  }
  return true;
}

function mayDiscard({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined;
  return Number(length) <= MAX_DISCARDED_BYTES;
}

/**
 * Sends the answer at once, and ends it when the rest of the request was read: a connection that is closed while bytes of the client are unread
 * is reset, and takes the answer with it.
 *
 * Source: RFC 9112, 9.6.
 */
function endWhenRead(request: IncomingMessage, response: ServerResponse, sent: string | Uint8Array): void {
  if (sent.length === 0) response.flushHeaders();
  else response.write(sent);
  request.removeAllListeners('data');
  request.resume();
  request.once('end', () => response.end());
  const cut = setTimeout(() => request.socket.destroy(), LINGER_MS);
  cut.unref();
  request.once('close', () => clearTimeout(cut));
}

const BAD_HEADS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Clients that have their answer, and may go on sending for a moment; what they send is an error each time. */
const lingering = new WeakSet<Socket>();

/** Answers a head that is no HTTP, or too large, before the connection is closed: in time for the client to read it. */
export function answerBadHead(error: NodeJS.ErrnoException, socket: Socket): void {
  if (lingering.has(socket)) return;
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  lingering.add(socket);
  socket.end(`HTTP/1.1 ${BAD_HEADS[error.code ?? ''] ?? '400 Bad Request'}\r\nconnection: close\r\n\r\n`);
  const cut = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(cut));
}

/** The same for a stream of HTTP/2, whose end resets no connection: lets the client read the answer, then stops it from sending the rest. */
function cutLater(request: IncomingMessage, response: ServerResponse): void {
  request.removeAllListeners('data');
  request.resume();
  const cut = setTimeout(() => response.destroy(), LINGER_MS);
  cut.unref();
  request.once('close', () => clearTimeout(cut));
}

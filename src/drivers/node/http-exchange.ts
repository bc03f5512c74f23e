import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { shownHostPort } from '../../core/address.js';
import type { HttpHead, HttpReply } from '../../ports/http-server.js';

/** A body of which so much may still come is read to its end, so that the connection can be used again. */
const MAX_DISCARDED_BYTES = 64 * 1024;

/** How long a client may go on sending what nobody reads, before its connection is cut, in milliseconds. */
const LINGER_MS = 1_000;

/** The head of a request, of HTTP/1.1 or HTTP/2. */
export function headOf(request: IncomingMessage): HttpHead {
  const { method = 'GET', url = '/', socket } = request;
  const query = url.indexOf('?');
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(':') || value === undefined) continue;
    headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return { client: clientOf(socket), method, path: query < 0 ? url : url.slice(0, query), headers };
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
  if (response.destroyed || response.writableEnded) return false;
  const isHttp1 = request.httpVersionMajor === 1;
  const isUnread = !request.complete && !mayDiscard(request);
  const length = body === undefined ? 0 : Buffer.byteLength(body);
  response.writeHead(status, {
    'content-length': String(length),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
    ...(isHttp1 && (isUnread || isLast) && { connection: 'close' }),
  });
  // A HEAD has the length of a body, and no body.
  if (body === undefined || request.method === 'HEAD') response.end();
  else response.end(body);
  if (isUnread) cutLater(request, response, isHttp1);
  return true;
}

function mayDiscard({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  if (length === undefined) return headers['transfer-encoding'] === undefined;
  return Number(length) <= MAX_DISCARDED_BYTES;
}

/** Lets the client read the answer, then stops it from sending the rest. */
function cutLater(request: IncomingMessage, response: ServerResponse, isHttp1: boolean): void {
  request.removeAllListeners('data');
  request.resume();
  const cut = setTimeout(() => {
    if (isHttp1) request.socket.destroy();
    else response.destroy();
  }, LINGER_MS);
  cut.unref();
  request.once('close', () => clearTimeout(cut));
}

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Observable } from 'rxjs';

const MAX_BODY_BYTES = 1024 * 1024;
/** How much of a body that is too large is read and dropped, so that its sender gets to see the answer. */
const MAX_DROPPED_BYTES = 16 * MAX_BODY_BYTES;
/** The longest a drain waits for the requests that are being answered. */
const CLOSE_WITHIN_MS = 1_000;

export interface ReceiverOptions {
  /** The port on 127.0.0.1; 0 for any that is free. */
  readonly port: number;
  /** Makes the values of a body durable and answers with how many there were; 0 is answered with 400. */
  readonly accept: (body: string) => Promise<number>;
  readonly stop$: Observable<unknown>;
}

/**
 * Serves `POST /messages` on 127.0.0.1 and emits its port once it listens. Completes when `stop$` has emitted and what
 * was begun is answered; unsubscribing closes it at once.
 *
 * Bounds: 64 connections, each with a body of 1 MiB.
 * Fails: as `listen` does, such as `EADDRINUSE`.
 */
export function receiver({ port, accept, stop$ }: ReceiverOptions): Observable<number> {
  return new Observable((subscriber) => {
    const server = createServer((request, response) => {
      answer(request, response, accept).catch((error: unknown) => {
        send(response, 503, { error: `Not stored: ${error instanceof Error ? error.message : String(error)}` });
      });
    });
    server.maxConnections = 64;
    server.requestTimeout = 10_000;
    server.on('error', (error) => subscriber.error(error));
    server.listen(port, '127.0.0.1', () => {
      // Closing does not stop a server that has not begun to listen.
      if (subscriber.closed) server.close();
      else subscriber.next((server.address() as AddressInfo).port);
    });
    let late: NodeJS.Timeout | undefined;
    const stopping = stop$.subscribe(() => {
      if (!server.listening) return subscriber.complete();
      late = setTimeout(() => server.closeAllConnections(), CLOSE_WITHIN_MS);
      server.close(() => subscriber.complete());
      server.closeIdleConnections();
    });
    return () => {
      stopping.unsubscribe();
      clearTimeout(late);
      server.close();
      server.closeAllConnections();
    };
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  accept: (body: string) => Promise<number>,
): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  if (path === '/') {
    if (request.method !== 'GET' && request.method !== 'HEAD') return reject(response, 405, 'Use GET.', 'GET, HEAD');
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(USAGE);
    return;
  }
  if (path !== '/messages') return reject(response, 404, 'There are GET / and POST /messages.');
  if (request.method !== 'POST') return reject(response, 405, 'Use POST.', 'POST');
  const body = await readBody(request);
  if (body === 'too large') return reject(response, 413, `A body has at most ${MAX_BODY_BYTES} bytes.`);
  if (body === 'not text') return reject(response, 400, 'The body is not UTF-8.');
  const accepted = await accept(body.text);
  if (accepted === 0) return reject(response, 400, 'The body is empty: send a JSON object, JSON lines, or text.');
  send(response, 202, { accepted });
}

async function readBody(request: IncomingMessage): Promise<{ text: string } | 'too large' | 'not text'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not destroy the socket, or the rejection would never reach the sender.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += chunk.length;
    if (bytes > MAX_DROPPED_BYTES) break;
    if (bytes > MAX_BODY_BYTES) chunks.length = 0;
    else chunks.push(chunk);
  }
  if (bytes > MAX_BODY_BYTES) return 'too large';
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)) };
  } catch {
    return 'not text';
  }
}

function reject(response: ServerResponse, status: number, error: string, allow?: string): void {
  if (allow !== undefined) response.setHeader('allow', allow);
  // The rest of a rejected body is not read, so the connection cannot be used again.
  response.setHeader('connection', 'close');
  send(response, status, { error });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(body)}\n`);
}

const USAGE = `rxflume, first run: what you post goes through the flow into ./warehouse.

  POST /messages    one JSON object, JSON lines, or plain text; at most 1 MiB
                    answers 202 {"accepted": n} when it is safely in the log

  curl -d 'hello there' <this address>messages
  curl -d '{"text": "你好", "lang": "zh"}' <this address>messages
  curl --data-binary @examples/data/chat.jsonl <this address>messages
`;

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConnectError } from '../core/errors.js';
import { shownText } from '../core/text.js';

/** Where metrics are served. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export const DEFAULT_METRICS_ADDRESS: MetricsAddress = { host: '127.0.0.1', port: 9464 };

export interface MetricsServer {
  /** Where it listens, as a URL. */
  readonly url: string;
  close(): void;
}

/** More scrapes at once than any set of Prometheus servers makes; those beyond are disconnected. */
const MAX_CONNECTIONS = 100;
/** A client that sends or reads nothing for so long is disconnected. */
const SILENT_FOR_MS = 10_000;

/**
 * Serves a handler of Web-standard requests over HTTP/1.1.
 *
 * Bounds: 100 connections; 10 s for a request, and for a client that reads nothing.
 * Fails: `ConnectError` (`RXF_METRICS_LISTEN`) where it cannot listen. Later errors of clients end that client alone.
 */
export function serveMetrics(
  handle: (request: Request) => Response,
  { host, port }: MetricsAddress,
  silentForMs = SILENT_FOR_MS,
): Promise<MetricsServer> {
  const server = createServer(
    { requestTimeout: silentForMs, headersTimeout: silentForMs, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    (request, response) => {
      answer(handle, request, response).catch(() => response.destroy());
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(silentForMs, (socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError({ host, port }, error)));
    server.listen(port, host, () => {
      server.on('error', () => undefined);
      server.unref();
      resolve({
        url: urlOf(server.address() as AddressInfo),
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

async function answer(
  handle: (request: Request) => Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  // A body is of no use here; it is read past, or ends with the connection.
  incoming.resume();
  const { method = 'GET', url = '/', headers } = incoming;
  const path = url.startsWith('/') ? url : '/';
  let response: Response;
  try {
    const isKnown = method === 'GET' || method === 'HEAD';
    const request = new Request(`http://localhost${path}`, {
      method: isKnown ? method : 'POST',
      headers: { accept: headers.accept ?? '' },
    });
    response = handle(request);
  } catch {
    response = new Response('Bad request.\n', { status: 400 });
  }
  const body = Buffer.from(await response.arrayBuffer());
  const length = method === 'HEAD' ? {} : { 'content-length': body.length };
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), ...length });
  outgoing.end(body);
}

function urlOf({ address, family, port }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function listenError({ host, port }: MetricsAddress, cause: NodeJS.ErrnoException): ConnectError {
  const at = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program, or another flow, listens on that port. Stop it, or choose another port',
    EACCES: 'this user may not listen on that port. Choose one from 1024',
    EADDRNOTAVAIL: 'the address does not belong to this machine. Choose one that does',
    EAI_AGAIN: 'the host name cannot be looked up. Choose an address of this machine',
    ENOTFOUND: 'the host name is not known. Choose an address of this machine',
  };
  const reason = why[cause.code ?? ''] ?? `${shownText(cause.message)}. Choose another address`;
  const message = `Cannot serve metrics on ${at}: ${reason}, for example with \`--metrics 127.0.0.1:9465\`. The flow was not started.`;
  return new ConnectError('RXF_METRICS_LISTEN', message, { cause, details: { host, port, code: cause.code } });
}

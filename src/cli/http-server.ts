import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type FetchHandler, nodeListener } from '../console/node-listener.js';
import { shownHostPort } from '../core/address.js';
import type { CodeOf } from '../core/error-codes.js';
import { ConnectError } from '../core/errors.js';
import { shownText } from '../core/text.js';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface HttpServer {
  /** Where it listens, as a URL without a path. */
  readonly url: string;
  close(): void;
}

export interface HttpServerOptions {
  /** What is served, for messages: `metrics`. */
  readonly what: string;
  /** The error where it cannot listen. */
  readonly code: CodeOf<'ConnectError'>;
  /** An option with another address, for that message. */
  readonly hint: string;
  /** A client that sends or reads nothing for so long is disconnected. */
  readonly silentForMs: number;
}

/** More clients at once than any set of scrapers or open pages makes; those beyond are disconnected. */
const MAX_CONNECTIONS = 100;
/** For a request to arrive as a whole. */
const REQUEST_MS = 10_000;

/**
 * Serves a handler of Web-standard requests over HTTP/1.1.
 *
 * Bounds: 100 connections; 10 s for a request, `silentForMs` for a client that reads nothing.
 * Fails: `ConnectError` where it cannot listen. Later errors of clients end that client alone.
 */
export function serveHttp(
  handle: FetchHandler,
  address: ListenAddress,
  options: HttpServerOptions,
): Promise<HttpServer> {
  const { silentForMs } = options;
  const requestMs = Math.min(REQUEST_MS, silentForMs);
  const server = createServer(
    { requestTimeout: requestMs, headersTimeout: requestMs, keepAliveTimeout: 5_000, maxHeaderSize: 16_384 },
    nodeListener(handle),
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(silentForMs, (socket) => socket.destroy());
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(address, options, error)));
    server.listen(address.port, address.host, () => {
      server.on('error', () => undefined);
      server.unref();
      const { address: host, port } = server.address() as AddressInfo;
      resolve({
        url: `http://${shownHostPort(host, port)}`,
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}

const WHY: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program, or another flow, listens on that port. Stop it, or choose another port',
  EACCES: 'this user may not listen on that port. Choose one from 1024',
  EADDRNOTAVAIL: 'the address does not belong to this machine. Choose one that does',
  EAI_AGAIN: 'the host name cannot be looked up. Choose an address of this machine',
  ENOTFOUND: 'the host name is not known. Choose an address of this machine',
};

function listenError(
  { host, port }: ListenAddress,
  options: HttpServerOptions,
  cause: NodeJS.ErrnoException,
): ConnectError {
  const { what, code, hint } = options;
  const reason = WHY[cause.code ?? ''] ?? `${shownText(cause.message)}. Choose another address`;
  const message = `Cannot serve ${what} on ${shownHostPort(host, port)}: ${reason}, for example with \`${hint}\`. The flow was not started.`;
  return new ConnectError(code, message, { cause, details: { host, port, code: cause.code } });
}

/** What an address of an option looks like. */
export const ADDRESS = /^(?:(\[[0-9a-fA-F:.]+\]|[^:/\s]+):|:)?(\d{1,5})$/;

/** The address that an option has, with the host that it may leave out. Throws an `Error` that says what is wrong. */
export function addressOf(option: string, text: string, byDefault: ListenAddress): ListenAddress {
  const [, host = byDefault.host, digits] = ADDRESS.exec(text) ?? [];
  const port = Number(digits);
  if (digits !== undefined && port < 65_536) return { host: host.replace(/^\[|\]$/g, ''), port };
  const example = `${byDefault.host}:${byDefault.port}`;
  throw new Error(`expected \`${option}\` to be an address such as ${example}, got \`${text}\``);
}

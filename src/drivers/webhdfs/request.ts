import http from 'node:http';
import https from 'node:https';
import type { LookupFunction, Socket } from 'node:net';
import { describeError } from '../../core/errors.js';
import { secretsOf, withoutSecrets } from '../../core/secrets.js';
import { isTlsFault, tlsAdvice } from '../../core/tls-fault.js';
import { KiB } from '../../core/units.js';
import type { ClientTls } from '../../security/client-tls.js';

/** No answer: the connection failed, was lost, or took too long. `sent`: the request may have been carried out. */
export class WireFault extends Error {
  readonly sent: boolean;
  readonly kind: 'lost' | 'timeout';
  /** The connection was an idle one of the pool, which the server may have closed meanwhile. */
  readonly reused: boolean;
  /** TLS failed, which will not pass by itself. */
  readonly isTls: boolean;

  constructor(message: string, facts: { sent: boolean; kind?: 'lost' | 'timeout'; reused?: boolean; cause?: unknown }) {
    super(message, { cause: facts.cause });
    this.sent = facts.sent;
    this.kind = facts.kind ?? 'lost';
    this.reused = facts.reused ?? false;
    this.isTls = isTlsFault(facts.cause);
  }
}

/** The answer is larger than it may be; nothing of it was kept. */
export class AnswerTooLarge extends Error {}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A RemoteException comes with a stack trace of some KiB. */
export const MAX_ERROR_BYTES = 256 * KiB;

/** How a connection is made. */
export interface Connecting {
  readonly tls?: ClientTls;
  /** Default: Node's own. */
  readonly lookup?: LookupFunction | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface ExchangeOptions extends Connecting {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly agent: http.Agent | false;
  readonly connectTimeoutMs: number;
  /** Until the answer is whole; with `idleTimeoutMs`, until it begins. */
  readonly requestTimeoutMs: number;
  /** The longest the answer's body may make no progress. */
  readonly idleTimeoutMs?: number;
  /** Of a success; a rejection has a limit of its own. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/**
 * One HTTP exchange with a small answer.
 * Bounds: `maxBytes` of memory, rejected from the announced length before any is taken.
 * Fails: `WireFault`, `AnswerTooLarge`, or the signal's reason.
 */
export function exchange(url: URL, options: ExchangeOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    options.signal.throwIfAborted();
    const request = open(url, options.method, options.agent, options);
    const connection = watchConnect(request, options.connectTimeoutMs, (fault) => finish(() => reject(fault)));
    const tooLate = (ms: number) => () =>
      finish(() => reject(new WireFault(`no answer within ${ms} ms`, { sent: connection.isOpen, kind: 'timeout' })));
    let timer = setTimeout(tooLate(options.requestTimeoutMs), options.requestTimeoutMs);
    const abandon = () => finish(() => reject(options.signal.reason));
    options.signal.addEventListener('abort', abandon, { once: true });

    let done = false;
    const finish = (settle: () => void, keepConnection = false) => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      connection.release();
      options.signal.removeEventListener('abort', abandon);
      if (!keepConnection) request.destroy();
      settle();
    };
    const lose = (error: unknown) =>
      finish(() => reject(faultOf(error, connection.isOpen, { reused: request.reusedSocket })));

    request.on('error', lose);
    request.on('response', (response) => {
      if (options.idleTimeoutMs !== undefined) {
        clearTimeout(timer);
        timer = setTimeout(tooLate(options.idleTimeoutMs), options.idleTimeoutMs);
        response.on('data', () => timer.refresh());
      }
      collect(response, (response.statusCode ?? 0) < 400 ? options.maxBytes : MAX_ERROR_BYTES).then(
        (body) => finish(() => resolve(answerOf(response, body, url)), true),
        (error: unknown) => (error instanceof AnswerTooLarge ? finish(() => reject(error)) : lose(error)),
      );
    });
    request.end();
  });
}

/** Begins a request; its headers go out with the body's first byte, or at its end. */
export function open(
  url: URL,
  method: string,
  agent: http.Agent | false,
  { tls, lookup, headers: own }: Connecting,
  headers: http.OutgoingHttpHeaders = {},
): http.ClientRequest {
  const options = { method, agent, headers: { ...own, ...headers }, ...(lookup !== undefined && { lookup }) };
  if (url.protocol !== 'https:') return http.request(url, options);
  return https.request(url, { ...tls?.connection(url.hostname.replace(/^\[|\]$/g, '')), ...options });
}

/** An answer; a rejection that says our secrets back has them no more. */
export function answerOf(response: http.IncomingMessage, body: Buffer, url: URL): Answer {
  const status = response.statusCode ?? 0;
  const said = secretsOf(url);
  const isSafe = status < 400 || said.length === 0;
  const clean = isSafe ? body : Buffer.from(withoutSecrets(body.toString('utf8'), said));
  return { status, headers: response.headers, body: clean };
}

/** The whole of a body of at most `maxBytes`. */
export async function collect(response: http.IncomingMessage, maxBytes: number): Promise<Buffer> {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (announced > maxBytes) throw new AnswerTooLarge(`${announced} bytes`);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw new AnswerTooLarge(`more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Limits the time until the connection is open, and knows whether it is: before that, nothing can have been carried out. */
export function watchConnect(
  request: http.ClientRequest,
  limitMs: number,
  onFault: (fault: WireFault) => void,
  onStand: (socket: Socket) => void = () => {},
) {
  const connection = { isOpen: false, release: () => clearTimeout(timer) };
  const timer = setTimeout(
    () => onFault(new WireFault(`no connection within ${limitMs} ms`, { sent: false, kind: 'timeout' })),
    limitMs,
  );
  request.on('socket', (socket) => {
    const opened = () => {
      connection.isOpen = true;
      clearTimeout(timer);
      onStand(socket);
    };
    if (request.reusedSocket) opened();
    else socket.once('encrypted' in socket ? 'secureConnect' : 'connect', opened);
  });
  return connection;
}

/**
 * A connection's error as a fault, without the bytes or URLs that node attaches: they may hold a token. `ca` is the option
 * that takes certificates of authorities.
 */
export function faultOf(error: unknown, sent: boolean, { reused = false, ca = 'tls.ca' } = {}): WireFault {
  if (error instanceof WireFault) return error;
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const cause = Object.assign(new Error(describeError(error)), { code });
  const advice = isTlsFault(error) ? `. ${tlsAdvice(error, ca)}` : noHttp(code);
  return new WireFault(`${cause.message}${advice}`, { sent, reused, cause });
}

/** A server that wants TLS answers a plain request with something that is no HTTP. */
function noHttp(code: unknown): string {
  return String(code).startsWith('HPE_')
    ? '. What answers speaks no HTTP there; if the port wants TLS, write `https:`'
    : '';
}

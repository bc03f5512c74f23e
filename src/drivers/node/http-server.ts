import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import type { HttpHead, HttpReply, HttpServer, HttpServerListener } from '../../ports/http-server.js';
import type { Listening } from '../../ports/listening.js';
import { BodyDeadlines } from './body-deadlines.js';
import { Authorization } from './http-auth.js';
import { BodyMemory, type BodyProblem, inflateBody, isKnownEncoding, receiveBody } from './http-body.js';
import { HttpClients } from './http-clients.js';
import { answer, answerBadHead, clientOf, headBytesOf, headOf } from './http-exchange.js';
import { checkHttpOptions, type HttpSettings, type NodeHttpServerOptions } from './http-options.js';
import { listenError } from './listen-error.js';
import { isAllowed } from './listen-options.js';
import { Rejections } from './rejections.js';

/** Requests of one HTTP/2 connection at once: Node's own default is 2^32 − 1. */
const MAX_STREAMS = 100;

/**
 * A server of HTTP requests on Node's own `http` and `http2`.
 *
 * ```ts
 * import { nodeHttpServer } from 'rxflume/drivers/node';
 *
 * export const server = nodeHttpServer({ host: '0.0.0.0', port: 8080, auth: { bearer: [process.env.TOKEN ?? 'none'] } });
 * ```
 *
 * Bounds: `maxBufferedBytes` and one body for what is being received and inflated, `maxHeaderBytes` for each of `maxClients`.
 * Fails: `OptionError` here; `RXF_SOURCE_LISTEN` when it cannot listen. What a client does wrong ends that client alone.
 * Source: RFC 9110, RFC 9113; Node, `http2.createSecureServer` with `allowHTTP1`.
 */
export function nodeHttpServer(options: NodeHttpServerOptions): HttpServer {
  const settings = checkHttpOptions(options);
  const scheme = settings.certificate === null ? 'http' : 'https';
  return {
    name: `${scheme} ${shownHostPort(settings.host, settings.port)}`,
    listen: (listener) =>
      new Observable((subscriber) => {
        const running = new Running(settings, listener, subscriber);
        return () => running.destroy();
      }),
  };
}

const ignore = (): void => undefined;

/** One subscription of a server, from listening to the last connection closed. */
class Running implements Listening {
  readonly #settings: HttpSettings;
  readonly #listener: HttpServerListener;
  readonly #out: Subscriber<Listening>;
  readonly #server: Server | Http2SecureServer;
  readonly #authorization: Authorization;
  readonly #memory: BodyMemory;
  readonly #rejections: Rejections;
  readonly #deadlines: BodyDeadlines;
  readonly #clients = new HttpClients();
  readonly #sessions = new Set<ServerHttp2Session>();
  #unanswered = 0;
  #closing: Promise<void> | undefined;
  #closed: () => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(settings: HttpSettings, listener: HttpServerListener, out: Subscriber<Listening>) {
    this.#settings = settings;
    this.#listener = listener;
    this.#out = out;
    this.#authorization = new Authorization(settings.auth);
    this.#memory = new BodyMemory(settings.maxBufferedBytes);
    this.#deadlines = new BodyDeadlines(settings.bodyTimeoutMs);
    this.#rejections = new Rejections((message) => listener.logEvent('warn', 'http.rejected', message));
    const server = serverOf(settings, (request, response) => this.#receive(request, response, false));
    this.#server = server;
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#receive(request, response, true),
    );
    server.on('connection', (socket: Socket) => this.#accept(socket));
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session);
      session.setTimeout(settings.keepAliveTimeoutMs, () => session.close());
      session.on('error', () => undefined);
      session.on('close', () => this.#sessions.delete(session));
    });
    // Of a client, whose connection Node closes.
    server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerBadHead(error, socket));
    server.on('sessionError', () => undefined);
    server.on('tlsClientError', () => undefined);
    server.on('error', (error: Error) => this.#failed(error));
    server.listen({ host: settings.host, port: settings.port }, () => out.next(this));
    settings.certificate?.watch(settings.reloadIntervalMs, {
      use: (tls) => (server as Http2SecureServer).setSecureContext(tls),
      warn: (message) => listener.logEvent('warn', 'http.certificate', message),
    });
  }

  get address(): string {
    const bound = this.#server.address();
    const { host, port } = this.#settings;
    return shownHostPort(host, typeof bound === 'object' && bound !== null ? bound.port : port);
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#server.close();
      this.#deadline = setTimeout(() => this.#end(), this.#settings.closeTimeoutMs);
      for (const session of this.#sessions) session.close();
      this.#closeIdle();
    });
    return this.#closing;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#deadline);
    this.#deadlines.stop();
    this.#settings.certificate?.stop();
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    for (const { socket } of this.#clients.all) socket.destroy();
    this.#closed();
  }

  // Connections.

  #accept(socket: Socket): void {
    const { allow, maxClients } = this.#settings;
    socket.setNoDelay(true);
    if (this.#clients.size >= maxClients) this.#clients.closeOneIdle();
    const problem = !isAllowed(allow, socket.remoteAddress ?? '')
      ? 'its address is not in `allow`'
      : this.#clients.size >= maxClients
        ? `${maxClients} clients are connected already (maxClients)`
        : null;
    if (problem !== null || this.#isOver) {
      this.#rejections.add(clientOf(socket), this.address, problem ?? 'the server is closing');
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    const client = this.#clients.add(socket);
    this.#listener.clients(this.#clients.size);
    socket.once('close', () => {
      this.#clients.remove(client);
      if (this.#isOver) return;
      this.#listener.clients(this.#clients.size);
      if (this.#closing !== undefined) this.#closeIdle();
    });
  }

  #closeIdle(): void {
    for (const { socket } of this.#clients.idle) socket.end();
    if (this.#unanswered === 0 && this.#clients.size === 0) this.#end();
  }

  // Requests.

  #receive(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { socket } = request;
    const client = this.#clients.of(socket);
    const head = headOf(request, client?.name ?? clientOf(socket));
    this.#unanswered += 1;
    if (client !== undefined) this.#clients.begun(client);
    let hasGone = false;
    response.on('close', () => {
      hasGone = true;
      this.#unanswered -= 1;
      if (client !== undefined) this.#clients.ended(client);
      if (this.#closing !== undefined && !this.#isOver) this.#closeIdle();
    });
    response.on('error', ignore);
    const reply = (given: HttpReply): boolean =>
      !hasGone && answer(request, response, given, this.#closing !== undefined);
    const early = this.#tooLarge(request) ?? this.#early(head);
    if (early !== null) {
      reply(early);
      return;
    }
    if (expectsContinue) response.writeContinue();
    const limits = { maxBytes: this.#settings.maxBodyBytes, deadlines: this.#deadlines, memory: this.#memory };
    const done = (body: Buffer | BodyProblem) => {
      if (Buffer.isBuffer(body)) this.#received(head, body, reply);
      else this.#reject(head, body, reply);
    };
    receiveBody(request, limits, done, ignore);
  }

  /** Of HTTP/2; of HTTP/1.1 Node's parser sees to it. */
  #tooLarge(request: IncomingMessage): HttpReply | null {
    const { maxHeaderBytes } = this.#settings;
    if (request.httpVersionMajor === 1 || headBytesOf(request) <= maxHeaderBytes) return null;
    return failure(431, `the head has more than ${maxHeaderBytes} bytes (maxHeaderBytes)`);
  }

  /** What can be answered before the body has come. */
  #early(head: HttpHead): HttpReply | null {
    const { healthPath, maxBodyBytes } = this.#settings;
    const { method, path, headers } = head;
    if (path === healthPath && (method === 'GET' || method === 'HEAD')) {
      const isReady = this.#closing === undefined && this.#listener.isReady();
      return { status: isReady ? 200 : 503, body: JSON.stringify({ status: isReady ? 'ok' : 'not ready' }) };
    }
    const denied = this.#authorization.problemOfHead(head);
    if (denied !== null) return this.#denied(head, denied);
    if (!isKnownEncoding(headers['content-encoding'])) {
      return failure(415, `content-encoding ${headers['content-encoding']} is not known; send gzip, deflate, or none`);
    }
    if (Number(headers['content-length'] ?? 0) > maxBodyBytes) {
      return failure(413, `the body has more than ${maxBodyBytes} bytes (maxBodyBytes)`);
    }
    return this.#listener.admit(head);
  }

  #received(head: HttpHead, sent: Buffer, reply: (answer: HttpReply) => boolean): void {
    const denied = this.#authorization.problemOfBody(head, sent);
    if (denied !== null) {
      reply(this.#denied(head, denied));
      return;
    }
    const limits = { maxBytes: this.#settings.maxBodyBytes, memory: this.#memory };
    const { client, method, path, headers } = head;
    inflateBody(sent, headers['content-encoding'], limits, (body) => {
      if (!(body instanceof Uint8Array)) this.#reject(head, body, reply);
      else if (!this.#isOver) {
        this.#listener.request({ client, method, path, headers, body, byteLength: sent.length, reply });
      }
    });
  }

  #reject({ client }: HttpHead, { status, problem }: BodyProblem, reply: (answer: HttpReply) => boolean): void {
    this.#rejections.add(client, this.address, problem);
    reply(failure(status, problem));
  }

  #denied({ client }: HttpHead, problem: string): HttpReply {
    this.#rejections.add(client, this.address, problem);
    return { ...failure(401, problem), headers: { 'www-authenticate': 'Bearer' } };
  }

  #failed(error: Error): void {
    if (this.#isOver) return;
    this.destroy();
    this.#out.error(listenError(shownHostPort(this.#settings.host, this.#settings.port), error));
  }

  #end(): void {
    if (this.#isOver) return;
    this.destroy();
    this.#out.complete();
  }
}

/** HTTP/1.1 in the clear; with a certificate, HTTP/2 for clients that ask for it, and HTTP/1.1. */
function serverOf(settings: HttpSettings, take: RequestListener): Server | Http2SecureServer {
  const { maxHeaderBytes, headersTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs, certificate } = settings;
  const limits = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs + bodyTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.ceil(Math.min(headersTimeoutMs, 5_000) / 2),
  };
  if (certificate === null) return createServer(limits, take);
  const server = createSecureServer({
    ...certificate.options,
    allowHTTP1: true,
    handshakeTimeout: headersTimeoutMs,
    settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: maxHeaderBytes, enablePush: false },
  });
  // For clients of HTTP/1.1. Node takes these from the properties, and not from the options: its own would be a minute for a
  // head, and no limit for an idle connection.
  Object.assign(server, limits);
  // Its requests and responses are made to be taken for those of HTTP/1.1.
  server.on('request', take as never);
  return server;
}

function failure(status: number, message: string): HttpReply {
  const retry = status === 503 ? { headers: { 'retry-after': '1' } } : {};
  return { status, ...retry, body: JSON.stringify({ message }) };
}

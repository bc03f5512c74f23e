import { createRequire } from 'node:module';
import { defer, Observable, type Subscriber } from 'rxjs';
import type { Agent, buildConnector, Dispatcher } from 'undici';
import { OptionError } from '../../core/errors.js';
import { shownUrl } from '../../core/text.js';
import type { Fact, ProbeSetting } from '../../delivery/probe.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../ports/http-client.js';
import { translate } from './errors.js';
import { type CheckedOptions, checkOptions, type UndiciOptions } from './options.js';

/**
 * HTTP through undici 7: options in, a client out, with a pool of connections for each origin.
 *
 * ```ts
 * import { undici } from 'rxflume/drivers/undici';
 *
 * export const http = undici({ connections: 8, headersTimeoutMs: 10_000 });
 * ```
 *
 * Bounds: `connections` to each origin, and `maxResponseBytes` of each answer. Idle connections close by themselves, and keep
 * no program alive.
 * Fails: at the call with `RXF_OPTION_INVALID`, or `RXF_DRIVER_MISSING` where undici is not installed.
 * Source: undici 7, `Agent`.
 */
export function undici(options: UndiciOptions = {}): HttpClient {
  return new UndiciClient(checkOptions(options));
}

class UndiciClient implements HttpClient {
  readonly name = 'http undici';
  readonly #options: CheckedOptions;
  readonly #agent: Agent;

  constructor(options: CheckedOptions) {
    this.#options = options;
    const { Agent: OwnAgent, buildConnector } = loadUndici();
    const { tls, connectTimeoutMs: timeout } = options;
    this.#agent = new OwnAgent({
      connections: options.connections,
      // One request after the other on a connection: those behind one that is lost would be lost with it.
      pipelining: 1,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      keepAliveMaxTimeout: options.keepAliveTimeoutMs,
      headersTimeout: options.headersTimeoutMs,
      bodyTimeout: options.bodyTimeoutMs,
      // One for each connection, so that a certificate that has changed is used, and no session of the one before.
      connect: (target, callback) => {
        const named = tls.servername === undefined ? {} : { servername: tls.servername };
        const connect = buildConnector({ ...tls.connection(target.hostname), timeout, maxCachedSessions: 0 });
        connect({ ...target, ...named }, callback);
      },
    });
  }

  probe(url: string, { reach }: ProbeSetting): Observable<Fact> {
    const { protocol, hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    const isTls = protocol === 'https:';
    const endpoint = {
      role: 'HTTP server',
      host,
      port: port === '' ? (isTls ? 443 : 80) : Number(port),
      ...(isTls && { tls: this.#options.tls.connection(host) }),
      fix: 'Check that this server runs, and its host and port in `url`.',
    };
    return defer(() => reach(endpoint));
  }

  request(request: HttpRequest): Observable<HttpAnswer> {
    return new Observable((subscriber) => {
      const exchange = new Exchange(request, this.#options, subscriber);
      const { origin, pathname, search } = new URL(request.url);
      const { method, headers, body } = request;
      try {
        this.#agent.dispatch({ origin, path: pathname + search, method, headers, body }, exchange);
      } catch (cause) {
        exchange.fail(cause);
      }
      return () => exchange.abandon();
    });
  }
}

/** One request and its answer, as undici tells of it. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #what: string;
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<HttpAnswer>;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: Record<string, string> = {};
  #pieces: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  constructor({ method, url }: HttpRequest, options: CheckedOptions, out: Subscriber<HttpAnswer>) {
    this.#what = `${method} ${shownUrl(url)}`;
    this.#options = options;
    this.#out = out;
  }

  /** It is written to a connection from here on. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) this.#abort();
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    // 1xx announce the answer; they are none.
    if (status < 200) return;
    this.#status = status;
    const all = Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]);
    this.#headers = Object.fromEntries(all) as Record<string, string>;
  }

  onResponseData(_: Dispatcher.DispatchController, piece: Buffer): void {
    if (this.#isOver) return;
    const room = this.#options.maxResponseBytes - this.#bytes;
    this.#pieces.push(piece.subarray(0, room));
    this.#bytes += piece.length;
    if (piece.length > room) this.#finish(false);
  }

  onResponseEnd(): void {
    if (!this.#isOver) this.#finish(true);
  }

  onResponseError(_: Dispatcher.DispatchController | null, error: Error): void {
    this.fail(error);
  }

  fail(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const failed = { what: this.#what, isSent: this.#controller !== undefined };
    this.#out.error(translate(cause, failed, this.#options));
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#abort();
  }

  #finish(isWhole: boolean): void {
    this.#isOver = true;
    // What is left of it is never read: the connection cannot be used again.
    if (!isWhole) this.#abort();
    const excerpt = Buffer.concat(this.#pieces).toString();
    this.#out.next({ status: this.#status, headers: this.#headers, excerpt, isWhole });
    this.#out.complete();
  }

  #abort(): void {
    this.#controller?.abort(new Error('the request was given up'));
  }
}

function loadUndici(): { readonly Agent: typeof Agent; readonly buildConnector: typeof buildConnector } {
  try {
    return createRequire(import.meta.url)('undici') as ReturnType<typeof loadUndici>;
  } catch (cause) {
    throw new OptionError(
      'RXF_DRIVER_MISSING',
      'The undici driver needs the package undici 7, which is not installed. Run `npm install undici@7`.',
      { details: { package: 'undici', wanted: '^7.30.2' }, cause },
    );
  }
}

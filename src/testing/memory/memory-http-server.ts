import { asyncScheduler, Observable, Subject, type Subscriber, Subscription } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { HttpHead, HttpReply, HttpServer, HttpServerListener } from '../../ports/http-server.js';
import type { Listening } from '../../ports/listening.js';
import { MemoryListening } from './memory-listening.js';

/** A request to a server in memory. What is left out: a POST of no bytes to `/`. */
export interface MemoryPost {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/**
 * A server of HTTP in memory, for tests, and its clients. All its time is RxJS's, so inside `TestScheduler.run` it is virtual.
 *
 * ```ts
 * import { httpSource } from 'rxflume/inputs';
 * import { MemoryHttpServer } from 'rxflume/testing';
 *
 * const server = new MemoryHttpServer();
 * export const orders$ = httpSource(server, { name: 'orders' });
 * export const answer$ = server.send({ body: '{"id":1}' }); // emits { status: 200, … } once the order is durable
 * ```
 */
export class MemoryHttpServer implements HttpServer {
  readonly name = 'http memory';
  readonly #latencyMs: number;
  readonly #listening: MemoryListening<Running, Listening>;
  #clients = 0;

  constructor(latencyMs = 1) {
    this.#latencyMs = latencyMs;
    this.#listening = new MemoryListening(this.name, latencyMs);
  }

  listen(listener: HttpServerListener): Observable<Listening> {
    return this.#listening.listen((subscriber, over) => new Running(listener, subscriber, over));
  }

  /** Cold: sends a request, and emits its answer once; unsubscribing goes away before it. Fails where nobody listens. */
  send({ method = 'POST', path = '/', headers = {}, body = '' }: MemoryPost): Observable<HttpReply> {
    return new Observable((subscriber) => {
      const life = new Subscription();
      const arrive = () => {
        const { running } = this.#listening;
        if (running === undefined || running.isClosing) {
          subscriber.error(new ConnectError('RXF_HTTP_UNREACHABLE', `Cannot reach ${this.name}: connection refused.`));
          return;
        }
        this.#clients += 1;
        const head = { client: `client-${this.#clients}`, method, path: path.split('?', 1)[0] as string };
        const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
        running.take({ ...head, headers: Object.fromEntries(named) }, bytesOf(body), (answer) => {
          if (subscriber.closed) return false;
          life.add(
            asyncScheduler.schedule(() => {
              subscriber.next(answer);
              subscriber.complete();
            }, this.#latencyMs),
          );
          return true;
        });
      };
      life.add(asyncScheduler.schedule(arrive, this.#latencyMs));
      return life;
    });
  }
}

class Running implements Listening {
  readonly address = 'memory:80';
  isClosing = false;
  readonly #listener: HttpServerListener;
  readonly #out: Subscriber<Listening>;
  readonly #ended: () => void;
  readonly #closed$ = new Subject<never>();
  #unanswered = 0;

  constructor(listener: HttpServerListener, out: Subscriber<Listening>, ended: () => void) {
    this.#listener = listener;
    this.#out = out;
    this.#ended = ended;
  }

  take(head: HttpHead, body: Uint8Array, send: (answer: HttpReply) => boolean): void {
    const early = this.#listener.admit(head);
    if (early !== null) {
      send(early);
      return;
    }
    this.#unanswered += 1;
    this.#listener.clients(this.#unanswered);
    let isAnswered = false;
    const reply = (answer: HttpReply): boolean => {
      if (isAnswered) return false;
      isAnswered = true;
      this.#unanswered -= 1;
      this.#listener.clients(this.#unanswered);
      const hasHeard = send(answer);
      this.#lookWhetherDone();
      return hasHeard;
    };
    this.#listener.request({ ...head, body, byteLength: body.length, reply });
  }

  close(): Observable<unknown> {
    this.isClosing = true;
    return new Observable((subscriber) => {
      const waiting = this.#closed$.subscribe(subscriber);
      this.#lookWhetherDone();
      return waiting;
    });
  }

  end(): void {
    this.#ended();
    this.#closed$.complete();
  }

  #lookWhetherDone(): void {
    if (!this.isClosing || this.#unanswered > 0) return;
    this.end();
    this.#out.complete();
  }
}

function bytesOf(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

import { asyncScheduler, Observable, type Subscriber, Subscription } from 'rxjs';
import { ConnectError, SinkError } from '../../core/errors.js';
import { expectKnown, expectMs, expectWhole } from '../../core/options.js';
import { shownUrl } from '../../core/text.js';
import { MiB } from '../../core/units.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../ports/http-client.js';

/** A request as the server saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As UTF-8. */
  readonly body: string;
  /** When it came, by RxJS's clock. */
  readonly at: number;
}

/**
 * What the server does with a request: answers with a status, or with more than that; `reset` ends the connection without
 * an answer, `silence` never answers.
 */
export type HttpScript =
  | number
  | 'reset'
  | 'silence'
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      /** How long it takes before it answers, in milliseconds. Default 0. */
      readonly afterMs?: number;
    };

export interface MemoryHttpOptions {
  /** How long each way takes, in (virtual) milliseconds. Default 1. */
  readonly latencyMs?: number;
  /** How much of an answer's body is kept, in bytes. Default 1 MiB. */
  readonly maxResponseBytes?: number;
}

/**
 * HTTP in memory, for tests: a client, and a server that answers as scripted. All its time is RxJS's, so inside
 * `TestScheduler.run` it is virtual.
 *
 * ```ts
 * import { httpSink } from 'rxflume';
 * import { MemoryHttp } from 'rxflume/testing';
 *
 * const http = new MemoryHttp();
 * http.answer = (_, n) => (n === 0 ? 503 : 200);
 * export const store = httpSink<string>(http, { url: 'http://store/events' });
 * ```
 */
export class MemoryHttp implements HttpClient {
  readonly name = 'http memory';
  /** Every request that came, in order. */
  readonly seen: SeenRequest[] = [];
  /** What it does with the nth request, from 0. Answers 200 at first. */
  answer: (request: SeenRequest, n: number) => HttpScript = () => 200;
  /** Whether somebody listens. */
  isUp = true;
  /** Requests that were begun and have not ended. */
  inFlight = 0;
  readonly #latencyMs: number;
  readonly #maxResponseBytes: number;

  constructor(options: MemoryHttpOptions = {}) {
    expectKnown('MemoryHttp options', options, ['latencyMs', 'maxResponseBytes']);
    const { latencyMs = 1, maxResponseBytes = MiB } = options;
    expectMs('latencyMs', latencyMs);
    expectWhole('maxResponseBytes', maxResponseBytes, 0);
    this.#latencyMs = latencyMs;
    this.#maxResponseBytes = maxResponseBytes;
  }

  request(request: HttpRequest): Observable<HttpAnswer> {
    return new Observable((subscriber) => {
      this.inFlight += 1;
      const life = new Subscription();
      life.add(() => {
        this.inFlight -= 1;
      });
      life.add(asyncScheduler.schedule(() => this.#receive(request, subscriber, life), this.#latencyMs));
      return life;
    });
  }

  #receive({ method, url, headers, body }: HttpRequest, out: Subscriber<HttpAnswer>, life: Subscription): void {
    const what = `${method} ${shownUrl(url)}`;
    if (!this.isUp) {
      out.error(new ConnectError('RXF_HTTP_UNREACHABLE', `${what}: cannot be reached: connection refused.`));
      return;
    }
    const names = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    const own = Object.fromEntries(names) as Record<string, string>;
    this.seen.push({ method, url, headers: own, body: Buffer.from(body).toString(), at: asyncScheduler.now() });
    const script = this.answer(this.seen.at(-1) as SeenRequest, this.seen.length - 1);
    if (script === 'silence') return;
    const afterMs = typeof script === 'object' ? (script.afterMs ?? 0) : 0;
    const reply = () => {
      if (script === 'reset') {
        out.error(new SinkError('RXF_HTTP_LOST', `${what}: the connection ended before the answer was whole.`));
        return;
      }
      out.next(this.#answerOf(script));
      out.complete();
    };
    life.add(asyncScheduler.schedule(reply, afterMs + this.#latencyMs));
  }

  #answerOf(script: Exclude<HttpScript, string>): HttpAnswer {
    const { status, headers = {}, body = '' } = typeof script === 'number' ? { status: script } : script;
    const bytes = Buffer.from(body);
    const excerpt = bytes.subarray(0, this.#maxResponseBytes).toString();
    return { status, headers, excerpt, isWhole: bytes.length <= this.#maxResponseBytes };
  }
}

import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { RxflumeError } from '../../core/errors.js';
import type { HttpAnswer, HttpClient, HttpRequest } from '../../ports/http-client.js';
import type { HttpScript, SeenRequest } from '../memory/memory-http.js';
import { equal, sleep, until } from './checking.js';

/** A client that keeps 64 KiB of an answer, and a server it can reach. Both are new for each check. */
export interface HttpSubject {
  readonly client: HttpClient;
  /** The server's origin, such as `http://127.0.0.1:4040`. */
  readonly origin: string;
  /** Every request that came, in order. */
  readonly seen: readonly SeenRequest[];
  /** What the server does with each from here on. */
  script(answer: (request: SeenRequest, n: number) => HttpScript): void;
  /** How many requests the server has, whose sender still waits. */
  waiting(): number;
  /** Ends the server: nobody listens at its address. */
  stop(): Promise<void>;
}

export interface HttpCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: HttpSubject): Promise<void>;
}

const QUIET_MS = 50;

/**
 * What drivers of the HTTP client port must do, as named checks for any test runner:
 * `for (const { name, run } of httpContract) it(name, () => run(subject))`.
 */
export const httpContract: readonly HttpCheck[] = [
  check('a request arrives as it was made', async ({ client, origin, seen }) => {
    const body = Buffer.from('{"text":"значение 🙂"}\n');
    await ask(client, origin, { method: 'PUT', body, headers: { 'x-odd': 'a, b;c="d"', 'idempotency-key': '"k"' } });
    const [request] = seen;
    equal(request?.method, 'PUT', 'the method');
    equal(request?.url.slice(origin.length), '/in/box?token=sesame&x=%20', 'the path and query');
    equal(request?.body, body.toString(), 'the body');
    equal(request?.headers['x-odd'], 'a, b;c="d"', 'a header');
    equal(request?.headers['idempotency-key'], '"k"', 'the key');
  }),

  check('a body of 5 MB, and an empty one, come whole', async ({ client, origin, seen }) => {
    const large = Buffer.alloc(5_000_000, 'abcdefg');
    await ask(client, origin, { body: large });
    await ask(client, origin, { body: Buffer.alloc(0) });
    equal(seen[0]?.body === large.toString(), true, 'the large one');
    equal(seen[1]?.body, '', 'the empty one');
  }),

  check('every status is an answer, with its headers and body', async ({ client, origin, script }) => {
    const statuses = [200, 201, 204, 301, 307, 400, 404, 413, 429, 500, 503];
    const headers = { 'retry-after': '7', location: 'http://elsewhere.test/' };
    script((_, n) => ({ status: statuses[n] as number, headers, body: statuses[n] === 204 ? '' : `said ${n}` }));
    for (const [n, status] of statuses.entries()) {
      const answer = await ask(client, origin);
      equal(answer.status, status, 'the status');
      equal([answer.headers['retry-after'], answer.headers.location], ['7', 'http://elsewhere.test/'], 'a header');
      equal([answer.excerpt, answer.isWhole], [status === 204 ? '' : `said ${n}`, true], 'the body');
    }
  }),

  check('an answer is read up to the bound, and the next request works', async ({ client, origin, script }) => {
    script((_, n) => ({ status: 200, body: n === 0 ? 'x'.repeat(1_000_000) : 'short' }));
    const answer = await ask(client, origin);
    equal(answer.excerpt.length, 64 * 1024, 'the length');
    equal(answer.isWhole, false, 'whether it is whole');
    const next = await ask(client, origin);
    equal([next.excerpt, next.isWhole], ['short', true], 'the next');
  }),

  check('it is cold, and each subscription sends once and gets one answer', async ({ client, origin, seen }) => {
    const request$ = client.request(requestTo(origin));
    await sleep(QUIET_MS);
    equal(seen.length, 0, 'requests before it is subscribed');
    equal((await lastValueFrom(request$.pipe(toArray()))).length, 1, 'answers');
    await firstValueFrom(request$);
    equal(seen.length, 2, 'requests');
  }),

  check('many at once each get their own answer', async ({ client, origin, script }) => {
    script(({ body }) => ({ status: 200, body: `to ${body}`, afterMs: Number(body) % 7 }));
    const all = Array.from({ length: 50 }, (_, n) => ask(client, origin, { body: Buffer.from(String(n)) }));
    equal(
      (await Promise.all(all)).map(({ excerpt }) => excerpt),
      all.map((_, n) => `to ${n}`),
      'the answers',
    );
  }),

  check('a connection that ends without an answer is lost', async ({ client, origin, script }) => {
    script((_, n) => (n === 0 ? 'reset' : 200));
    equal(await outcome(client, origin), 'RXF_HTTP_LOST', 'the outcome');
    equal((await ask(client, origin)).status, 200, 'the next');
  }),

  check('where nobody listens it is unreachable', async ({ client, origin, stop }) => {
    await stop();
    equal(await outcome(client, origin), 'RXF_HTTP_UNREACHABLE', 'the outcome');
  }),

  check('unsubscribing ends the request, and the next one works', async (subject) => {
    const { client, origin, script, seen } = subject;
    script((_, n) => (n === 0 ? 'silence' : 200));
    const life = client.request(requestTo(origin)).subscribe();
    await until(() => seen.length === 1, 'the request');
    life.unsubscribe();
    await until(() => subject.waiting() === 0, 'the end of the request');
    equal((await ask(client, origin)).status, 200, 'the next');
  }),

  check('no name and no message has a secret', async ({ client, origin, script, stop }) => {
    script(() => 'reset');
    const messages = [client.name, await messageOf(client, origin)];
    await stop();
    messages.push(await messageOf(client, origin));
    for (const message of messages) equal(/sesame|Bearer|hidden/.test(message), false, `a secret in "${message}"`);
  }),
];

function check(name: string, run: (subject: HttpSubject) => Promise<void>): HttpCheck {
  return { name, run };
}

function requestTo(origin: string, change: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    url: `${origin}/in/box?token=sesame&x=%20`,
    headers: { authorization: 'Bearer hidden', 'content-type': 'text/plain', ...change.headers },
    body: change.body ?? Buffer.from('a'),
    ...(change.method !== undefined && { method: change.method }),
  };
}

function ask(client: HttpClient, origin: string, change: Partial<HttpRequest> = {}): Promise<HttpAnswer> {
  return lastValueFrom(client.request(requestTo(origin, change)));
}

async function outcome(client: HttpClient, origin: string): Promise<string> {
  return await ask(client, origin).then(
    ({ status }) => String(status),
    (error: unknown) => (error instanceof RxflumeError ? error.code : String(error)),
  );
}

async function messageOf(client: HttpClient, origin: string): Promise<string> {
  return await ask(client, origin).then(
    () => 'an answer',
    (error: unknown) => {
      const { message, details } = error as RxflumeError;
      return `${message} ${JSON.stringify(details)}`;
    },
  );
}

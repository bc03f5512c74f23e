import { firstValueFrom, from, lastValueFrom } from 'rxjs';
import { RxflumeError } from '../../core/errors.js';
import type { HttpHead, HttpReceived, HttpReply, HttpServer, HttpServerListener } from '../../ports/http-server.js';
import type { Listening } from '../../ports/listening.js';
import type { MemoryPost } from '../memory/memory-http-server.js';
import { equal, sleep, until } from './checking.js';
import { listened } from './listened.js';

/** A server, new for each check, and a client of it. */
export interface HttpServerSubject {
  readonly server: HttpServer;
  /** Sends a request to what listens; rejects where nobody does, or the connection ends before the answer. */
  send(listening: Listening, request: MemoryPost, leave?: Promise<unknown>): Promise<HttpReply>;
}

export interface HttpServerCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: HttpServerSubject): Promise<void>;
}

const QUIET_MS = 100;

/**
 * What drivers of the HTTP server port must do, as named checks for any test runner:
 * `for (const { name, run } of httpServerContract) it(name, () => run({ server, send }))`.
 */
export const httpServerContract: readonly HttpServerCheck[] = [
  check('a request arrives as it was sent, and its answer too', async ({ trace, send }) => {
    trace.answer = () => ({ status: 202, headers: { 'x-own': 'a' }, body: '{"ok":true}' });
    const body = Uint8Array.from({ length: 256 }, (_, n) => n);
    const answer = await send({ path: '/a?b=c', headers: { 'X-Mixed': 'Kept' }, body });
    const [request] = trace.requests;
    equal([request?.method, request?.path, request?.headers['x-mixed']], ['POST', '/a', 'Kept'], 'the head');
    equal([...(request?.body ?? [])], [...body], 'the body');
    equal(request?.byteLength, 256, 'its size');
    equal([answer.status, answer.headers?.['x-own'], answer.body], [202, 'a', '{"ok":true}'], 'the answer');
  }),

  check('a request that is not admitted is answered at once, and its body does not arrive', async ({ trace, send }) => {
    trace.admit = ({ path }) => (path === '/no' ? { status: 404, body: '{}' } : null);
    trace.answer = () => ({ status: 200 });
    equal((await send({ path: '/no', body: 'a' })).status, 404, 'the answer');
    equal((await send({ path: '/yes', body: 'a' })).status, 200, 'the next');
    equal(trace.requests.length, 1, 'requests that arrived');
  }),

  check('many requests are answered each by its own answer, in any order', async ({ trace, send }) => {
    const bodies = Array.from({ length: 20 }, (_, n) => String(n));
    const answers = bodies.map((body) => send({ body }));
    await until(() => trace.requests.length === bodies.length, 'the requests');
    for (const { body, reply } of [...trace.requests].reverse()) {
      reply({ status: 200, body: JSON.stringify(new TextDecoder().decode(body)) });
    }
    const said = (await Promise.all(answers)).map(({ body }) => JSON.parse(body ?? '') as unknown);
    equal(said, bodies, 'the answers');
  }),

  check('an answer counts once, and not at all where the client has gone', async ({ trace, send }) => {
    const answer = send({ body: 'a' });
    await until(() => trace.requests.length === 1, 'the request');
    const [first] = trace.requests;
    equal([first?.reply({ status: 200 }), first?.reply({ status: 500 })], [true, false], 'whether it was heard');
    equal((await answer).status, 200, 'the answer');
    let leave: () => void = () => undefined;
    const gone = send({ body: 'b' }, new Promise<void>((resolve) => (leave = resolve))).catch(() => undefined);
    await until(() => trace.requests.length === 2, 'the second request');
    leave();
    await gone;
    await sleep(QUIET_MS);
    equal(trace.requests[1]?.reply({ status: 200 }), false, 'whether the second was heard');
  }),

  check(
    'a server that closes answers what it has first, and takes nothing more',
    async ({ trace, send, listening, isComplete }) => {
      const answer = send({ body: 'a' });
      await until(() => trace.requests.length === 1, 'the request');
      const closed = lastValueFrom(from(listening.close()), { defaultValue: undefined });
      await sleep(QUIET_MS);
      const late = await send({ body: 'b' }).then(
        ({ status }) => status,
        () => 'rejected',
      );
      equal(late === 'rejected' || late === 503, true, `what another request got (${late})`);
      trace.requests[0]?.reply({ status: 200 });
      equal((await answer).status, 200, 'the answer');
      await closed;
      await until(isComplete, 'the server to complete');
      equal(trace.requests.length, 1, 'requests that arrived');
    },
  ),

  check('where its address is taken, listening fails, and may be tried again', async ({ subject, listening }) => {
    const same = await firstValueFrom(subject.server.listen(new Trace())).then(
      () => 'listens',
      (error: unknown) => error,
    );
    // A server at any free port gets another one.
    if (same === 'listens') return;
    equal(same instanceof RxflumeError ? [same.code, same.retryable] : same, ['RXF_SOURCE_LISTEN', true], 'the error');
    equal(listening.address.length > 0, true, 'the first is there');
  }),
];

/** A listener that writes down what it is given. */
class Trace implements HttpServerListener {
  readonly requests: HttpReceived[] = [];
  admit: (head: HttpHead) => HttpReply | null = () => null;
  answer: ((request: HttpReceived) => HttpReply) | undefined;

  request(request: HttpReceived): void {
    this.requests.push(request);
    if (this.answer !== undefined) request.reply(this.answer(request));
  }

  isReady(): boolean {
    return true;
  }

  clients(): void {}

  logEvent(): void {}
}

interface Given {
  readonly subject: HttpServerSubject;
  readonly trace: Trace;
  readonly listening: Listening;
  send(request: MemoryPost, leave?: Promise<unknown>): Promise<HttpReply>;
  isComplete(): boolean;
}

function check(name: string, run: (given: Given) => Promise<void>): HttpServerCheck {
  return {
    name,
    run: (subject) => {
      const trace = new Trace();
      return listened(subject.server.listen(trace), (listening, isComplete) => {
        const send = (request: MemoryPost, leave?: Promise<unknown>) => subject.send(listening, request, leave);
        return run({ subject, trace, listening, send, isComplete });
      });
    },
  };
}

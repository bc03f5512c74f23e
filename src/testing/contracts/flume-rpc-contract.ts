import { firstValueFrom, from, lastValueFrom, type Subscription } from 'rxjs';
import { RxflumeError } from '../../core/errors.js';
import type { FlumeEvent } from '../../formats/flume-event.js';
import type {
  FlumeBatch,
  FlumeConnection,
  FlumeListener,
  FlumeListening,
  FlumeRpcClient,
  FlumeRpcServer,
  FlumeStatus,
} from '../../ports/flume-rpc.js';
import { equal, sleep, until } from './checking.js';

/** A server, and a client whose first agent is that server. Both are new for each check. */
export interface FlumeRpcSubject {
  readonly server: FlumeRpcServer;
  /** To be called once the server listens. */
  client(listening: FlumeListening): FlumeRpcClient;
}

export interface FlumeRpcCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: FlumeRpcSubject): Promise<void>;
}

const QUIET_MS = 100;

/**
 * What drivers of the two Flume RPC ports must do, as named checks for any test runner:
 * `for (const { name, run } of flumeRpcContract) it(name, () => run({ server, client }))`.
 */
export const flumeRpcContract: readonly FlumeRpcCheck[] = [
  check('events arrive as they were sent, one alone and many together', async ({ trace, connect }) => {
    trace.answer = () => 'OK';
    const { connection } = await connect();
    const odd = JSON.parse('{"__proto__":"kept","ключ":"значение 🙂","empty":"","":"nameless"}') as Record<
      string,
      string
    >;
    const one = { headers: odd, body: Buffer.from([0, 1, 255]) };
    equal(await send(connection, [one]), 'OK', 'the answer to one');
    const many = Array.from({ length: 5_000 }, (_, n) => event(n, { n: String(n) }));
    equal(await send(connection, many), 'OK', 'the answer to many');
    equal(await send(connection, [event('')]), 'OK', 'the answer to an empty one');
    const [first, second, third] = trace.batches;
    equal(Object.entries(first?.events[0]?.headers ?? {}), Object.entries(odd), 'headers');
    equal([...(first?.events[0]?.body ?? [])], [0, 1, 255], 'a body');
    equal(
      bodies(second),
      many.map(({ body }) => String(body)),
      'many bodies',
    );
    equal(
      second?.events.map(({ headers }) => headers.n),
      many.map((_, n) => String(n)),
      'a header of each',
    );
    equal(third?.events[0]?.body.length, 0, 'an empty body');
  }),

  check('a batch of 5 MB comes whole', async ({ trace, connect }) => {
    trace.answer = () => 'OK';
    const { connection } = await connect();
    const large = Array.from({ length: 50 }, (_, n) => ({ headers: {}, body: Buffer.alloc(100_000, n + 1) }));
    equal(await send(connection, large), 'OK', 'the answer');
    const wrong = trace.batches[0]?.events.findIndex(
      ({ body }, n) => !Buffer.from(body).equals(Buffer.alloc(100_000, n + 1)),
    );
    equal(wrong, -1, 'the first wrong body');
  }),

  check('FAILED and UNKNOWN come back, and the connection lives', async ({ trace, connect }) => {
    const statuses: FlumeStatus[] = ['FAILED', 'UNKNOWN', 'OK'];
    trace.answer = (_, n) => statuses[n] as FlumeStatus;
    const { connection } = await connect();
    for (const status of statuses) equal(await send(connection, [event(status)]), status, 'the answer');
  }),

  check('each answer finds its batch, whatever their order', async ({ trace, connect }) => {
    const { connection } = await connect();
    const answers = ['a', 'b', 'c'].map((name) => send(connection, [event(name)]));
    await until(() => trace.batches.length === 3, 'three batches');
    const replies: Record<string, FlumeStatus> = { a: 'OK', b: 'FAILED', c: 'UNKNOWN' };
    for (const name of ['c', 'a', 'b']) {
      trace.batches.find((batch) => bodies(batch)[0] === name)?.reply(replies[name] as FlumeStatus);
    }
    equal(await Promise.all(answers), ['OK', 'FAILED', 'UNKNOWN'], 'the answers');
  }),

  check('an answer counts, also where its receiver closes the connection within it', async ({ trace, connect }) => {
    trace.answer = () => 'FAILED';
    const { connection } = await connect();
    const replies: string[] = [];
    await new Promise<void>((resolve) => {
      connection.append([event('a')]).subscribe({
        next: (status) => {
          replies.push(status);
          connection.close();
        },
        error: (error: unknown) => {
          replies.push(codeOf(error));
          resolve();
        },
        complete: () => resolve(),
      });
    });
    equal(replies, ['FAILED'], 'the replies');
  }),

  check('only the first reply counts', async ({ trace, connect }) => {
    const { connection } = await connect();
    const answer = send(connection, [event('a')]);
    await until(() => trace.batches.length === 1, 'the batch');
    equal(trace.batches[0]?.reply('FAILED'), true, 'the first reply');
    equal(trace.batches[0]?.reply('OK'), false, 'the second reply');
    equal(await answer, 'FAILED', 'the answer');
  }),

  check('while the server is paused nothing comes, then all of it', async ({ trace, connect, listening }) => {
    trace.answer = () => 'OK';
    const { connection } = await connect();
    await send(connection, [event('first')]);
    listening.pause();
    const answers = Array.from({ length: 20 }, (_, n) => send(connection, [event(n)]));
    await sleep(QUIET_MS);
    equal(trace.batches.length, 1, 'batches while paused');
    listening.resume();
    equal(new Set(await Promise.all(answers)), new Set(['OK']), 'the answers');
    equal(trace.batches.length, 21, 'batches');
  }),

  check('a client that has gone is reported, and its reply reaches no one', async ({ trace, connect }) => {
    const { connection, life } = await connect();
    const answer = outcome(send(connection, [event('a')]));
    await until(() => trace.batches.length === 1, 'the batch');
    life.unsubscribe();
    equal(await answer, 'RXF_FLUME_LOST', 'the outcome');
    await until(() => trace.count === 0, 'no clients');
    equal(trace.batches[0]?.reply('OK'), false, 'the reply');
  }),

  check(
    'close completes the connection, may be called twice, and loses what is under way',
    async ({ trace, connect }) => {
      const { connection, ended } = await connect();
      const answer = outcome(send(connection, [event('a')]));
      await until(() => trace.batches.length === 1, 'the batch');
      connection.close();
      connection.close();
      equal(await answer, 'RXF_FLUME_LOST', 'the outcome');
      equal(await ended, 'complete', 'the end');
      equal(await outcome(send(connection, [event('b')])), 'RXF_FLUME_LOST', 'a batch afterwards');
    },
  ),

  check('a server that stops at once ends its connections', async ({ trace, connect, stop }) => {
    const { connection, ended } = await connect();
    const answer = outcome(send(connection, [event('a')]));
    await until(() => trace.batches.length === 1, 'the batch');
    stop();
    equal(await answer, 'RXF_FLUME_LOST', 'the outcome');
    equal(await ended, 'RXF_FLUME_UNREACHABLE', 'the end');
  }),

  check('a server that closes answers what it has first, and takes nothing more', async (given) => {
    const { trace, connect, listening, client } = given;
    const { connection, ended } = await connect();
    const answer = send(connection, [event('a')]);
    await until(() => trace.batches.length === 1, 'the batch');
    const closed = lastValueFrom(from(listening.close()), { defaultValue: undefined });
    const rejected = outcome(firstValueFrom(client.connect(0)));
    await sleep(QUIET_MS);
    let isAnswered = false;
    const heard = answer.then((status) => {
      isAnswered = true;
      return status;
    });
    trace.batches[0]?.reply('OK');
    await closed;
    equal(isAnswered, true, 'the answer was heard when the server had closed');
    equal(await heard, 'OK', 'the answer');
    equal(await ended, 'RXF_FLUME_UNREACHABLE', 'the end of the connection');
    equal(await rejected, 'RXF_FLUME_UNREACHABLE', 'another client');
    await until(() => given.isComplete(), 'the server to complete');
  }),

  check('where nobody listens, connecting fails, and may be tried again', async ({ client, stop }) => {
    stop();
    await sleep(QUIET_MS);
    const error = await firstValueFrom(client.connect(0)).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    equal(error instanceof RxflumeError ? error.code : error, 'RXF_FLUME_UNREACHABLE', 'the code');
    equal((error as RxflumeError).retryable, true, 'retryable');
  }),

  check('several clients are distinguished and counted', async ({ trace, connect }) => {
    trace.answer = () => 'OK';
    const [one, two] = [await connect(), await connect()];
    await until(() => trace.count === 2, 'two clients');
    await send(one.connection, [event('a')]);
    await send(two.connection, [event('b')]);
    equal(trace.batches[0]?.client === trace.batches[1]?.client, false, 'their names differ');
    one.connection.close();
    await until(() => trace.count === 1, 'one client');
  }),
];

/** A listener that writes down what it is given. */
class Trace implements FlumeListener {
  readonly batches: FlumeBatch[] = [];
  count = 0;
  answer: ((batch: FlumeBatch, n: number) => FlumeStatus) | undefined;

  batch(batch: FlumeBatch): void {
    this.batches.push(batch);
    if (this.answer !== undefined) batch.reply(this.answer(batch, this.batches.length - 1));
  }

  clients(count: number): void {
    this.count = count;
  }

  logEvent(): void {}
}

interface Connected {
  readonly connection: FlumeConnection;
  readonly life: Subscription;
  /** `complete`, or the code of the error. */
  readonly ended: Promise<string>;
}

interface Given {
  readonly trace: Trace;
  readonly listening: FlumeListening;
  readonly client: FlumeRpcClient;
  connect(): Promise<Connected>;
  /** Unsubscribes from the server. */
  stop(): void;
  isComplete(): boolean;
}

function check(name: string, run: (given: Given) => Promise<void>): FlumeRpcCheck {
  return {
    name,
    run: async (subject) => {
      const trace = new Trace();
      const lives: Subscription[] = [];
      let isComplete = false;
      const listening = await new Promise<FlumeListening>((resolve, reject) => {
        const complete = () => {
          isComplete = true;
        };
        lives.push(subject.server.listen(trace).subscribe({ next: resolve, error: reject, complete }));
      });
      const client = subject.client(listening);
      try {
        await run({
          trace,
          listening,
          client,
          connect: () => connectTo(client, lives),
          stop: () => lives[0]?.unsubscribe(),
          isComplete: () => isComplete,
        });
      } finally {
        for (const life of lives) life.unsubscribe();
      }
    },
  };
}

function connectTo(client: FlumeRpcClient, lives: Subscription[]): Promise<Connected> {
  return new Promise((resolve, reject) => {
    let end: (how: string) => void = () => undefined;
    const ended = new Promise<string>((done) => {
      end = done;
    });
    const life = client.connect(0).subscribe({
      // Not within the call: where it connects at once, `life` is not there yet.
      next: (connection) => queueMicrotask(() => resolve({ connection, life, ended })),
      error: (error: unknown) => {
        end(codeOf(error));
        reject(error);
      },
      complete: () => end('complete'),
    });
    lives.push(life);
  });
}

function event(body: unknown, headers: Record<string, string> = {}): FlumeEvent {
  return { headers, body: Buffer.from(String(body)) };
}

function bodies(batch: FlumeBatch | undefined): string[] {
  return (batch?.events ?? []).map(({ body }) => Buffer.from(body).toString());
}

function send(connection: FlumeConnection, events: readonly FlumeEvent[]): Promise<FlumeStatus> {
  return lastValueFrom(connection.append(events));
}

function outcome(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(() => 'no error', codeOf);
}

function codeOf(error: unknown): string {
  return error instanceof RxflumeError ? error.code : String(error);
}

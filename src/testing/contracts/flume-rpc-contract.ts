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

const WITHIN_MS = 10_000;
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
    same('the answer to one', await send(connection, [one]), 'OK');
    const many = Array.from({ length: 5_000 }, (_, n) => event(n, { n: String(n) }));
    same('the answer to many', await send(connection, many), 'OK');
    same('the answer to an empty one', await send(connection, [event('')]), 'OK');
    const [first, second, third] = trace.batches;
    same('headers', Object.entries(first?.events[0]?.headers ?? {}), Object.entries(odd));
    same('a body', [...(first?.events[0]?.body ?? [])], [0, 1, 255]);
    same(
      'many bodies',
      bodies(second),
      many.map(({ body }) => String(body)),
    );
    same(
      'a header of each',
      second?.events.map(({ headers }) => headers.n),
      many.map((_, n) => String(n)),
    );
    same('an empty body', third?.events[0]?.body.length, 0);
  }),

  check('a batch of 5 MB comes whole', async ({ trace, connect }) => {
    trace.answer = () => 'OK';
    const { connection } = await connect();
    const large = Array.from({ length: 50 }, (_, n) => ({ headers: {}, body: Buffer.alloc(100_000, n + 1) }));
    same('the answer', await send(connection, large), 'OK');
    const wrong = trace.batches[0]?.events.findIndex(
      ({ body }, n) => !Buffer.from(body).equals(Buffer.alloc(100_000, n + 1)),
    );
    same('the first wrong body', wrong, -1);
  }),

  check('FAILED and UNKNOWN come back, and the connection lives', async ({ trace, connect }) => {
    const statuses: FlumeStatus[] = ['FAILED', 'UNKNOWN', 'OK'];
    trace.answer = (_, n) => statuses[n] as FlumeStatus;
    const { connection } = await connect();
    for (const status of statuses) same('the answer', await send(connection, [event(status)]), status);
  }),

  check('each answer finds its batch, whatever their order', async ({ trace, connect }) => {
    const { connection } = await connect();
    const answers = ['a', 'b', 'c'].map((name) => send(connection, [event(name)]));
    await until(() => trace.batches.length === 3, 'three batches');
    const replies: Record<string, FlumeStatus> = { a: 'OK', b: 'FAILED', c: 'UNKNOWN' };
    for (const name of ['c', 'a', 'b']) {
      trace.batches.find((batch) => bodies(batch)[0] === name)?.reply(replies[name] as FlumeStatus);
    }
    same('the answers', await Promise.all(answers), ['OK', 'FAILED', 'UNKNOWN']);
  }),

  check('an answer stands, also where its hearer closes the connection within it', async ({ trace, connect }) => {
    trace.answer = () => 'FAILED';
    const { connection } = await connect();
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      connection.append([event('a')]).subscribe({
        next: (status) => {
          told.push(status);
          connection.close();
        },
        error: (error: unknown) => {
          told.push(codeOf(error));
          resolve();
        },
        complete: () => resolve(),
      });
    });
    same('what was told', told, ['FAILED']);
  }),

  check('only the first reply counts', async ({ trace, connect }) => {
    const { connection } = await connect();
    const answer = send(connection, [event('a')]);
    await until(() => trace.batches.length === 1, 'the batch');
    same('the first reply', trace.batches[0]?.reply('FAILED'), true);
    same('the second reply', trace.batches[0]?.reply('OK'), false);
    same('the answer', await answer, 'FAILED');
  }),

  check('while the server is paused nothing comes, then all of it', async ({ trace, connect, listening }) => {
    trace.answer = () => 'OK';
    const { connection } = await connect();
    await send(connection, [event('first')]);
    listening.pause();
    const answers = Array.from({ length: 20 }, (_, n) => send(connection, [event(n)]));
    await quiet();
    same('batches while paused', trace.batches.length, 1);
    listening.resume();
    same('the answers', new Set(await Promise.all(answers)), new Set(['OK']));
    same('batches', trace.batches.length, 21);
  }),

  check('a client that has gone is told of, and its reply has no hearer', async ({ trace, connect }) => {
    const { connection, life } = await connect();
    const answer = outcome(send(connection, [event('a')]));
    await until(() => trace.batches.length === 1, 'the batch');
    life.unsubscribe();
    same('the outcome', await answer, 'RXF_FLUME_LOST');
    await until(() => trace.count === 0, 'no clients');
    same('the reply', trace.batches[0]?.reply('OK'), false);
  }),

  check(
    'close completes the connection, may be called twice, and loses what is under way',
    async ({ trace, connect }) => {
      const { connection, ended } = await connect();
      const answer = outcome(send(connection, [event('a')]));
      await until(() => trace.batches.length === 1, 'the batch');
      connection.close();
      connection.close();
      same('the outcome', await answer, 'RXF_FLUME_LOST');
      same('the end', await ended, 'complete');
      same('a batch afterwards', await outcome(send(connection, [event('b')])), 'RXF_FLUME_LOST');
    },
  ),

  check('a server that stops at once ends its connections', async ({ trace, connect, stop }) => {
    const { connection, ended } = await connect();
    const answer = outcome(send(connection, [event('a')]));
    await until(() => trace.batches.length === 1, 'the batch');
    stop();
    same('the outcome', await answer, 'RXF_FLUME_LOST');
    same('the end', await ended, 'RXF_FLUME_UNREACHABLE');
  }),

  check('a server that closes answers what it has first, and takes nothing more', async (given) => {
    const { trace, connect, listening, client } = given;
    const { connection, ended } = await connect();
    const answer = send(connection, [event('a')]);
    await until(() => trace.batches.length === 1, 'the batch');
    const closed = lastValueFrom(from(listening.close()), { defaultValue: undefined });
    const refused = outcome(firstValueFrom(client.connect(0)));
    await quiet();
    let isAnswered = false;
    const heard = answer.then((status) => {
      isAnswered = true;
      return status;
    });
    trace.batches[0]?.reply('OK');
    await closed;
    same('the answer was heard when the server had closed', isAnswered, true);
    same('the answer', await heard, 'OK');
    same('the end of the connection', await ended, 'RXF_FLUME_UNREACHABLE');
    same('another client', await refused, 'RXF_FLUME_UNREACHABLE');
    await until(() => given.isComplete(), 'the server to complete');
  }),

  check('where nobody listens, connecting fails, and may be tried again', async ({ client, stop }) => {
    stop();
    await quiet();
    const error = await firstValueFrom(client.connect(0)).then(
      () => undefined,
      (problem: unknown) => problem,
    );
    same('the code', error instanceof RxflumeError ? error.code : error, 'RXF_FLUME_UNREACHABLE');
    same('retryable', (error as RxflumeError).retryable, true);
  }),

  check('several clients are told apart and counted', async ({ trace, connect }) => {
    trace.answer = () => 'OK';
    const [one, two] = [await connect(), await connect()];
    await until(() => trace.count === 2, 'two clients');
    await send(one.connection, [event('a')]);
    await send(two.connection, [event('b')]);
    same('their names differ', trace.batches[0]?.client === trace.batches[1]?.client, false);
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

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + WITHIN_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`waited ${WITHIN_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

function same(what: string, got: unknown, flush$: unknown): void {
  const [one, other] = [got, flush$].map((value) => JSON.stringify(value instanceof Set ? [...value] : value));
  if (one !== other) throw new Error(`expected ${what} to be ${other}, got ${one}`);
}

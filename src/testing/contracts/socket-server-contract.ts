import { from, lastValueFrom } from 'rxjs';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketPeer, SocketReader, SocketServer, SocketServerListener } from '../../ports/socket-server.js';
import type { MemorySocket } from '../memory/memory-sockets.js';
import { equal, sleep, until } from './checking.js';
import { listened } from './listened.js';

/** A server of streams, new for each check, and clients of it. */
export interface SocketServerSubject {
  readonly server: SocketServer;
  /** A client of what listens, connected; rejects where nobody does. */
  connect(listening: PausableListening): Promise<MemorySocket>;
}

export interface SocketServerCheck {
  readonly name: string;
  /** Rejects with what is wrong. */
  run(subject: SocketServerSubject): Promise<void>;
}

const QUIET_MS = 100;

/**
 * What drivers of the socket server port must do with streams, as named checks for any test runner:
 * `for (const { name, run } of socketServerContract) it(name, () => run({ server, connect }))`.
 */
export const socketServerContract: readonly SocketServerCheck[] = [
  check('bytes arrive as they were sent, in order, and so does what is written back', async ({ trace, connect }) => {
    const client = await connect();
    const texts = Array.from({ length: 500 }, (_, n) => `${n} é\n`);
    for (const text of texts) client.send(text);
    await until(() => trace.readers[0]?.text === texts.join(''), 'all bytes');
    equal(trace.readers[0]?.peer.write(new TextEncoder().encode('back ✓')), true, 'whether it was written');
    await until(() => client.received === 'back ✓', 'what was written back');
  }),

  check('clients are distinguished and counted, and one that closes ends once', async ({ trace, connect }) => {
    const [one, other] = [await connect(), await connect()];
    one.send('a');
    other.send('b');
    await until(() => trace.readers.filter(({ text }) => text !== '').length === 2, 'both');
    equal(trace.count, 2, 'clients');
    equal(trace.readers[0]?.peer.client === trace.readers[1]?.peer.client, false, 'their names differ');
    one.close();
    await until(() => trace.count === 1, 'one client');
    await sleep(QUIET_MS);
    equal(trace.readers.map(({ ends }) => ends).sort(), [0, 1], 'ends');
    const gone = trace.readers.find(({ ends }) => ends === 1);
    equal(gone?.peer.write(new Uint8Array(1)), false, 'whether what is gone can be written to');
  }),

  check('a pause holds every client back, and loses nothing', async ({ trace, connect, listening }) => {
    const client = await connect();
    await until(() => trace.readers.length === 1, 'the client');
    listening.pause();
    client.send('later');
    await sleep(QUIET_MS);
    equal(trace.readers[0]?.text, '', 'bytes while it is paused');
    listening.resume();
    await until(() => trace.readers[0]?.text === 'later', 'the bytes');
  }),

  check('a pause of one client holds back that one alone', async ({ trace, connect }) => {
    const [one, other] = [await connect(), await connect()];
    await until(() => trace.readers.length === 2, 'both');
    trace.readers[0]?.peer.pause();
    one.send('a');
    other.send('b');
    await until(() => trace.readers[1]?.text === 'b', 'the other');
    await sleep(QUIET_MS);
    equal(trace.readers[0]?.text, '', 'bytes of the first');
    trace.readers[0]?.peer.resume();
    await until(() => trace.readers[0]?.text === 'a', 'the first');
  }),

  check('a client that is ended gets what was written before', async ({ trace, connect }) => {
    const client = await connect();
    client.send('a');
    await until(() => trace.readers[0]?.text === 'a', 'the bytes');
    trace.readers[0]?.peer.write(new TextEncoder().encode('bye'));
    trace.readers[0]?.peer.end();
    await until(() => client.isClosed && client.received === 'bye', 'the end');
  }),

  check(
    'a server that closes asks each reader to close its client',
    async ({ trace, connect, listening, isComplete }) => {
      const client = await connect();
      client.send('a');
      await until(() => trace.readers[0]?.text === 'a', 'the bytes');
      await lastValueFrom(from(listening.close()), { defaultValue: undefined });
      equal([trace.readers[0]?.closings, trace.readers[0]?.ends], [1, 1], 'closings and ends');
      await until(() => client.isClosed, 'the end');
      await until(isComplete, 'the server to complete');
    },
  ),
];

class Reader implements SocketReader {
  readonly peer: SocketPeer;
  readonly #decoder = new TextDecoder();
  readonly unfinished = 0;
  text = '';
  ends = 0;
  closings = 0;

  constructor(peer: SocketPeer) {
    this.peer = peer;
  }

  data(bytes: Uint8Array): void {
    this.text += this.#decoder.decode(bytes, { stream: true });
  }

  ended(): void {
    this.ends += 1;
  }

  closing(): void {
    this.closings += 1;
    this.peer.end();
  }
}

/** A listener that writes down what it is given. */
class Trace implements SocketServerListener {
  readonly readers: Reader[] = [];
  count = 0;

  connected(peer: SocketPeer): SocketReader {
    const reader = new Reader(peer);
    this.readers.push(reader);
    return reader;
  }

  datagram(): void {}

  dropped(): void {}

  clients(count: number): void {
    this.count = count;
  }

  logEvent(): void {}
}

interface Given {
  readonly trace: Trace;
  readonly listening: PausableListening;
  connect(): Promise<MemorySocket>;
  isComplete(): boolean;
}

function check(name: string, run: (given: Given) => Promise<void>): SocketServerCheck {
  return {
    name,
    run: (subject) => {
      const trace = new Trace();
      return listened(subject.server.listen(trace), async (listening, isComplete) => {
        const clients: MemorySocket[] = [];
        const connect = async () => {
          const client = await subject.connect(listening);
          clients.push(client);
          return client;
        };
        try {
          await run({ trace, listening, connect, isComplete });
        } finally {
          for (const client of clients) client.close();
        }
      });
    },
  };
}

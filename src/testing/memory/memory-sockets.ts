import { asyncScheduler, EMPTY, type Observable, type Subscriber } from 'rxjs';
import type { PausableListening } from '../../ports/listening.js';
import type {
  SocketPeer,
  SocketReader,
  SocketServer,
  SocketServerListener,
  SocketTransport,
} from '../../ports/socket-server.js';
import { MemoryListening } from './memory-listening.js';

/** A client of a server in memory. */
export interface MemorySocket {
  /** What it has received, as text. */
  readonly received: string;
  /** Whether the server has closed it. */
  readonly isClosed: boolean;
  send(bytes: string | Uint8Array): void;
  close(): void;
}

/**
 * A server of sockets in memory, for tests, and its clients. All its time is RxJS's, so inside `TestScheduler.run` it is
 * virtual.
 *
 * ```ts
 * import { netSource } from 'rxflume/inputs';
 * import { MemorySockets } from 'rxflume/testing';
 *
 * const sockets = new MemorySockets();
 * export const lines$ = netSource(sockets, { name: 'lines' });
 * export const sendOne = () => sockets.connect().send('hello\n');
 * ```
 */
export class MemorySockets implements SocketServer {
  readonly name = 'sockets memory';
  readonly transport: SocketTransport;
  readonly #latencyMs: number;
  readonly #listening: MemoryListening<Running, PausableListening>;
  #clients = 0;

  constructor(transport: SocketTransport = 'tcp', latencyMs = 1) {
    this.transport = transport;
    this.#latencyMs = latencyMs;
    this.#listening = new MemoryListening(this.name, latencyMs);
  }

  listen(listener: SocketServerListener): Observable<PausableListening> {
    return this.#listening.listen((subscriber, over) => new Running(listener, subscriber, over));
  }

  /** A new client, at once; a closed one where nobody listens. */
  connect(): MemorySocket {
    const { running } = this.#listening;
    if (running === undefined) return NOT_LISTENING;
    this.#clients += 1;
    return new Client(`client-${this.#clients}`, running, this.#latencyMs);
  }

  /** A datagram, at once; lost where nobody listens. */
  datagram(bytes: string | Uint8Array): void {
    this.#listening.running?.listener.datagram(bytesOf(bytes), 'client-1');
  }
}

/** A client that was not let in. */
const NOT_LISTENING: MemorySocket = { received: '', isClosed: true, send: () => undefined, close: () => undefined };

class Running implements PausableListening {
  readonly address = 'memory:1';
  readonly listener: SocketServerListener;
  isPaused = false;
  readonly #out: Subscriber<PausableListening>;
  readonly #ended: () => void;
  readonly #clients = new Set<Client>();

  constructor(listener: SocketServerListener, out: Subscriber<PausableListening>, ended: () => void) {
    this.listener = listener;
    this.#out = out;
    this.#ended = ended;
  }

  add(client: Client): void {
    this.#clients.add(client);
    this.listener.clients(this.#clients.size);
  }

  remove(client: Client): void {
    if (this.#clients.delete(client)) this.listener.clients(this.#clients.size);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    for (const client of [...this.#clients]) client.flush();
  }

  close(): Observable<unknown> {
    this.isPaused = true;
    for (const client of [...this.#clients]) client.closing();
    this.end();
    this.#out.complete();
    return EMPTY;
  }

  end(): void {
    this.#ended();
    for (const client of [...this.#clients]) client.end();
  }
}

class Client implements MemorySocket, SocketPeer {
  readonly client: string;
  received = '';
  isClosed = false;
  readonly #running: Running;
  readonly #latencyMs: number;
  readonly #reader: SocketReader;
  #held: Uint8Array[] = [];
  #isPaused = false;

  constructor(client: string, running: Running, latencyMs: number) {
    this.client = client;
    this.#running = running;
    this.#latencyMs = latencyMs;
    this.#reader = running.listener.connected(this);
    running.add(this);
  }

  send(bytes: string | Uint8Array): void {
    asyncScheduler.schedule(() => {
      if (this.isClosed) return;
      this.#held.push(bytesOf(bytes));
      this.flush();
    }, this.#latencyMs);
  }

  close(): void {
    this.end();
  }

  // What the reader calls.

  write(bytes: Uint8Array): boolean {
    if (this.isClosed) return false;
    this.received += new TextDecoder().decode(bytes);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.flush();
  }

  end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#reader.ended();
    this.#running.remove(this);
  }

  // What the server calls.

  flush(): void {
    while (!this.#isPaused && !this.#running.isPaused && !this.isClosed) {
      const next = this.#held.shift();
      if (next === undefined) return;
      this.#reader.data(next);
    }
  }

  closing(): void {
    this.#reader.closing();
  }
}

function bytesOf(bytes: string | Uint8Array): Uint8Array {
  return typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes;
}

import { createServer, type Server, type Socket } from 'node:net';
import type { Subscriber } from 'rxjs';
import type { ListenerEvents, PausableListening } from '../../ports/listening.js';
import type { Certificate } from './certificate.js';
import { Rejections } from './rejections.js';

/** How many looks for stalled clients there are in `stallTimeoutMs`. */
const LOOKS = 4;

/** One client of a server, as far as the server steers it. */
interface ServedConnection {
  /** Looks whether it has stalled; `everyMs` have passed since the last look. */
  look(everyMs: number, stallTimeoutMs: number): void;
  /** Closes it when what it sent is answered. */
  leave(): void;
  /** Closes it, since another wants its slot. */
  giveUp(): void;
  destroy(): void;
}

interface ConnectionSettings {
  /** What TLS is offered with; null without TLS. */
  readonly certificate: Certificate | null;
  readonly reloadIntervalMs: number;
  readonly maxClients: number;
  readonly stallTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/**
 * One subscription of a server of connections, from listening to the last of them closed: who may connect, how many, and how all are made to
 * wait and are closed. What a connection speaks is its own.
 *
 * Bounds: `maxClients`; `closeTimeoutMs` for a close.
 */
export abstract class ConnectionServer<C extends ServedConnection> implements PausableListening {
  protected readonly server: Server;
  /** In the order of connecting, where nothing has changed it. */
  protected readonly connections = new Set<C>();
  readonly #settings: ConnectionSettings;
  readonly #listener: ListenerEvents;
  readonly #out: Subscriber<PausableListening>;
  readonly #rejections: Rejections;
  readonly #looking: NodeJS.Timeout;
  #isPaused = false;
  #closing: Promise<void> | undefined;
  #closed: () => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isOver = false;

  /** `kind`: the first word of its log events. The subclass begins to listen. */
  constructor(
    kind: string,
    settings: ConnectionSettings,
    listener: ListenerEvents,
    out: Subscriber<PausableListening>,
  ) {
    this.#settings = settings;
    this.#listener = listener;
    this.#out = out;
    this.#rejections = new Rejections((message) => listener.logEvent('warn', `${kind}.rejected`, message));
    const every = Math.max(1, Math.floor(settings.stallTimeoutMs / LOOKS));
    this.#looking = setInterval(() => {
      for (const connection of [...this.connections]) connection.look(every, settings.stallTimeoutMs);
    }, every);
    this.server = createServer((socket) => this.#accept(socket));
    this.server.on('error', (error) => this.failed(error));
    // Each connection takes the certificate of its moment.
    settings.certificate?.watch(settings.reloadIntervalMs, {
      use: () => undefined,
      warn: (message) => listener.logEvent('warn', `${kind}.certificate`, message),
    });
  }

  abstract get address(): string;

  /** Its name in messages. */
  protected abstract clientOf(socket: Socket): string;
  /** Why it may not connect, for what it is; null where it may. */
  protected abstract problemOf(socket: Socket): string | null;
  protected abstract connected(client: string, socket: Socket): C;
  /** Whose slot may be given to another that comes. */
  protected abstract longestSilent(): C | undefined;
  /** Nothing more is read of it until `resumeOne`. */
  protected abstract pauseOne(connection: C): void;
  protected abstract resumeOne(connection: C): void;
  /** The error of a server that cannot listen at the address, or no longer. */
  protected abstract errorOf(address: string, cause: Error): Error;

  protected get isOver(): boolean {
    return this.#isOver;
  }

  /** Clients can connect. */
  protected listening(): void {
    this.#out.next(this);
  }

  pause(): void {
    this.#isPaused = true;
    for (const connection of this.connections) this.pauseOne(connection);
  }

  resume(): void {
    if (this.#closing !== undefined) return;
    this.#isPaused = false;
    for (const connection of [...this.connections]) {
      if (!this.#isPaused) this.resumeOne(connection);
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.server.close();
      this.#deadline = setTimeout(() => this.#end(), this.#settings.closeTimeoutMs);
      for (const connection of [...this.connections]) connection.leave();
      if (this.connections.size === 0) this.#end();
    });
    return this.#closing;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settings.certificate?.stop();
    clearInterval(this.#looking);
    clearTimeout(this.#deadline);
    this.server.close();
    for (const connection of [...this.connections]) connection.destroy();
    this.#closed();
  }

  // What a connection tells.

  rejected(client: string, problem: string): void {
    this.#rejections.add(client, this.address, problem);
  }

  ended(connection: C): void {
    this.connections.delete(connection);
    if (this.#isOver) return;
    this.#listener.clients(this.connections.size);
    if (this.#closing !== undefined && this.connections.size === 0) this.#end();
  }

  protected failed(error: Error): void {
    if (this.#isOver) return;
    const { address } = this;
    this.destroy();
    this.#out.error(this.errorOf(address, error));
  }

  #accept(socket: Socket): void {
    const client = this.clientOf(socket);
    const isClosing = this.#closing !== undefined || this.#isOver;
    const problem = isClosing ? 'the server is closing' : (this.problemOf(socket) ?? this.#makeRoom());
    if (problem !== null) {
      socket.on('error', () => undefined);
      socket.destroy();
      if (this.#closing === undefined) this.rejected(client, problem);
      return;
    }
    const connection = this.connected(client, socket);
    this.connections.add(connection);
    if (this.#isPaused) this.pauseOne(connection);
    this.#listener.clients(this.connections.size);
  }

  /** Makes room for one more; what is wrong where there is none. */
  #makeRoom(): string | null {
    const { maxClients } = this.#settings;
    if (this.connections.size >= maxClients) this.longestSilent()?.giveUp();
    return this.connections.size >= maxClients ? `${maxClients} clients are connected already (maxClients)` : null;
  }

  #end(): void {
    if (this.#isOver) return;
    this.destroy();
    this.#out.complete();
  }
}

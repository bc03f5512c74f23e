import { createServer, type Server, type Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import { ConnectError, describeError } from '../../core/errors.js';
import type { FlumeBatch, FlumeListener, FlumeListening, FlumeRpcServer } from '../../ports/flume-rpc.js';
import { isAllowed } from '../node/listen-options.js';
import { Rejections } from '../node/rejections.js';
import { MemoryQuota } from './memory-quota.js';
import { type AvroRpcServerOptions, checkServerOptions, type ServerSettings } from './options.js';
import { PROTOCOL_HASH, Protocols } from './protocol.js';
import { type ConnectionHost, ServerConnection } from './server-connection.js';
import { welcome } from './wire.js';

/** Hashes of clients' protocols that were looked at. One a build of Flume; a client that makes them up pushes others out. */
const MAX_KNOWN = 100;

/** How many looks for stalled clients there are in `stallTimeoutMs`. */
const LOOKS = 4;

/**
 * A server that Flume's Avro sinks and RPC clients send to.
 *
 * ```ts
 * import { avroRpcServer } from 'rxflume/drivers/avro-rpc';
 *
 * export const server = avroRpcServer({ host: '0.0.0.0', port: 4141, allow: ['10.0.0.0/8'] });
 * ```
 *
 * Bounds: `maxBufferedBytes` and one frame for what has begun to come, `maxInFlight` batches of each of `maxClients`.
 * Fails: `OptionError` here; `RXF_FLUME_LISTEN` when it cannot listen. What a client does wrong ends that client alone.
 * Source: Flume 1.11, `AvroSink`; Avro 1.11 specification, "Protocol Wire Format".
 */
export function avroRpcServer(options: AvroRpcServerOptions): FlumeRpcServer {
  return new AvroRpcServer(checkServerOptions(options));
}

class AvroRpcServer implements FlumeRpcServer {
  readonly name: string;
  readonly #settings: ServerSettings;
  readonly #protocols = new Protocols();

  constructor(settings: ServerSettings) {
    this.#settings = settings;
    this.name = `avro ${shownHostPort(settings.host, settings.port)}`;
  }

  listen(listener: FlumeListener): Observable<FlumeListening> {
    return new Observable((subscriber) => {
      const running = new Running(this.#settings, this.#protocols, listener, subscriber);
      return () => running.destroy();
    });
  }
}

/** One subscription of a server, from listening to the last connection closed. */
class Running implements FlumeListening, ConnectionHost {
  readonly #settings: ServerSettings;
  readonly #protocols: Protocols;
  readonly #listener: FlumeListener;
  readonly #out: Subscriber<FlumeListening>;
  readonly #server: Server;
  readonly #connections = new Set<ServerConnection>();
  readonly #turns: MemoryQuota;
  readonly #known = new Set([PROTOCOL_HASH.toString('hex')]);
  readonly #looking: NodeJS.Timeout;
  readonly #rejections = new Rejections((message) => this.#listener.logEvent('warn', 'flume.rejected', message));
  #isPaused = false;
  #closing: Promise<void> | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #closed: () => void = () => undefined;
  #isOver = false;

  constructor(
    settings: ServerSettings,
    protocols: Protocols,
    listener: FlumeListener,
    out: Subscriber<FlumeListening>,
  ) {
    this.#settings = settings;
    this.#protocols = protocols;
    this.#listener = listener;
    this.#out = out;
    this.#turns = new MemoryQuota(settings.maxBufferedBytes);
    const every = Math.max(1, Math.floor(settings.stallTimeoutMs / LOOKS));
    this.#looking = setInterval(() => {
      for (const connection of [...this.#connections]) connection.look(every);
    }, every);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on('error', (error) => this.#failed(error));
    this.#server.listen({ host: settings.host, port: settings.port }, () => out.next(this));
  }

  get address(): string {
    const { host } = this.#settings;
    const bound = this.#server.address();
    return shownHostPort(host, typeof bound === 'object' && bound !== null ? bound.port : this.#settings.port);
  }

  pause(): void {
    this.#isPaused = true;
    for (const connection of this.#connections) connection.pause();
  }

  resume(): void {
    if (this.#closing !== undefined) return;
    this.#isPaused = false;
    for (const connection of [...this.#connections]) {
      if (!this.#isPaused) connection.resume();
    }
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#server.close();
      this.#deadline = setTimeout(() => this.#end(), this.#settings.closeTimeoutMs);
      for (const connection of [...this.#connections]) connection.leave();
      if (this.#connections.size === 0) this.#end();
    });
    return this.#closing;
  }

  destroy(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#looking);
    clearTimeout(this.#deadline);
    this.#server.close();
    for (const connection of [...this.#connections]) connection.destroy();
    this.#closed();
  }

  // What a connection asks and tells.

  judge(hash: Buffer, text: string | null): 'known' | 'unknown' | { readonly problem: string } {
    const name = hash.toString('hex');
    if (this.#known.has(name)) return 'known';
    if (text === null) return 'unknown';
    const problem = this.#protocols.problemOf(text);
    if (problem !== null) return { problem };
    // Ours was added first, and stays.
    const [, oldest] = this.#known;
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.add(name);
    return 'known';
  }

  held(connection: ServerConnection): void {
    this.#turns.update(connection);
  }

  batch(batch: FlumeBatch): void {
    this.#listener.batch(batch);
  }

  rejected(client: string, problem: string): void {
    this.#rejections.add(client, this.address, problem);
  }

  ended(connection: ServerConnection): void {
    this.#connections.delete(connection);
    if (this.#isOver) return;
    this.#listener.clients(this.#connections.size);
    if (this.#closing !== undefined && this.#connections.size === 0) this.#end();
  }

  #accept(socket: Socket): void {
    const { remoteAddress = '', remotePort = 0 } = socket;
    const client = shownHostPort(remoteAddress, remotePort);
    const problem = this.#problemOf(remoteAddress);
    if (problem !== null) {
      socket.on('error', () => undefined);
      socket.destroy();
      if (this.#closing === undefined) this.rejected(client, problem);
      return;
    }
    const wire = welcome(socket, this.#settings, () => connection.secured());
    const connection = new ServerConnection(client, wire, this.#settings, this);
    this.#connections.add(connection);
    if (this.#isPaused) connection.pause();
    this.#listener.clients(this.#connections.size);
  }

  #problemOf(address: string): string | null {
    const { allow, maxClients } = this.#settings;
    if (this.#closing !== undefined || this.#isOver) return 'the server is closing';
    if (!isAllowed(allow, address)) return 'its address is not in `allow`';
    if (this.#connections.size >= maxClients) this.#longestSilent()?.giveUp();
    return this.#connections.size >= maxClients ? `${maxClients} clients are connected already (maxClients)` : null;
  }

  /**
   * Whose slot may be given to somebody who comes: an agent without events is silent for hours, so silence alone is no
   * reason to end it; it connects again with its next batch. Those that never said who they are go first.
   */
  #longestSilent(): ServerConnection | undefined {
    const { stallTimeoutMs } = this.#settings;
    const silent = [...this.#connections].filter(({ silentMs }) => silentMs >= stallTimeoutMs);
    const unknown = silent.filter(({ hasAgreed }) => !hasAgreed);
    // In order of connecting, so of those the first is the longest silent.
    return unknown[0] ?? silent.reduce<ServerConnection | undefined>(longer, undefined);
  }

  #failed(error: Error): void {
    this.destroy();
    this.#out.error(
      new ConnectError(
        'RXF_FLUME_LISTEN',
        `Cannot listen at ${shownHostPort(this.#settings.host, this.#settings.port)}: ${describeError(error)}. ` +
          'Check that no other program has the port, and that the address is this machine’s.',
        { details: { host: this.#settings.host, port: this.#settings.port }, cause: error },
      ),
    );
  }

  #end(): void {
    if (this.#isOver) return;
    this.destroy();
    this.#out.complete();
  }
}

function longer(one: ServerConnection | undefined, other: ServerConnection): ServerConnection {
  return one === undefined || other.silentMs > one.silentMs ? other : one;
}

import { rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketServer, SocketServerListener } from '../../ports/socket-server.js';
import { listenError } from './listen-error.js';
import { isAllowed } from './listen-options.js';
import { Rejections } from './rejections.js';
import { type ConnectionHost, SocketConnection } from './socket-connection.js';
import {
  checkTcpOptions,
  checkUnixOptions,
  type StreamSettings,
  type TcpServerOptions,
  type UnixServerOptions,
} from './socket-options.js';

/** How many looks for stalled clients there are in `stallTimeoutMs`. */
const LOOKS = 4;

type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/**
 * A server of TCP, or TLS, connections.
 *
 * ```ts
 * import { tcpServer } from 'rxflume/drivers/node';
 *
 * export const server = tcpServer({ host: '0.0.0.0', port: 6514, allow: ['10.0.0.0/8'] });
 * ```
 *
 * Bounds: `maxClients`, with what one reading brings of each (64 KiB) while they are made to wait.
 * Fails: `OptionError` here; `RXF_SOURCE_LISTEN` when it cannot listen. What a client does wrong ends that client alone.
 * Source: Node, `net.createServer`, `tls.TLSSocket`.
 */
export function tcpServer(options: TcpServerOptions): SocketServer {
  const { host, port, stream } = checkTcpOptions(options);
  const transport = stream.certificate === null ? 'tcp' : 'tls';
  return {
    name: `${transport} ${shownHostPort(host, port)}`,
    transport,
    listen: (listener) => listening({ host, port }, stream, listener),
  };
}

/**
 * A server of connections to a unix socket, of streams; Node has no unix datagrams.
 *
 * ```ts
 * import { unixServer } from 'rxflume/drivers/node';
 *
 * export const server = unixServer({ path: '/run/collector.sock' });
 * ```
 *
 * Bounds: as `tcpServer`.
 * Fails: `OptionError` here; `RXF_SOURCE_LISTEN` when it cannot listen.
 * Source: Node, "Identifying paths for IPC connections".
 */
export function unixServer(options: UnixServerOptions): SocketServer {
  const { path, stream } = checkUnixOptions(options);
  return {
    name: `unix ${path}`,
    transport: 'unix',
    listen: (listener) => listening({ path }, stream, listener),
  };
}

function listening(
  address: Address,
  settings: StreamSettings,
  listener: SocketServerListener,
): Observable<PausableListening> {
  return new Observable((subscriber) => {
    const running = new Running(address, settings, listener, subscriber);
    return () => running.destroy();
  });
}

/** One subscription of a server, from listening to the last connection closed. */
class Running implements PausableListening, ConnectionHost {
  readonly #at: Address;
  readonly #settings: StreamSettings;
  readonly #listener: SocketServerListener;
  readonly #out: Subscriber<PausableListening>;
  readonly #server: Server;
  /** Those that have been silent the longest come first. */
  readonly #connections = new Set<SocketConnection>();
  readonly #rejections: Rejections;
  readonly #looking: NodeJS.Timeout;
  #isPaused = false;
  #closing: Promise<void> | undefined;
  #closed: () => void = () => undefined;
  #deadline: NodeJS.Timeout | undefined;
  #isOver = false;
  #clients = 0;

  constructor(
    at: Address,
    settings: StreamSettings,
    listener: SocketServerListener,
    out: Subscriber<PausableListening>,
  ) {
    this.#at = at;
    this.#settings = settings;
    this.#listener = listener;
    this.#out = out;
    this.#rejections = new Rejections((message) => listener.logEvent('warn', 'socket.rejected', message));
    const every = Math.max(1, Math.floor(settings.stallTimeoutMs / LOOKS));
    this.#looking = setInterval(() => {
      for (const connection of [...this.#connections]) connection.look(every, settings.stallTimeoutMs);
    }, every);
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.on('error', (error) => this.#failed(error));
    settings.certificate?.watch(settings.reloadIntervalMs, {
      use: () => undefined,
      warn: (message) => listener.logEvent('warn', 'socket.certificate', message),
    });
    if ('path' in at) this.#listenAtPath(at.path);
    else this.#server.listen({ host: at.host, port: at.port }, () => out.next(this));
  }

  get address(): string {
    if ('path' in this.#at) return this.#at.path;
    const bound = this.#server.address();
    return shownHostPort(this.#at.host, typeof bound === 'object' && bound !== null ? bound.port : this.#at.port);
  }

  pause(): void {
    this.#isPaused = true;
    for (const connection of this.#connections) connection.hold('server');
  }

  resume(): void {
    if (this.#closing !== undefined) return;
    this.#isPaused = false;
    for (const connection of [...this.#connections]) {
      if (!this.#isPaused) connection.release('server');
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
    this.#settings.certificate?.stop();
    this.#server.close();
    for (const connection of [...this.#connections]) connection.destroy();
    this.#closed();
  }

  // What a connection tells.

  rejected(client: string, problem: string): void {
    this.#rejections.add(client, this.address, problem);
  }

  heard(connection: SocketConnection): void {
    if (this.#connections.delete(connection)) this.#connections.add(connection);
  }

  ended(connection: SocketConnection): void {
    this.#connections.delete(connection);
    if (this.#isOver) return;
    this.#listener.clients(this.#connections.size);
    if (this.#closing !== undefined && this.#connections.size === 0) this.#end();
  }

  #accept(socket: Socket): void {
    this.#clients += 1;
    const { remoteAddress, remotePort } = socket;
    const client = remoteAddress === undefined ? `client ${this.#clients}` : shownHostPort(remoteAddress, remotePort);
    const problem = this.#problemOf(remoteAddress);
    if (problem !== null) {
      socket.on('error', () => undefined);
      socket.destroy();
      if (this.#closing === undefined) this.rejected(client, problem);
      return;
    }
    const { certificate } = this.#settings;
    const secureContext = certificate?.context;
    const wire = secureContext === undefined ? socket : new TLSSocket(socket, { isServer: true, secureContext });
    const connection = new SocketConnection(client, wire, certificate === null, this, (peer) =>
      this.#listener.connected(peer),
    );
    this.#connections.add(connection);
    if (this.#isPaused) connection.hold('server');
    this.#listener.clients(this.#connections.size);
  }

  #problemOf(remoteAddress: string | undefined): string | null {
    const { allow, maxClients } = this.#settings;
    if (this.#closing !== undefined || this.#isOver) return 'the server is closing';
    if (remoteAddress === undefined && !('path' in this.#at)) return 'it has gone already';
    if (remoteAddress !== undefined && !isAllowed(allow, remoteAddress)) return 'its address is not in `allow`';
    if (this.#connections.size >= maxClients) this.#longestSilent()?.giveUp();
    return this.#connections.size >= maxClients ? `${maxClients} clients are connected already (maxClients)` : null;
  }

  /** The first that does not wait for us: they are in the order in which they were last heard. */
  #longestSilent(): SocketConnection | undefined {
    for (const connection of this.#connections) if (connection.silentMs > 0) return connection;
    return undefined;
  }

  /** Removes a socket that nobody listens at, which a program that was killed left. */
  #listenAtPath(path: string): void {
    const listen = () => {
      if (!this.#isOver) this.#server.listen(path, () => this.#out.next(this));
    };
    if (!isSocket(path)) {
      listen();
      return;
    }
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      const error = Object.assign(new Error('a program listens at the path'), { code: 'EADDRINUSE' });
      this.#failed(error);
    });
    probe.once('error', () => {
      rmSync(path, { force: true });
      listen();
    });
  }

  #failed(error: Error): void {
    if (this.#isOver) return;
    const { address } = this;
    this.destroy();
    this.#out.error(listenError(address, error));
  }

  #end(): void {
    if (this.#isOver) return;
    this.destroy();
    this.#out.complete();
  }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

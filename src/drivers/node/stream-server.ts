import { rmSync, statSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import type { PausableListening } from '../../ports/listening.js';
import type { SocketServer, SocketServerListener } from '../../ports/socket-server.js';
import { ConnectionServer } from './connection-server.js';
import { listenError } from './listen-error.js';
import { isAllowed } from './listen-options.js';
import { type ConnectionHost, SocketConnection } from './socket-connection.js';
import {
  checkTcpOptions,
  checkUnixOptions,
  type StreamSettings,
  type TcpServerOptions,
  type UnixServerOptions,
} from './socket-options.js';

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

class Running extends ConnectionServer<SocketConnection> implements ConnectionHost {
  readonly #at: Address;
  readonly #settings: StreamSettings;
  readonly #listener: SocketServerListener;
  #clients = 0;

  constructor(
    at: Address,
    settings: StreamSettings,
    listener: SocketServerListener,
    out: Subscriber<PausableListening>,
  ) {
    super('socket', settings, listener, out);
    this.#at = at;
    this.#settings = settings;
    this.#listener = listener;
    if ('path' in at) this.#listenAtPath(at.path);
    else this.server.listen({ host: at.host, port: at.port }, () => this.listening());
  }

  get address(): string {
    if ('path' in this.#at) return this.#at.path;
    const bound = this.server.address();
    return shownHostPort(this.#at.host, typeof bound === 'object' && bound !== null ? bound.port : this.#at.port);
  }

  /** They are in the order in which they were last heard: those that have been silent the longest come first. */
  heard(connection: SocketConnection): void {
    if (this.connections.delete(connection)) this.connections.add(connection);
  }

  protected clientOf({ remoteAddress, remotePort }: Socket): string {
    this.#clients += 1;
    return remoteAddress === undefined ? `client ${this.#clients}` : shownHostPort(remoteAddress, remotePort);
  }

  protected problemOf({ remoteAddress }: Socket): string | null {
    if (remoteAddress === undefined) return 'path' in this.#at ? null : 'it has gone already';
    return isAllowed(this.#settings.allow, remoteAddress) ? null : 'its address is not in `allow`';
  }

  protected connected(client: string, socket: Socket): SocketConnection {
    const { certificate } = this.#settings;
    const secureContext = certificate?.context;
    const wire = secureContext === undefined ? socket : new TLSSocket(socket, { isServer: true, secureContext });
    return new SocketConnection(client, wire, certificate === null, this, (peer) => this.#listener.connected(peer));
  }

  /** The first that does not wait for us. */
  protected longestSilent(): SocketConnection | undefined {
    for (const connection of this.connections) if (connection.silentMs > 0) return connection;
    return undefined;
  }

  protected pauseOne(connection: SocketConnection): void {
    connection.hold('server');
  }

  protected resumeOne(connection: SocketConnection): void {
    connection.release('server');
  }

  protected errorOf(address: string, cause: Error): Error {
    return listenError(address, cause);
  }

  /** Removes a socket that nobody listens at, which a program that was killed left. */
  #listenAtPath(path: string): void {
    const listen = () => {
      if (!this.isOver) this.server.listen(path, () => this.listening());
    };
    if (!isSocket(path)) {
      listen();
      return;
    }
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      const error = Object.assign(new Error('a program listens at the path'), { code: 'EADDRINUSE' });
      this.failed(error);
    });
    probe.once('error', () => {
      rmSync(path, { force: true });
      listen();
    });
  }
}

function isSocket(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

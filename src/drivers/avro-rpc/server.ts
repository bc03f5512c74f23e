import type { Socket } from 'node:net';
import { Observable, type Subscriber } from 'rxjs';
import { shownHostPort } from '../../core/address.js';
import { ConnectError, describeError } from '../../core/errors.js';
import type { FlumeBatch, FlumeListener, FlumeListening, FlumeRpcServer } from '../../ports/flume-rpc.js';
import { ConnectionServer } from '../node/connection-server.js';
import { isAllowed } from '../node/listen-options.js';
import { MemoryQuota } from './memory-quota.js';
import { type AvroRpcServerOptions, checkServerOptions, type ServerSettings } from './options.js';
import { PROTOCOL_HASH, Protocols } from './protocol.js';
import { type ConnectionHost, ServerConnection } from './server-connection.js';
import { welcome } from './wire.js';

/** Hashes of clients' protocols that were looked at. One a build of Flume; a client that makes them up pushes others out. */
const MAX_KNOWN = 100;

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

class Running extends ConnectionServer<ServerConnection> implements ConnectionHost {
  readonly #settings: ServerSettings;
  readonly #protocols: Protocols;
  readonly #listener: FlumeListener;
  readonly #turns: MemoryQuota;
  readonly #known = new Set([PROTOCOL_HASH.toString('hex')]);

  constructor(
    settings: ServerSettings,
    protocols: Protocols,
    listener: FlumeListener,
    out: Subscriber<FlumeListening>,
  ) {
    super('flume', settings, listener, out);
    this.#settings = settings;
    this.#protocols = protocols;
    this.#listener = listener;
    this.#turns = new MemoryQuota(settings.maxBufferedBytes);
    this.server.listen({ host: settings.host, port: settings.port }, () => this.listening());
  }

  get address(): string {
    const { host } = this.#settings;
    const bound = this.server.address();
    return shownHostPort(host, typeof bound === 'object' && bound !== null ? bound.port : this.#settings.port);
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

  protected clientOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
    return shownHostPort(remoteAddress, remotePort);
  }

  protected problemOf({ remoteAddress = '' }: Socket): string | null {
    return isAllowed(this.#settings.allow, remoteAddress) ? null : 'its address is not in `allow`';
  }

  protected connected(client: string, socket: Socket): ServerConnection {
    const wire = welcome(socket, this.#settings, () => connection.secured());
    const connection = new ServerConnection(client, wire, this.#settings, this);
    return connection;
  }

  /**
   * An agent without events is silent for hours, so silence alone is no reason to end it; it connects again with its next
   * batch. Those that never said who they are go first.
   */
  protected longestSilent(): ServerConnection | undefined {
    const { stallTimeoutMs } = this.#settings;
    const silent = [...this.connections].filter(({ silentMs }) => silentMs >= stallTimeoutMs);
    const unknown = silent.filter(({ hasAgreed }) => !hasAgreed);
    // In order of connecting, so of those the first is the longest silent.
    return unknown[0] ?? silent.reduce<ServerConnection | undefined>(longer, undefined);
  }

  protected pauseOne(connection: ServerConnection): void {
    connection.pause();
  }

  protected resumeOne(connection: ServerConnection): void {
    connection.resume();
  }

  protected errorOf(_: string, cause: Error): Error {
    const { host, port } = this.#settings;
    return new ConnectError(
      'RXF_FLUME_LISTEN',
      `Cannot listen at ${shownHostPort(host, port)}: ${describeError(cause)}. ` +
        'Check that no other program has the port, and that the address is this machine’s.',
      { details: { host, port }, cause },
    );
  }
}

function longer(one: ServerConnection | undefined, other: ServerConnection): ServerConnection {
  return one === undefined || other.silentMs > one.silentMs ? other : one;
}

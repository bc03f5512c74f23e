import { from, mergeMap, Observable } from 'rxjs';
import type { HostPort } from '../../core/address.js';
import type { Probe } from '../../delivery/probe.js';
import type { FlumeConnection, FlumeRpcClient } from '../../ports/flume-rpc.js';
import { ClientConnection, type Known } from './client-connection.js';
import { type AvroRpcClientOptions, type ClientSettings, checkClientOptions } from './options.js';
import { PROTOCOL_HASH, Protocols } from './protocol.js';
import { dial } from './wire.js';

/**
 * The way to Flume agents' Avro sources, over TCP, with TLS and deflate as they are set there.
 *
 * ```ts
 * import { avroRpcClient } from 'rxflume/drivers/avro-rpc';
 *
 * export const agents = avroRpcClient({ agents: ['flume1:4141', 'flume2:4141'], compression: 'deflate' });
 * ```
 *
 * Bounds: a connection's batches until the socket has taken them, and one answer of at most `maxFrameBytes`.
 * Fails: `OptionError` here; `ConnectError` and `SinkError`, `RXF_FLUME_*`, from the connections.
 * Source: Flume 1.11, `AvroSource`; Avro 1.11 specification, "Protocol Wire Format".
 */
export function avroRpcClient(options: AvroRpcClientOptions): FlumeRpcClient {
  return new AvroRpcClient(checkClientOptions(options));
}

class AvroRpcClient implements FlumeRpcClient {
  readonly name: string;
  readonly agents: readonly string[];
  readonly #settings: ClientSettings;
  readonly #protocols = new Protocols();
  /** By agent. Until one has sent its hash, ours is as good a guess as any. */
  readonly #known: readonly Known[];

  constructor(settings: ClientSettings) {
    this.#settings = settings;
    this.agents = settings.agents.map(({ name }) => name);
    this.name = `avro ${this.agents.join(',')}`;
    this.#known = settings.agents.map(() => ({ serverHash: PROTOCOL_HASH }));
  }

  readonly probe: Probe = ({ reach }) => {
    const { agents, tls, compression } = this.#settings;
    const fix = 'Check that this agent runs with an Avro source, and its host and port in `agents`.';
    // Deflated around TLS, its handshake is not for this.
    const isSecured = tls !== null && compression === 'none';
    return from(agents).pipe(
      mergeMap(({ host, port }) => {
        const secured = isSecured ? { tls: tls.connection(host) } : {};
        return reach({ role: 'Flume agent', host, port, ...secured, fix });
      }),
    );
  };

  connect(agent: number): Observable<FlumeConnection> {
    return new Observable((subscriber) => {
      const address = this.#settings.agents[agent] as HostPort;
      const { connectTimeoutMs } = this.#settings;
      const wire = dial(address, this.#settings, () => connection.shakeHands());
      const timer = setTimeout(() => connection.giveUp(`no agreement within ${connectTimeoutMs} ms`), connectTimeoutMs);
      const known = this.#known[agent] as Known;
      const connection: ClientConnection = new ClientConnection(
        address.name,
        wire,
        this.#settings,
        { protocols: this.#protocols, known },
        {
          agreed: () => {
            clearTimeout(timer);
            subscriber.next(connection);
          },
          ended: (error) => {
            clearTimeout(timer);
            if (error === null) subscriber.complete();
            else subscriber.error(error);
          },
        },
      );
      return () => connection.close();
    });
  }
}

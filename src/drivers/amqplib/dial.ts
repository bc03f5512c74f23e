import type { ConnectError } from '../../core/errors.js';
import type { Address } from './address.js';
import { askWhyDenied, isDeniedOpening } from './denied-opening.js';
import { handshakeError, noneReachable, unreachable } from './errors.js';
import type { Connection, loadAmqplib, SocketOptions } from './library.js';
import { Link } from './link.js';
import { type Credentials, EXTERNAL, plain, renewSecret, whenRead } from './login.js';
import type { CheckedOptions } from './options.js';

export type Amqplib = ReturnType<typeof loadAmqplib>;

export interface Dialled {
  connected(link: Link): void;
  failed(error: ConnectError): void;
}

/**
 * Makes connections, to the brokers in turn: first the one that answered last. A broker that rejects who we are, or what
 * we ask for, ends the round at once. Nothing waits beyond `connectTimeoutMs` a broker.
 */
export class Dialler {
  readonly #amqplib: Amqplib;
  readonly #options: CheckedOptions;
  #first = 0;

  constructor(amqplib: Amqplib, options: CheckedOptions) {
    this.#amqplib = amqplib;
    this.#options = options;
  }

  /** The next connection is to another broker; false where there is none. */
  avoid(broker: Address): boolean {
    const { brokers } = this.#options;
    if (brokers[this.#first] === broker) this.#first = (this.#first + 1) % brokers.length;
    return brokers.length > 1;
  }

  /** Calls back once, unless what it returns is called before. */
  dial(dialled: Dialled): () => void {
    const { brokers } = this.#options;
    const start = this.#first;
    const errors: ConnectError[] = [];
    let cancel = () => {};
    const next = () => {
      const at = (start + errors.length) % brokers.length;
      cancel = this.#dialOne(brokers[at] as Address, {
        connected: (link) => {
          this.#first = at;
          dialled.connected(link);
        },
        failed: (error) => {
          errors.push(error);
          if (!error.retryable) dialled.failed(error);
          else if (errors.length < brokers.length) next();
          else dialled.failed(noneReachable(errors));
        },
      });
    };
    next();
    return () => cancel();
  }

  #dialOne(broker: Address, dialled: Dialled): () => void {
    const { connectTimeoutMs, closeTimeoutMs, mechanism, reloadIntervalMs } = this.#options;
    const abort = new AbortController();
    let isOver = false;
    let cancelAsking = () => {};
    const finish = () => {
      isOver = true;
      clearTimeout(timer);
    };
    const timer = setTimeout(() => {
      finish();
      abort.abort();
      dialled.failed(unreachable(`the handshake took more than ${connectTimeoutMs} ms`, broker));
    }, connectTimeoutMs);
    const answered = (error: unknown, connection: Connection | undefined) => {
      // amqplib calls back again when a socket that failed is closed.
      if (isOver) return;
      finish();
      if (connection !== undefined) {
        const link = new Link(connection, abort, broker, closeTimeoutMs);
        if (mechanism === 'plain') renewSecret(link, password, reloadIntervalMs);
        dialled.connected(link);
        return;
      }
      abort.abort();
      if (!isDeniedOpening(error)) {
        dialled.failed(handshakeError(error, broker));
        return;
      }
      cancelAsking = askWhyDenied(broker, credentials.response(), this.#options, (answer) =>
        dialled.failed(handshakeError(error, broker, answer)),
      );
    };
    let password = '';
    let credentials: Credentials = EXTERNAL;
    const connect = (given: string) => {
      if (isOver) return;
      password = given;
      if (mechanism === 'plain') credentials = plain(broker.user, given);
      try {
        this.#amqplib.connect(this.#urlOf(broker), this.#socketOptions(broker, credentials, abort.signal), answered);
      } catch (error) {
        // A certificate or key that cannot be read.
        queueMicrotask(() => answered(error, undefined));
      }
    };
    const unreadable = (error: unknown) => {
      if (isOver) return;
      finish();
      dialled.failed(error as ConnectError);
    };
    if (mechanism === 'external') connect('');
    else whenRead(broker.password, connect, unreadable);
    return () => {
      finish();
      abort.abort();
      cancelAsking();
    };
  }

  #urlOf({ host, port, isTls, vhost }: Address) {
    const { heartbeatSeconds, maxFrameBytes } = this.#options;
    return {
      protocol: isTls ? 'amqps' : 'amqp',
      hostname: host,
      port,
      // amqplib unescapes it.
      vhost: encodeURIComponent(vhost),
      heartbeat: heartbeatSeconds,
      frameMax: maxFrameBytes,
      maxFrameSize: maxFrameBytes,
    };
  }

  // amqplib hands these on to Node's own connect, whose `signal` is the only way to end a connection that is being made.
  #socketOptions({ host, isTls }: Address, credentials: Credentials, signal: AbortSignal): SocketOptions {
    const { tls, connectionName } = this.#options;
    return {
      ...(isTls && tls.connection(host)),
      credentials,
      noDelay: true,
      clientProperties: { connection_name: connectionName },
      signal,
    } as SocketOptions;
  }
}

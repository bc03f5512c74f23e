import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ClientTls } from '../../../security/client-tls.js';
import { AnswerReader } from './answer-reader.js';

const KEEP_ALIVE_MS = 60_000;

export interface SocketTarget {
  readonly host: string;
  readonly port: number;
  readonly ssl?: ClientTls | null;
  readonly onConnect: () => void;
}

/** Opens one socket to a broker. */
export type OpenSocket = (target: SocketTarget) => Socket;

/** TCP, or TLS where asked for. A socket of TCP emits whole answers as its data. */
export const openSocket: OpenSocket = ({ host, port, ssl, onConnect }) => {
  if (!ssl) return openPlain(host, port, onConnect);
  return connectTls({ host, port, ...ssl.connection(host) }, onConnect);
};

function openPlain(host: string, port: number, onConnect: () => void): Socket {
  const reader = new AnswerReader((answer) => socket.emit('data', answer));
  const callback = (bytes: number): boolean => {
    try {
      reader.read(bytes);
    } catch (error) {
      socket.destroy(error as Error);
    }
    return true;
  };
  const socket: Socket = connectPlain({ host, port, onread: { buffer: () => reader.room(), callback } }, onConnect);
  return socket;
}

/** Every socket of one connection to a cluster, so that all of them can be destroyed at once. */
export class Sockets {
  readonly #open = new Map<Socket, string>();
  readonly #openSocket: OpenSocket;
  #isDestroyed = false;

  constructor(open: OpenSocket) {
    this.#openSocket = open;
  }

  get count(): number {
    return this.#open.size;
  }

  readonly factory: OpenSocket = (target) => {
    if (this.#isDestroyed) throw new Error('the connection was closed');
    const socket = this.#openSocket(target);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.setNoDelay(true);
    const unref = socket.unref.bind(socket);
    // kafkajs does this at each disconnect, also of a socket that is gone, where Node waits with a listener for it to open.
    socket.unref = () => (socket.destroyed ? socket : unref());
    this.#open.set(socket, `${target.host}:${target.port}`);
    socket.once('close', () => this.#open.delete(socket));
    return socket;
  };

  /** Drops the sockets to one broker that no longer answers; kafkajs opens new ones at the next request. */
  destroyTo(broker: string): void {
    for (const [socket, address] of this.#open) {
      if (address === broker) socket.destroy(new Error(`${broker} did not respond`));
    }
  }

  /** An error goes with it: on a bare close kafkajs would leave its requests without an answer, forever. */
  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#open.keys()) socket.destroy(new Error('the connection was closed'));
  }
}

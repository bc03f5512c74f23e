import type { Socket } from 'node:net';
import { clientOf } from './http-exchange.js';

/** A connection, and its requests that are not answered. */
export interface HttpClient {
  /** Its address and port. */
  readonly name: string;
  readonly socket: Socket;
  unanswered: number;
}

/** The connections of a server, and which of them are idle. */
export class HttpClients {
  readonly #byName = new Map<string, HttpClient>();
  /** The same, where requests show the socket that was accepted: those without TLS. */
  readonly #bySocket = new WeakMap<Socket, HttpClient>();
  /** Those without a request that is not answered; the longest idle come first. */
  readonly #idle = new Set<HttpClient>();

  get size(): number {
    return this.#byName.size;
  }

  get all(): Iterable<HttpClient> {
    return this.#byName.values();
  }

  get idle(): Iterable<HttpClient> {
    return this.#idle;
  }

  add(socket: Socket): HttpClient {
    const client = { name: clientOf(socket), socket, unanswered: 0 };
    this.#byName.set(client.name, client);
    this.#bySocket.set(socket, client);
    this.#idle.add(client);
    return client;
  }

  /** The client of a request. */
  of(socket: Socket): HttpClient | undefined {
    return this.#bySocket.get(socket) ?? this.#byName.get(clientOf(socket));
  }

  remove(client: HttpClient): void {
    // A new one may have its address and port already.
    if (this.#byName.get(client.name) === client) this.#byName.delete(client.name);
    this.#idle.delete(client);
  }

  /** Closes the one that has been idle the longest, where one is. */
  closeOneIdle(): void {
    const [oldest] = this.#idle;
    if (oldest === undefined) return;
    this.remove(oldest);
    oldest.socket.destroy();
  }

  /** It has sent a request. */
  begun(client: HttpClient): void {
    client.unanswered += 1;
    this.#idle.delete(client);
  }

  /** A request of it is answered, or will not be. */
  ended(client: HttpClient): void {
    client.unanswered -= 1;
    if (client.unanswered === 0 && !client.socket.destroyed) this.#idle.add(client);
  }
}

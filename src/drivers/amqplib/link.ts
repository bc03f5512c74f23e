import { type ConnectError, describeError } from '../../core/errors.js';
import type { Address } from './address.js';
import { answerIn } from './broker-answer.js';
import { lost } from './errors.js';
import type { Connection } from './library.js';

/** Events of a connection, for each channel on it. */
export interface LinkListener {
  /** It has ended. Nothing is called after this. */
  ended(error: ConnectError): void;
  /** The broker blocks publishing, for a reason; null when it accepts again. */
  blocked(reason: string | null): void;
}

/** An established connection, until it ends. Its socket is destroyed at the latest `closeTimeoutMs` after that. */
export class Link {
  readonly connection: Connection;
  readonly broker: Address;
  readonly listeners = new Set<LinkListener>();
  /** Why the broker blocks publishing now, or null. */
  blockedFor: string | null = null;
  readonly #abort: AbortController;
  readonly #closeTimeoutMs: number;
  readonly #onEnd: (() => void)[] = [];
  #isClosing = false;
  #isOver = false;

  constructor(connection: Connection, abort: AbortController, broker: Address, closeTimeoutMs: number) {
    this.connection = connection;
    this.broker = broker;
    this.#abort = abort;
    this.#closeTimeoutMs = closeTimeoutMs;
    // An error event without a listener is thrown, so these stay to the end.
    connection.on('error', (error: Error) => this.#end(error));
    // A broker that shuts down, or is ordered to close the connection, comes as this alone.
    connection.on('close', (error?: Error) => this.#end(error));
    connection.on('blocked', (reason: string) => this.#block(reason));
    connection.on('unblocked', () => this.#block(null));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The largest frame that both sides agreed on, or the least that AMQP allows where amqplib does not tell. */
  get maxFrameBytes(): number {
    return (this.connection.connection as { readonly frameMax?: number }).frameMax ?? 4_096;
  }

  /** Such as `3.10.8`; empty where the broker does not say. */
  get version(): string {
    return String(this.connection.connection.serverProperties?.version ?? '');
  }

  /** Calls back when it has ended. */
  whenOver(over: () => void): void {
    if (this.#isOver) over();
    else this.#onEnd.push(over);
  }

  /** Says goodbye, then cuts; calls back when it has ended. */
  close(closed: () => void): void {
    if (this.#isOver) {
      closed();
      return;
    }
    this.#onEnd.push(closed);
    if (this.#isClosing) return;
    this.#isClosing = true;
    const timer = setTimeout(() => this.#end(undefined), this.#closeTimeoutMs);
    this.#onEnd.push(() => clearTimeout(timer));
    try {
      this.connection.close();
    } catch (error) {
      this.#end(error);
    }
  }

  #block(reason: string | null): void {
    this.blockedFor = reason;
    for (const listener of [...this.listeners]) listener.blocked(reason);
  }

  #end(cause: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // A half-open socket would go on for minutes.
    if (this.#isClosing) this.#abort.abort();
    else setTimeout(() => this.#abort.abort(), this.#closeTimeoutMs).unref();
    const error = lost(reasonOf(cause), this.broker, cause);
    for (const listener of [...this.listeners]) listener.ended(error);
    this.listeners.clear();
    for (const done of this.#onEnd.splice(0)) done();
  }
}

function reasonOf(cause: unknown): string {
  const answer = answerIn(cause);
  if (answer !== null) return answer.text;
  const reason = cause === undefined ? 'it was closed' : describeError(cause);
  return reason === 'Heartbeat timeout' ? 'no heartbeat was received' : reason;
}

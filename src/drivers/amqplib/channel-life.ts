import { AsyncSubject, type Observable } from 'rxjs';
import { type ConnectError, describeError } from '../../core/errors.js';
import type { Address } from './address.js';
import { channelError, lost, notEncodable, unreachable } from './errors.js';
import type { Channel, ConfirmChannel } from './library.js';
import type { Link } from './link.js';
import type { Pool, Slot, Use } from './pool.js';

export interface Timeouts {
  readonly connectTimeoutMs: number;
  readonly closeTimeoutMs: number;
}

/**
 * One channel with its slot on a connection, from the subscription to its end. It ends once: by the broker, with the
 * connection, by `close`, or by `abandon`; and the slot is given back when the channel is closed, since a connection
 * that is closed before its channel would drop the acks that the channel still holds.
 */
export abstract class ChannelLife {
  readonly #pool: Pool;
  readonly #use: Use;
  /** What the channel is for, such as ``queue `a` ``. */
  protected readonly about: string;
  readonly #timeouts: Timeouts;
  readonly #closed = new AsyncSubject<undefined>();
  #slot: Slot | undefined;
  #link: Link | undefined;
  #channel: Channel | undefined;
  #settingUp: NodeJS.Timeout | undefined;
  #isStarted = false;
  #isOver = false;

  constructor(pool: Pool, use: Use, about: string, options: Timeouts) {
    this.#pool = pool;
    this.#use = use;
    this.about = about;
    this.#timeouts = options;
  }

  /** The connection is open: set up what is needed on it, `open` the channel, say `started`. */
  protected abstract connected(link: Link): void;

  protected abstract blocked(reason: string | null): void;

  /** It is over: null after `close`, else why. */
  protected abstract ended(error: ConnectError | null): void;

  /** The broker that the connection is to, once it is open. */
  protected get broker(): Address {
    return (this.#link as Link).broker;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  start(): void {
    this.#slot = this.#pool.take(this.#use, {
      connected: (link) => {
        this.#link = link;
        this.#settingUp = setTimeout(() => this.#late(), this.#timeouts.connectTimeoutMs);
        this.connected(link);
      },
      blocked: (reason) => this.blocked(reason),
      ended: (error) => this.fail(error),
    });
  }

  /** From here on, what the broker rejects has nothing to do with how it was set up. */
  protected started(): void {
    this.#isStarted = true;
    clearTimeout(this.#settingUp);
  }

  /** Opens the channel whose end is the end of this. */
  protected open(kind: 'plain', opened: (channel: Channel) => void): void;
  protected open(kind: 'confirm', opened: (channel: ConfirmChannel) => void): void;
  protected open(kind: 'plain' | 'confirm', opened: (channel: ConfirmChannel) => void): void {
    const { connection } = this.#link as Link;
    const answered = this.#answered(opened as (channel: Channel) => void);
    try {
      const made =
        kind === 'plain' ? connection.createChannel(answered) : connection.createConfirmChannel(answered as never);
      this.#channel = made;
    } catch (error) {
      this.#rejected(error);
      return;
    }
    this.#channel?.on('error', (error: Error) => this.#rejected(error));
  }

  /** Asks something of the broker; it answers, or it ends all. */
  call<T>(ask: (answered: (error: unknown, value: T) => void) => unknown, use: (value: T) => void): void {
    try {
      ask(this.#answered(use));
    } catch (error) {
      const { broker } = this;
      // The channel is over, and why comes by its own way; or amqplib cannot encode what is asked.
      if ((error as Error).name !== 'IllegalOperationError')
        this.fail(notEncodable(error, { broker, about: this.about }));
    }
  }

  #answered<T>(use: (value: T) => void): (error: unknown, value: T) => void {
    return (error, value) => {
      if (this.#isOver) return;
      if (error) this.#rejected(error);
      else use(value);
    };
  }

  /** Ends it with an error; the channel is closed behind. */
  fail(error: ConnectError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (error.code === 'RXF_AMQP_UNREACHABLE' && this.#link !== undefined) this.#pool.leave(this.#link);
    this.ended(error);
    this.#letGo();
  }

  /** What was sent on the channel before is sent; answers when the broker has agreed, or in `closeTimeoutMs`. */
  close(): Observable<unknown> {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#letGo(() => this.ended(null));
    }
    return this.#closed;
  }

  /** As `close`, without notifying anyone. */
  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
  }

  // Such as of a queue whose replicas have no majority: the connection lives, and nothing comes.
  #late(): void {
    const reason = `no response within ${this.#timeouts.connectTimeoutMs} ms to a request for ${this.about}`;
    this.fail(unreachable(reason, this.broker));
  }

  #letGo(closed: () => void = () => {}): void {
    clearTimeout(this.#settingUp);
    const freed = () => {
      closed();
      this.#closed.next(undefined);
      this.#closed.complete();
    };
    closeChannel(this.#channel, this.#link, this.#timeouts.closeTimeoutMs, () => this.#slot?.release(freed));
  }

  /** The channel is closed, or closing: to close it again would be an error of the whole connection. */
  #rejected(error: unknown): void {
    const { broker } = this;
    this.#channel = undefined;
    if ((error as { code?: unknown } | null)?.code !== undefined) {
      this.fail(channelError(error, { broker, about: this.about }, !this.#isStarted));
      return;
    }
    // The connection has ended, and says why in the same moment.
    queueMicrotask(() => this.fail(lost(describeError(error), broker, error)));
  }
}

/** Calls back when the broker has agreed, or the time is over, or there is nothing to close. */
function closeChannel(
  channel: Channel | undefined,
  link: Link | undefined,
  withinMs: number,
  closed: () => void,
): void {
  let isDone = false;
  const done = () => {
    if (isDone) return;
    isDone = true;
    clearTimeout(timer);
    closed();
  };
  const timer = setTimeout(done, withinMs);
  if (channel === undefined || link === undefined || link.isOver) {
    done();
    return;
  }
  channel.once('close', done);
  try {
    channel.close();
  } catch {
    // It is closed already, by the broker.
    done();
  }
}

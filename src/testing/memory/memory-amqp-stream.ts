import { ConnectError } from '../../core/errors.js';
import type { AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';
import type { HeldMessage, NewMessage, Supply } from './memory-amqp-queue.js';

/** A stream in memory: messages by offset, read by each consumer from where it asks, and never removed by reading. */
export class MemoryAmqpStream {
  readonly name: string;
  readonly kind = 'stream';
  readonly arguments: AmqpTable;
  readonly #givesChunks: boolean;
  readonly #filled: () => void;
  readonly #messages: HeldMessage[] = [];
  /** The offset that each chunk begins at: what was published at one moment. */
  #chunks: number[] = [];
  #lastAt = Number.NEGATIVE_INFINITY;
  #first = 0;

  constructor(name: string, args: AmqpTable, givesChunks: boolean, filled: () => void) {
    this.name = name;
    this.arguments = args;
    this.#givesChunks = givesChunks;
    this.#filled = filled;
  }

  /** The offset of the message to come. */
  get next(): number {
    return this.#messages.length;
  }

  get ready(): readonly HeldMessage[] {
    return this.#messages.slice(this.#first);
  }

  add(message: NewMessage, now: number): boolean {
    if (now !== this.#lastAt) this.#chunks.push(this.next);
    this.#lastAt = now;
    this.#messages.push({ ...message, position: this.next, isRedelivered: false, returns: 0 });
    this.#filled();
    return true;
  }

  /** Forgets what lies below the offset, as retention does. */
  trim(offset: number): void {
    this.#first = Math.max(this.#first, Math.min(offset, this.next));
    this.#chunks = this.#chunks.filter((_, at) => (this.#chunks[at + 1] ?? this.next) > this.#first);
  }

  /** From where the consumer's argument `x-stream-offset` says. Throws `RXF_AMQP_MISMATCH` for what it cannot mean. */
  supply(from: AmqpValue | undefined): Supply {
    let offset = this.#startOf(from);
    return {
      take: () => {
        const message = this.#messages[Math.max(offset, this.#first)];
        if (message !== undefined) offset = message.position + 1;
        return message;
      },
      // Whatever is said of a message, it only makes room for the next.
      settle: () => undefined,
    };
  }

  #startOf(from: AmqpValue | undefined): number {
    if (from === undefined || from === 'next') return this.next;
    if (from === 'first') return this.#first;
    if (from === 'last') return this.#chunks.at(-1) ?? 0;
    if (typeof from === 'number' && Number.isSafeInteger(from) && from >= 0) {
      return this.#givesChunks ? (this.#chunks.filter((first) => first <= from).at(-1) ?? 0) : from;
    }
    throw new ConnectError('RXF_AMQP_MISMATCH', `A consumer of stream ${this.name} cannot begin at ${String(from)}.`);
  }
}

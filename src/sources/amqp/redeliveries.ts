import { KiB } from '../../core/units.js';
import type { AmqpMessage } from '../../ports/amqp-consumer.js';

/** The most nacked messages that are remembered; beyond it the one nacked longest ago is forgotten. */
const MAX_REMEMBERED = 10_000;

const MAX_HASHED = 64 * KiB;

/** What is known of a message that was given before. */
interface Given {
  readonly identity: string;
  /** How often it came back to its quorum queue. */
  readonly returns: number;
}

/**
 * How often each message was nacked, across the channels that it is redelivered on: a queue gives it a new tag each time, so it
 * is known by what is in it. Only what comes marked as redelivered is looked at, so the others cost nothing.
 *
 * Bounds: 10,000 nacked messages, and what is out of those that were given before.
 */
export class Redeliveries {
  /** By sequence number on the current channel. */
  readonly #given = new Map<number, Given>();
  /** How often each message was nacked, by its identity. */
  readonly #nacks = new Map<string, number>();

  /** A new channel: sequence numbers begin anew. */
  begin(): void {
    this.#given.clear();
  }

  arrived(seq: number, message: AmqpMessage): void {
    if (!message.isRedelivered) return;
    const count = message.properties.headers?.['x-delivery-count'];
    this.#given.set(seq, { identity: identityOf(message), returns: Number(count ?? 0) });
  }

  /** Forgets what is acked. */
  acked(first: number, next: number): void {
    if (this.#given.size === 0) return;
    for (let seq = first; seq < next; seq += 1) {
      const given = this.#given.get(seq);
      if (given === undefined) continue;
      this.#given.delete(seq);
      this.#nacks.delete(given.identity);
    }
  }

  /** Counts a nack: which it is of this message, from 1, and how often the message came back to its queue. */
  nack(seq: number): { readonly attempt: number; readonly returns: number } {
    const given = this.#given.get(seq);
    // Its first: it is not remembered, since what is redelivered is marked.
    if (given === undefined) return { attempt: 1, returns: 0 };
    this.#given.delete(seq);
    const attempt = (this.#nacks.get(given.identity) ?? 1) + 1;
    this.#nacks.delete(given.identity);
    this.#nacks.set(given.identity, attempt);
    if (this.#nacks.size > MAX_REMEMBERED) this.#nacks.delete(this.#nacks.keys().next().value as string);
    return { attempt, returns: given.returns };
  }
}

function identityOf({ exchange, routingKey, properties, content }: AmqpMessage): string {
  return `${exchange} ${routingKey} ${properties.messageId ?? ''} ${content.length} ${hashOf(content)}`;
}

/** FNV-1a of the first and the last 64 KiB, so that it takes more than one chance in 2^32 for two to look the same. */
function hashOf(content: Uint8Array): string {
  let forward = 0x811c9dc5;
  let backward = 0x811c9dc5;
  for (let at = 0; at < Math.min(content.length, MAX_HASHED); at += 1) {
    forward = Math.imul(forward ^ (content[at] as number), 0x01000193);
    backward = Math.imul(backward ^ (content[content.length - 1 - at] as number), 0x01000193);
  }
  return `${forward >>> 0} ${backward >>> 0}`;
}

import type { AmqpProperties, AmqpQueueKind, AmqpTable, AmqpValue } from '../../ports/amqp-consumer.js';
import { amqpTimeOf } from '../../ports/amqp-timestamp.js';

/** A message as a queue in memory holds it. */
export interface HeldMessage {
  /** Its place in the queue: what is requeued goes back there. In a stream its offset. */
  readonly position: number;
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: AmqpProperties;
  readonly content: Buffer;
  readonly isRedelivered: boolean;
  /** How often it came back unacked. */
  readonly returns: number;
}

export type NewMessage = Pick<HeldMessage, 'exchange' | 'routingKey' | 'properties' | 'content'>;

/** Why a queue gave a message up, as the header `x-death` has it. */
export type DeathReason = 'rejected' | 'delivery_limit' | 'maxlen';

/** What a queue tells its broker. */
export interface QueueReport {
  /** It has something to give. */
  filled(): void;
  /** It gave a message up: to be dead-lettered, or gone. */
  dead(message: HeldMessage, reason: DeathReason): void;
}

/** Where a consumer takes its messages from. */
export interface Supply {
  /** The next message, the consumer's from here on. */
  take(): HeldMessage | undefined;
  /** What became of messages that it took, in order of their delivery. */
  settle(messages: readonly HeldMessage[], how: 'ack' | 'requeue' | 'discard'): void;
}

/**
 * A classic or quorum queue in memory: what is requeued goes back to its place, marked as redelivered; a quorum queue counts
 * the returns, and gives a message up that has come back more often than `x-delivery-limit` allows. `x-max-length` with
 * `x-overflow` is kept, ages and priorities are not.
 */
export class MemoryAmqpQueue {
  readonly name: string;
  readonly kind: Exclude<AmqpQueueKind, 'stream'>;
  readonly arguments: AmqpTable;
  readonly #report: QueueReport;
  /** In order of their places. */
  #ready: HeldMessage[] = [];
  #next = 0;

  constructor(name: string, kind: Exclude<AmqpQueueKind, 'stream'>, args: AmqpTable, report: QueueReport) {
    this.name = name;
    this.kind = kind;
    this.arguments = args;
    this.#report = report;
  }

  get ready(): readonly HeldMessage[] {
    return this.#ready;
  }

  /** False where it is full and rejects. */
  add(message: NewMessage): boolean {
    const most = numberOf(this.arguments['x-max-length']);
    if (this.#ready.length >= most && this.arguments['x-overflow'] === 'reject-publish') return false;
    this.#ready.push({ ...message, position: this.#next, isRedelivered: false, returns: 0 });
    this.#next += 1;
    while (this.#ready.length > most) this.#report.dead(this.#ready.shift() as HeldMessage, 'maxlen');
    this.#report.filled();
    return true;
  }

  /** All consumers share it. */
  supply(): Supply {
    return {
      take: () => this.#ready.shift(),
      settle: (messages, how) => {
        if (how === 'discard') for (const message of messages) this.#report.dead(message, 'rejected');
        if (how === 'requeue') this.#requeue(messages);
      },
    };
  }

  #requeue(messages: readonly HeldMessage[]): void {
    const limit = this.kind === 'quorum' ? numberOf(this.arguments['x-delivery-limit']) : Number.POSITIVE_INFINITY;
    const back: HeldMessage[] = [];
    for (const message of messages) {
      const returned = { ...message, isRedelivered: true, returns: message.returns + 1 };
      if (returned.returns > limit) this.#report.dead(returned, 'delivery_limit');
      else back.push(returned);
    }
    this.#ready = [...back, ...this.#ready].sort((a, b) => a.position - b.position);
    if (back.length > 0) this.#report.filled();
  }
}

function numberOf(value: AmqpValue | undefined): number {
  return value === undefined ? Number.POSITIVE_INFINITY : Number(value);
}

/** The properties of a message as its kind of queue gives them to a consumer. */
export function propertiesOf(
  { properties: sent, position, returns }: HeldMessage,
  kind: AmqpQueueKind,
): AmqpProperties {
  const { wireTimestamp } = sent;
  const properties = wireTimestamp === undefined ? sent : { ...sent, ...amqpTimeOf(wireTimestamp) };
  if (kind === 'stream') return { ...properties, headers: { ...properties.headers, 'x-stream-offset': position } };
  if (kind === 'classic' || returns === 0) return properties;
  return { ...properties, headers: { ...properties.headers, 'x-delivery-count': returns } };
}

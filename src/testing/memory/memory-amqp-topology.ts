import { asyncScheduler } from 'rxjs';
import { ConnectError } from '../../core/errors.js';
import type { AmqpQueueDeclaration, AmqpQueueKind, AmqpTable } from '../../ports/amqp-consumer.js';
import { isSame } from '../marbles/same.js';
import { deadLetterOf } from './memory-amqp-death.js';
import { type DeathReason, type HeldMessage, MemoryAmqpQueue, type NewMessage } from './memory-amqp-queue.js';
import { MemoryAmqpRouting } from './memory-amqp-routing.js';
import { MemoryAmqpStream } from './memory-amqp-stream.js';

export type AnyQueue = MemoryAmqpQueue | MemoryAmqpStream;

/** The queues and exchanges of a broker in memory, and what becomes of a message among them. */
export class MemoryAmqpTopology {
  readonly routing = new MemoryAmqpRouting();
  readonly queues = new Map<string, AnyQueue>();
  readonly #givesChunks: boolean;
  readonly #filled: (queue: string) => void;

  /** `filled` is called with the name of a queue that has messages to give. */
  constructor(givesChunks: boolean, filled: (queue: string) => void) {
    this.#givesChunks = givesChunks;
    this.#filled = filled;
  }

  /** Throws `RXF_AMQP_MISMATCH` where it is there and differs. */
  createQueue(name: string, kind: AmqpQueueKind, args: AmqpTable): void {
    const before = this.queues.get(name);
    if (before !== undefined) {
      if (before.kind === kind && isSame(before.arguments, args)) return;
      throw new ConnectError('RXF_AMQP_MISMATCH', `Queue ${name} is there, as ${before.kind} or with other arguments.`);
    }
    const filled = () => this.#filled(name);
    const dead = (message: HeldMessage, reason: DeathReason) => {
      const letter = deadLetterOf({ name, arguments: args }, message, reason);
      if (letter !== undefined) this.route(letter);
    };
    const queue =
      kind === 'stream'
        ? new MemoryAmqpStream(name, args, this.#givesChunks, filled)
        : new MemoryAmqpQueue(name, kind, args, { filled, dead });
    this.queues.set(name, queue);
  }

  declare(name: string, { kind, arguments: args = {}, exchanges = [], bindings = [] }: AmqpQueueDeclaration): void {
    this.createQueue(name, kind, args);
    for (const exchange of exchanges) this.routing.declare(exchange.name, exchange.kind);
    for (const binding of bindings) this.routing.bind(name, binding);
  }

  delete(name: string): void {
    this.queues.delete(name);
    this.routing.forget(name);
  }

  /** Puts a message into every queue that is to have it. */
  route(message: NewMessage, now = asyncScheduler.now()): 'confirmed' | 'unroutable' | 'rejected' {
    const { exchange, routingKey, properties } = message;
    const queues = this.routing
      .route(exchange, routingKey, properties)
      .map((name) => this.queues.get(name))
      .filter((queue) => queue !== undefined);
    if (queues.length === 0) return 'unroutable';
    return queues.map((queue) => queue.add(message, now)).every(Boolean) ? 'confirmed' : 'rejected';
  }
}

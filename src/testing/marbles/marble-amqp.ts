import { type Observable, timer } from 'rxjs';
import { OptionError } from '../../core/errors.js';
import type {
  AmqpConsumer,
  AmqpConsumerDriver,
  AmqpConsumption,
  AmqpListener,
  AmqpQueueKind,
  AmqpTable,
} from '../../ports/amqp-consumer.js';
import { MemoryAmqp } from '../memory/memory-amqp.js';
import type { SeenSettlement } from '../memory/memory-amqp-channel.js';
import { type Mark, parseRow } from './row.js';

export interface MarbleAmqpOptions {
  /** The queue's name. Default `queue`. */
  readonly queue?: string;
  /** Default `classic`. */
  readonly kind?: AmqpQueueKind;
  /** Of the queue, such as `x-delivery-limit`. */
  readonly arguments?: AmqpTable;
  /** How long connecting, and each way of a message or an ack, takes. Default 0: a message comes at the moment it is drawn at. */
  readonly latencyMs?: number;
}

/**
 * A queue of RabbitMQ drawn as a row: `-a-b-(cd)|`. Each character is a message whose content it is; `|` says that no more
 * come. A second row says what befalls the channel, `-a-b  channel: ---X---C`: `X`: the connection is lost; `C`: the broker
 * ends the consumer.
 *
 * ```ts
 * import { amqpSource } from 'rxflume';
 * import { mapValue } from 'rxflume/operators';
 * import { type MarbleAmqp, marbles } from 'rxflume/testing';
 *
 * marbles((m) => {
 *   const queue: MarbleAmqp = m.amqp('-a');
 *   const options = { queues: ['queue'], ack: { count: 1 } };
 *   m.expectObservable(amqpSource(queue, options).pipe(mapValue(String), m.sink('--a')), '30ms !');
 *   m.expectAcks('--a');
 * });
 * ```
 */
export class MarbleAmqp implements AmqpConsumerDriver {
  readonly name = 'amqp drawn';
  readonly addresses: readonly string[];
  /** The broker itself, for what a drawing cannot say. */
  readonly broker: MemoryAmqp;
  readonly queue: string;
  readonly kind: AmqpQueueKind;

  constructor(diagram: string, options: MarbleAmqpOptions = {}) {
    const { queue = 'queue', kind = 'classic', latencyMs = 0 } = options;
    this.queue = queue;
    this.kind = kind;
    this.broker = new MemoryAmqp({ latencyMs });
    this.addresses = this.broker.addresses;
    this.broker.createQueue(queue, kind, options.arguments ?? {});
    const [messages, channel] = rowsOf(diagram);
    for (const { frame, label } of messages) timer(frame).subscribe(() => this.broker.send(queue, [label]));
    for (const { frame, label } of channel) timer(frame).subscribe(() => this.#befall(label));
  }

  consume(consumption: AmqpConsumption, listener: AmqpListener): Observable<AmqpConsumer> {
    return this.broker.consume(consumption, listener);
  }

  /** What was settled in one of these ways, each message at its moment; of a stream an ack is its release. */
  settled(...how: SeenSettlement['how'][]): Mark[] {
    return this.broker.settlements
      .filter((settlement) => how.includes(settlement.how))
      .flatMap(({ at, contents }) => contents.map((label) => ({ frame: at, label })));
  }

  #befall(what: string): void {
    if (what === 'X') this.broker.cut();
    else this.broker.cancelConsumers(this.queue);
  }
}

function rowsOf(diagram: string): [messages: Mark[], channel: Mark[]] {
  const [row = '', fate = '', ...more] = diagram.split(/(?:^|\s)channel:/);
  const messages = parseRow(row.trim()).filter(({ label }) => label !== '|');
  const channel = parseRow(fate.trim());
  const odd = channel.find(({ label }) => label !== 'X' && label !== 'C');
  if (odd !== undefined || more.length > 0) {
    throw new OptionError(
      'RXF_OPTION_INVALID',
      `Expected the diagram of RabbitMQ to be \`-a-b-(cd)|  channel: ---X---C\`, got \`${diagram}\`.`,
    );
  }
  return [messages, channel];
}

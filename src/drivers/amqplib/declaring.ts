import type { AmqpQueueDeclaration } from '../../ports/amqp-consumer.js';
import type { ChannelLife } from './channel-life.js';
import type { Channel } from './library.js';
import { toWire } from './wire-table.js';

type Step = (done: (error: unknown, value: unknown) => void) => void;

/**
 * Has the broker make what is declared, or compare it with what is there: AMQP's declare does both, and ends the channel
 * where they differ. Exchanges first, then the queue, then its bindings. Durable, all of it.
 */
export function declare(
  life: ChannelLife,
  channel: Channel,
  queue: string,
  { kind, arguments: given = {}, exchanges = [], bindings = [] }: AmqpQueueDeclaration,
  declared: () => void,
): void {
  const steps: Step[] = [
    ...exchanges.map(
      ({ name, kind }): Step =>
        (done) =>
          channel.assertExchange(name, kind, { durable: true }, done),
    ),
    // Named also where it is the default: that can be set to another for a virtual host.
    (done) =>
      channel.assertQueue(queue, { durable: true, arguments: { ...toWire(given), 'x-queue-type': kind } }, done),
    ...bindings.map(
      ({ exchange, routingKey, arguments: of = {} }): Step =>
        (done) =>
          channel.bindQueue(queue, exchange, routingKey, toWire(of), done),
    ),
  ];
  inTurn(life, steps, declared);
}

/** That these exchanges are there. The default one always is. */
export function expectExchanges(
  life: ChannelLife,
  channel: Channel,
  exchanges: readonly string[],
  done: () => void,
): void {
  const named = [...new Set(exchanges)].filter((exchange) => exchange !== '');
  inTurn(
    life,
    named.map(
      (exchange): Step =>
        (answered) =>
          channel.checkExchange(exchange, answered),
    ),
    done,
  );
}

function inTurn(life: ChannelLife, steps: readonly Step[], done: () => void, at = 0): void {
  const step = steps[at];
  if (step === undefined) done();
  else life.call(step, () => inTurn(life, steps, done, at + 1));
}

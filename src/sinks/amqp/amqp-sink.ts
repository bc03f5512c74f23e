import type { Observable } from 'rxjs';
import type { Location } from '../../core/location.js';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { type Probe, probes, rightBy } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { AmqpPublisherDriver } from '../../ports/amqp-publisher.js';
import { AmqpSinkSession } from './amqp-sink-session.js';
import { type AmqpSinkOptions, checkOptions } from './options.js';
import { Outgoing, QUEUE } from './outgoing.js';

/** An exchange of RabbitMQ; `write()` is the last operator of a flow. */
export interface AmqpSink<T> {
  /**
   * The sink as an operator: publishes each value as a message, emits a receipt for each run that the broker confirmed.
   *
   * ```
   * values     -a-b-c-d------|
   * published  -a-b-c-d------
   * answers    -----C-R-C----X      C: confirmed, R: returned, X: the channel is lost
   * acks       -----a---c----
   * nacks      -------b------d
   * receipts   -----r---r----|
   * ```
   *
   * Settles: acks what the broker has confirmed, which for a persistent message in a durable queue is after it is on disk;
   * nacks what no queue took, what the broker rejected, and what was not confirmed when its channel ended: the source
   * redelivers that.
   * Bounds: `maxInFlight` and `maxInFlightBytes` published and not confirmed; the source's window bounds what waits.
   * Fails: never by itself; it ends as its deliveries end.
   * Source: RabbitMQ, publisher confirms; the flag `mandatory`.
   */
  write(): Sink<T>;
}

/**
 * Publishes to an exchange of RabbitMQ with confirms, in order, over one channel that is opened anew when it is lost.
 *
 * ```ts
 * import { amqpSink } from 'rxflume';
 * import { amqplib } from 'rxflume/drivers/amqplib';
 *
 * export const orders = amqpSink(amqplib({ urls: ['amqp://mq1'] }), { exchange: 'orders', routingKey: 'eu' });
 * ```
 */
export function amqpSink<T = Uint8Array | string>(
  driver: AmqpPublisherDriver,
  options: AmqpSinkOptions<T>,
): AmqpSink<T> {
  expectFunction('driver.open', driver?.open);
  const checked = checkOptions(options);
  const { exchange, routingKey } = checked;
  const addresses = driver.addresses ?? [driver.name];
  const isToQueue = exchange === '' && typeof routingKey === 'string';
  const target = exchange === '' ? (isToQueue ? routingKey : 'default exchange') : exchange;
  const listener = { writable: () => undefined, logEvent: () => undefined };
  const fix = `Check the user, the password, its rights (rabbitmqctl list_permissions), and that ${target} is there.`;
  const opening: Probe = () =>
    rightBy({ action: 'open a channel to publish', on: target, fix }, () =>
      driver.open(exchange === '' ? [] : [exchange], listener),
    );
  const probe = probes(driver.probe, opening);
  const sinkAvoiding = (avoided: readonly Location[]): Sink<T> => {
    const write = (deliveries: Observable<Delivery<T>>) =>
      sinkLifecycle(deliveries, (lifecycle) => {
        const outgoing = new Outgoing(checked, addresses, avoided);
        return new AmqpSinkSession(driver, checked, outgoing, target, lifecycle);
      });
    const writes = isToQueue ? [{ kind: QUEUE, addresses, names: [routingKey] }] : [];
    return Object.assign(write, { writes, avoiding: sinkAvoiding, ...(probe && { probe }) });
  };
  return { write: () => sinkAvoiding([]) };
}

import { Observable } from 'rxjs';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';
import type { AmqpPublisherDriver } from '../../ports/amqp-publisher.js';
import { Consuming } from './consuming.js';
import { Counting } from './counting.js';
import { Dialler } from './dial.js';
import { loadAmqplib } from './library.js';
import { MessageLimit } from './limits.js';
import { type AmqplibOptions, checkOptions } from './options.js';
import { Pool } from './pool.js';
import { brokersProbe } from './probe.js';
import { Publishing } from './publishing.js';

/**
 * RabbitMQ through amqplib: options in, a driver out, for consuming and for publishing. Connections are made when they are
 * needed, shared by up to `channelsPerConnection` channels, and closed after the last.
 *
 * ```ts
 * import { amqplib } from 'rxflume/drivers/amqplib';
 *
 * export const broker = amqplib({ urls: ['amqp://mq1:5672/shop', 'amqp://mq2:5672/shop'], user: 'shop', password: '…' });
 * ```
 *
 * Bounds: what the prefetches and the messages under way come to; a message received keeps the up to 64 KiB it was read
 * with. Each connection one frame of what is being received. Connecting takes `connectTimeoutMs` a broker at most, closing
 * twice `closeTimeoutMs`.
 * Fails: at the call with `RXF_OPTION_INVALID`, or `RXF_DRIVER_MISSING` where amqplib is not installed.
 * Source: RabbitMQ, AMQP 0-9-1; amqplib 2.
 */
export function amqplib(given: AmqplibOptions): AmqpConsumerDriver & AmqpPublisherDriver {
  const options = checkOptions(given);
  const pool = new Pool(new Dialler(loadAmqplib(), options), options.channelsPerConnection);
  const limit = new MessageLimit(options.maxMessageBytes);
  return {
    name: options.name,
    addresses: options.brokers.map(({ name }) => `${name}/${options.vhost === '/' ? '' : options.vhost}`),
    probe: brokersProbe(options),
    consume: (consumption, listener) =>
      new Observable((subscriber) => {
        const consuming = new Consuming(pool, options, consumption, listener, subscriber);
        consuming.start();
        return () => consuming.abandon();
      }),
    countReady: (queue) =>
      new Observable((subscriber) => {
        const counting = new Counting(pool, options, queue, subscriber);
        counting.start();
        return () => counting.abandon();
      }),
    open: (exchanges, listener) =>
      new Observable((subscriber) => {
        const publishing = new Publishing(pool, options, limit, exchanges, listener, subscriber);
        publishing.start();
        return () => publishing.abandon();
      }),
  };
}

import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { SourceTraits } from '../../delivery/traits.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';
import { AmqpSession } from './amqp-session.js';
import { type AmqpSourceOptions, checkOptions, readsFrom } from './options.js';
import { probeOf } from './probe.js';
import { QueueReader } from './queue-reader.js';

/**
 * Consumes classic and quorum queues of RabbitMQ: one delivery a message, its value the message's bytes, its origin an
 * `AmqpOrigin`. At least once: what is not settled when the program or a channel ends is redelivered.
 *
 * ```
 * queue     -[a b c d]----------------|
 * values    -(abcd)-------------------|
 * settled   ----a--c--b---X-----------|     X: d is nacked, and may pass
 * channel   ----A--A--M------ 1s --R--|     A: ack of one, M: of all up to it, R: d goes back to the queue
 * ```
 *
 * ```ts
 * import { amqpSource } from 'rxflume';
 * import { amqplib } from 'rxflume/drivers/amqplib';
 * import { retryConnect } from 'rxflume/operators';
 *
 * const driver = amqplib({ urls: ['amqp://mq1/shop', 'amqp://mq2/shop'] });
 * export const orders$ = amqpSource(driver, { queues: ['orders'], prefetch: 500 }).pipe(retryConnect());
 * ```
 *
 * Settles: acks on the channel that brought the message, all of an unbroken run together; acks of a channel that is over are
 * stale. A nack with a retryable cause gives the message back to its queue after a while; any other, or one too many, stops
 * the source, or dead-letters the message by `whenNacked`. Asks the holders to settle when `prefetch` is reached, and when a
 * message is out for `settleAfterMs`.
 * Bounds: `prefetch` messages of each queue, however large.
 * Fails: `ConnectError` when the first channel cannot be had, or one that was lost not within `reconnect`; `SourceError` on a
 * nacked message, or a drain that is late.
 * Source: RabbitMQ, consumer acknowledgements; `multiple`, `x-delivery-limit`, `consumer_timeout`.
 */
export function amqpSource(driver: AmqpConsumerDriver, options: AmqpSourceOptions): Source<Delivery<Buffer>> {
  expectFunction('driver.consume', driver?.consume);
  const checked = checkOptions(options);
  const probe = probeOf(driver, checked.queues, checked.declare !== undefined);
  const traits: SourceTraits = {
    name: 'amqpSource',
    isReplayable: false,
    isShared: true,
    reads: [readsFrom(driver, checked.queues)],
    ...(probe && { probe }),
    warningsFor: ({ kind }) => (kind === 'files' ? smallFiles(checked.prefetch) : []),
  };
  return new Source(
    (subscriber, stop$) =>
      new AmqpSession(checked, subscriber, (queue, session) => new QueueReader(driver, queue, checked, session)).start(
        stop$,
      ),
    traits,
  );
}

/** From so many on, a file is as large as a queue can make it, within a factor of three. */
const MANY = 20_000;
/** For an example in the warning: a short record of JSON. */
const MESSAGE_BYTES = 200;

/** A file settles its messages at its roll, and the broker sends no more than the prefetch until then. */
function smallFiles(prefetch: number): string[] {
  if (prefetch >= MANY) return [];
  const kilobytes = Math.max(1, Math.round((prefetch * MESSAGE_BYTES) / 1_000));
  return [
    `A file holds at most ${prefetch} messages of a queue (\`prefetch\`), whatever \`roll\` says: about ${kilobytes} kB at ` +
      `${MESSAGE_BYTES} bytes a message. Raise \`prefetch\` to at least ${MANY}, and at most 65535, where memory has room for so many ` +
      'messages; or make the queue a stream, and read it with amqpStreamSource.',
  ];
}

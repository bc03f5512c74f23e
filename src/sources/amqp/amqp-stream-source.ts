import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { Source } from '../../delivery/source.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';
import { AmqpSession } from './amqp-session.js';
import { readsFrom } from './options.js';
import { probeOf } from './probe.js';
import { type AmqpStreamSourceOptions, checkStreamOptions } from './stream-options.js';
import { StreamReader } from './stream-reader.js';

/**
 * Reads streams of RabbitMQ: one delivery a message, its value the message's bytes, its origin an `AmqpOrigin` with the
 * stream's own offset. Exactly once where it resumes from the ledger of the file sink that the flow ends in.
 *
 * ```
 * stream    -[0 1 2 3]----------------|
 * values    -(0123)------------(23)---|
 * released  ----(01)------------------|
 * settled   --------0-1-X-------------|     X: 2 is nacked, and may pass
 * credit    ----(01)------------------|     for two more
 * resumes   ------------- 1s --2------|     from where the ledger says, on a new channel
 * ```
 *
 * ```ts
 * import { amqpStreamSource, fileSink, jsonLines } from 'rxflume';
 * import { amqplib } from 'rxflume/drivers/amqplib';
 * import { localDisk } from 'rxflume/drivers/local-disk';
 *
 * const lake = fileSink(localDisk(), { root: '/srv/lake', format: jsonLines() });
 * export const clicks$ = amqpStreamSource(amqplib({ urls: ['amqp://mq1'] }), {
 *   queues: ['clicks'],
 *   resumeFrom: lake.offsetStore,
 * });
 * ```
 *
 * Settles: nothing at the broker, which keeps no position for AMQP; a release gives it credit for more. Acks move the
 * watermark, from which a lost channel is resumed, unless `resumeFrom` says another offset. A nack with a retryable cause
 * reads the stream again from there; any other stops the source, and nothing is skipped.
 * Bounds: `prefetch` unreleased messages of each stream, however large; a bit for each unacked one up to `maxUnacked`.
 * Fails: `ConnectError` when the first channel cannot be had, or one that was lost not within `reconnect`; `SourceError` on a
 * nacked message, on messages that retention removed unread, or a drain that is late.
 * Source: RabbitMQ, streams over AMQP 0-9-1; `x-stream-offset`.
 */
export function amqpStreamSource(
  driver: AmqpConsumerDriver,
  options: AmqpStreamSourceOptions,
): Source<Delivery<Buffer>> {
  expectFunction('driver.consume', driver?.consume);
  const checked = checkStreamOptions(options);
  const { queues, resumeFrom } = checked;
  const reads = [readsFrom(driver, queues)];
  const probe = probeOf(driver, queues, checked.declare !== undefined);
  const traits = { name: 'amqpStreamSource', isReplayable: true, resumeFrom, reads, ...(probe && { probe }) };
  return new Source(
    (subscriber, stop$) =>
      new AmqpSession(checked, subscriber, (queue, session) => new StreamReader(driver, queue, checked, session)).start(
        stop$,
      ),
    traits,
  );
}

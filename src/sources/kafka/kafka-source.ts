import { EMPTY } from 'rxjs';
import type { Delivery } from '../../delivery/delivery.js';
import type { Probe } from '../../delivery/probe.js';
import { Source } from '../../delivery/source.js';
import type { KafkaDriver } from '../../ports/kafka-consumer.js';
import { KafkaSession } from './kafka-session.js';
import { checkOptions, type KafkaSourceOptions } from './options.js';
import { rehearsalOf } from './rehearsal.js';

/**
 * Reads Kafka topics as a member of a group: one delivery a record, its value the record's bytes (null for a
 * tombstone), its origin the record.
 *
 * ```
 * broker   -[a b c]------------|
 * values   -(abc)--------------|
 * acks     ------a---c---b-----|
 * commits  ----------1-------3-|     the unbroken run, by count and interval
 * ```
 *
 * ```ts
 * import { kafkaSource, MiB } from 'rxflume';
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 * import { retryConnect } from 'rxflume/operators';
 *
 * export const chat$ = kafkaSource(kafkajs({ brokers: ['k1:9092', 'k2:9092'] }), {
 *   topics: ['chat'],
 *   groupId: 'chat-lake',
 *   window: { bytes: 32 * MiB },
 * }).pipe(retryConnect());
 * ```
 *
 * Settles: commits the end of each partition's unbroken run of acks; acks of an earlier assignment are stale. A nack
 * with a retryable cause reads its partition again from there; any other stops the source, and nothing past it is
 * committed.
 * Bounds: `window` for what is out, about two fetches of `maxPartitionBytes` a partition for what waits, one bit for
 * each unacked record up to `maxUnacked`.
 * Fails: `ConnectError` when the group cannot be joined or is lost for good, `SourceError` on a nacked record or lost
 * data, `CommitError` when commits keep failing.
 * Source: commits are of the next offset to read, as in Kafka's own consumer.
 */
export function kafkaSource(driver: KafkaDriver, options: KafkaSourceOptions): Source<Delivery<Buffer | null>> {
  const checked = checkOptions(options, driver.rebalanceTimeoutMs);
  const { resumeFrom, topics, groupId } = checked;
  const reads = [{ kind: 'Kafka topic', addresses: driver.addresses ?? [driver.name], names: topics }];
  const rehearsal = rehearsalOf(driver, checked, options, kafkaSource);
  const probe: Probe | undefined =
    driver.probe && ((setting) => driver.probe?.({ use: 'read', topics, groupId }, setting) ?? EMPTY);
  const traits = {
    name: 'kafkaSource',
    isReplayable: true,
    isShared: true,
    resumeFrom,
    reads,
    rehearsal,
    ...(probe && { probe }),
  };
  return new Source((subscriber, stop$) => new KafkaSession(driver, checked, subscriber).start(stop$), traits);
}

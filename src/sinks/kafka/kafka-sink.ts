import { EMPTY, identity, type Observable } from 'rxjs';
import { type Location, sharedName } from '../../core/location.js';
import { expectFunction } from '../../core/options.js';
import type { Delivery } from '../../delivery/delivery.js';
import { withInnerParts } from '../../delivery/inner-parts.js';
import type { Probe } from '../../delivery/probe.js';
import type { Sink } from '../../delivery/receipt.js';
import { sinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { KafkaProducerDriver } from '../../ports/kafka-producer.js';
import { GroupOffsets } from './group-offsets.js';
import { KafkaSinkSession, type SinkParts } from './kafka-sink-session.js';
import { checkOptions, isSchemaEncoder, type KafkaSinkOptions } from './options.js';
import { schemaGate } from './schema-gate.js';
import { SharedProducer } from './shared-producer.js';

/** A Kafka topic, or several; `write()` is the last operator of a flow. */
export interface KafkaSink<T> {
  /**
   * The offsets of the group that reads, for a source's `resumeFrom`. Given to the source of the flow that ends in this
   * sink, records and offsets are committed in one transaction, and a reader of committed records sees each value once.
   *
   * Asked about a stream, it first takes the stream's transactional id: what another writer had open is aborted.
   *
   * Fails: `RXF_KAFKA_UNREACHABLE`, `RXF_KAFKA_AUTH`, `RXF_KAFKA_REJECTED` where Kafka is older than 2.5.
   */
  readonly offsetStore: OffsetStore;
  /**
   * The sink as an operator: takes values, emits a receipt for each topic and stream of what is durable.
   *
   * ```
   * values    -a-b-c-d----|
   * sent      ---(ab)-(cd)---
   * answers   --------A-----A     A: all replicas in sync have it
   * acks      -----(ab)--(cd)
   * receipts  --------r-----r|
   * ```
   *
   * Settles: acks when all replicas in sync have a record, or when its transaction is committed. Nacks alone what the broker
   * rejects, what is too large, has no topic or cannot become a record; what was not acknowledged in time, with what
   * is behind it in its partition.
   * Where `encode` is an encoder of a schema registry, what cannot be registered or found is nacked with the registry's error.
   * Bounds: one batch gathered, and an encoded one for each partition; in transactions two a stream with a bit for each
   * record. What is not answered is unreleased, so the source's window bounds it.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<T>;
}

/**
 * Writes values to Kafka topics: idempotent, acknowledged by all replicas in sync, keeping each record's key, headers and
 * time; at least once, or, from Kafka and with `resumeFrom: sink.offsetStore`, exactly once.
 *
 * ```ts
 * import { jsonText, kafkaSink } from 'rxflume';
 * import { kafkajs } from 'rxflume/drivers/kafkajs';
 *
 * export const orders = kafkaSink<{ readonly id: string }>(kafkajs({ brokers: ['k1:9092'] }), {
 *   topic: 'orders',
 *   encode: jsonText,
 *   key: ({ id }) => id,
 * });
 * ```
 */
export function kafkaSink<T = Uint8Array | string | null>(
  driver: KafkaProducerDriver,
  options: KafkaSinkOptions<T>,
): KafkaSink<T> {
  expectFunction('driver.open', driver?.open);
  const checked = checkOptions(options);
  const { topic, compression, maxRecordBytes, sendTimeoutMs, transaction, monitor } = checked;
  const producing = { compression, maxRecordBytes, sendTimeoutMs, transactionTimeoutMs: transaction.timeoutMs };
  const shared = new SharedProducer(driver, producing, (level, what, message) =>
    monitor.logEvent(level, what, message),
  );
  const { encode } = checked;
  const gate = isSchemaEncoder(encode) ? schemaGate(encode, checked, driver.name) : identity;
  const offsets = new GroupOffsets(shared, transaction.idPrefix);
  const addresses = driver.addresses ?? [driver.name];
  const locationOf = (name: string): Location => ({ kind: 'Kafka topic', addresses, names: [name] });
  const ledger = {
    offsetStore: offsets.offsetStore,
    at: `the group's offsets in ${driver.name}`,
    addresses,
    condition: 'a reader must read committed records only (`isolation.level=read_committed`)',
  };
  const topics = typeof topic === 'string' ? [topic] : [];
  const probe: Probe = (setting) => driver.probe?.({ use: 'write', topics }, setting) ?? EMPTY;
  const probed = driver.probe && { probe };
  const sinkAvoiding = (avoided: readonly Location[]): Sink<T> => {
    const parts: SinkParts<T> = {
      to: driver.name,
      options: checked,
      shared,
      offsets,
      isAvoided: (name) => avoided.some((one) => sharedName(one, locationOf(name)) !== undefined),
    };
    const sink = Object.assign(
      (deliveries: Observable<Delivery<T>>) =>
        sinkLifecycle(deliveries.pipe(gate), (lifecycle) => new KafkaSinkSession(parts, lifecycle)),
      typeof topic === 'string' ? { ledger, writes: [locationOf(topic)] } : { ledger, avoiding: sinkAvoiding },
      probed,
    );
    return isSchemaEncoder(encode) ? withInnerParts(sink, [{ name: 'encode', part: encode }]) : sink;
  };
  const write = sinkAvoiding([]);
  return { offsetStore: offsets.offsetStore, write: () => write };
}

import { from, Observable } from 'rxjs';
import { OwnedPartition } from '../../src/drivers/kafkajs/consumer/assignment.js';
import { KAFKAJS_DEFAULTS } from '../../src/drivers/kafkajs/options.js';
import { toBatch } from '../../src/drivers/kafkajs/records/batch.js';
import type { FetchedMessages, ForeignDecoder } from '../../src/drivers/kafkajs/records/fetched-messages.js';
import { openInternals } from '../../src/drivers/kafkajs/vendor/patches.js';
import type { KafkaConsumer, KafkaDriver, KafkaListener } from '../../src/ports/kafka-consumer.js';
import { encodeBatch, numberedValues } from '../lab/records.js';

const TOPIC = 'replay';
const PARTITIONS = 4;
const BATCHES_A_FETCH = 5;
const BATCH_RECORDS = 1_000;
const VALUE_BYTES = 199;

const batches = Array.from(
  { length: BATCHES_A_FETCH },
  (_, at) => encodeBatch(at * BATCH_RECORDS, BATCH_RECORDS, numberedValues(VALUE_BYTES)).bytes,
);

export interface Replayed {
  readonly driver: KafkaDriver;
  /** How often the driver was asked for something, or asked to be told. */
  readonly calls: { count: number };
}

/**
 * A driver that fetches from memory: what a broker would answer, decoded as the kafkajs driver decodes it, without
 * sockets. The same bytes come again and again, under rising offsets.
 */
export function replay(records: number): Replayed {
  const { load } = openInternals(KAFKAJS_DEFAULTS);
  const Decoder = load('src/protocol/decoder.js') as new (bytes: Buffer) => ForeignDecoder;
  const decode = load('src/protocol/requests/fetch/v4/decodeMessages.js') as (
    decoder: ForeignDecoder,
  ) => Promise<FetchedMessages>;
  const calls = { count: 0 };

  const fetch = async (owned: OwnedPartition) => {
    const size = Buffer.alloc(4);
    const answer = Buffer.concat([size, ...batches]);
    answer.writeInt32BE(answer.length - 4);
    let at = 4;
    for (const [index, { length }] of batches.entries()) {
      answer.writeBigInt64BE(BigInt(owned.position + index * BATCH_RECORDS), at);
      at += length;
    }
    const messages = await decode(new Decoder(answer));
    const { topic, partition } = owned;
    return toBatch(owned, owned.position, {
      topic,
      partition,
      errorCode: 0,
      highWatermark: '0',
      abortedTransactions: [],
      messages,
    });
  };

  const run = async (owned: readonly OwnedPartition[], listener: KafkaListener): Promise<void> => {
    let left = records;
    while (left > 0) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const one of owned) {
        if (one.isPaused || left <= 0) continue;
        const batch = await fetch(one);
        if (batch === null) throw new Error('the replay holds nothing');
        one.position = batch.nextOffset;
        left -= batch.records.length;
        calls.count += 1;
        listener.records(batch);
      }
    }
  };

  const driver: KafkaDriver = {
    name: 'replay',
    connect: (_subscription, listener) =>
      new Observable<KafkaConsumer>((out) => {
        const owned = Array.from({ length: PARTITIONS }, (_, partition) => {
          const one = new OwnedPartition({ topic: TOPIC, partition }, 1);
          one.position = 0;
          return one;
        });
        const setPaused = (partitions: readonly { partition: number }[], isPaused: boolean) => {
          calls.count += 1;
          for (const { partition } of partitions) (owned[partition] as OwnedPartition).isPaused = isPaused;
        };
        out.next({
          pause: (partitions) => setPaused(partitions, true),
          resume: (partitions) => setPaused(partitions, false),
          seek: () => undefined,
          commit: () => {
            calls.count += 1;
            return [undefined];
          },
          close: () => [undefined],
        });
        const started = from(listener.assigned(1, owned)).subscribe(() => {
          run(owned, listener).catch((error: unknown) => out.error(error));
        });
        return () => started.unsubscribe();
      }),
  };
  return { driver, calls };
}

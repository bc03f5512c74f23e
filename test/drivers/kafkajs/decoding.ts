import { OwnedPartition } from '../../../src/drivers/kafkajs/consumer/assignment.js';
import type { RecordDecoder } from '../../../src/drivers/kafkajs/index.js';
import { toBatch } from '../../../src/drivers/kafkajs/records/batch.js';
import type { FetchedMessages, ForeignDecoder } from '../../../src/drivers/kafkajs/records/fetched-messages.js';
import type { Fetched } from '../../../src/drivers/kafkajs/vendor/link.js';
import { openInternals } from '../../../src/drivers/kafkajs/vendor/patches.js';
import type { KafkaBatch } from '../../../src/ports/kafka-consumer.js';

export const MAX_BATCH_BYTES = 1 << 20;

type Decode = (from: ForeignDecoder) => Promise<FetchedMessages>;
type MakeBatch = (options: Record<string, unknown>) => Promise<{ buffer: Buffer }>;
type MakeRecord = (options: Record<string, unknown>) => unknown;

/** The bytes of one partition as a fetch brings them, through a decoder of the driver's own kafkajs. */
export function decoding(recordDecoder: RecordDecoder, checkCrc = false) {
  const { load } = openInternals({ maxBatchBytes: MAX_BATCH_BYTES, recordDecoder, checkCrc });
  const Decoder = load('src/protocol/decoder.js') as new (bytes: Buffer) => ForeignDecoder;
  const decode = load('src/protocol/requests/fetch/v4/decodeMessages.js') as Decode;
  const { RecordBatch } = load('src/protocol/recordBatch/v0/index.js') as { RecordBatch: MakeBatch };
  return {
    makeBatch: RecordBatch,
    makeRecord: load('src/protocol/recordBatch/record/v0/index.js') as MakeRecord,
    async read(
      bytes: Buffer,
      position: number,
      abortedTransactions: Fetched['abortedTransactions'] = [],
    ): Promise<KafkaBatch | null> {
      const size = Buffer.alloc(4);
      size.writeInt32BE(bytes.length);
      const messages = await decode(new Decoder(Buffer.concat([size, bytes])));
      const owned = new OwnedPartition({ topic: 't', partition: 0 }, 1);
      const fetched = { topic: 't', partition: 0, errorCode: 0, highWatermark: '99', abortedTransactions, messages };
      return toBatch(owned, position, fetched);
    },
  };
}

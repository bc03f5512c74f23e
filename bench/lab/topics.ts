import { Kafka, logLevel } from 'kafkajs';
import { encodeBatch, numberedValues, type Values } from './records.js';
import { sleep } from './watch.js';
import { Wire } from './wire.js';

/** A topic of numbered JSON records, uncompressed, without keys, spread evenly. */
export interface Topic {
  readonly name: string;
  readonly partitions: number;
  readonly records: number;
  readonly valueBytes: number;
  /** Of all values, each as a line. */
  readonly lineBytes: number;
}

const BATCH_RECORDS = 1_000;
const BATCH_BYTES = 256 * 1024;
const AT_ONCE = 8;
const LEADER_TRIES = 100;
const LEADER_WAIT_MS = 100;

/** Makes a topic and fills it; with JSON records of `valueBytes` unless values are given. */
export async function fillTopic(
  broker: string,
  of: Omit<Topic, 'name' | 'lineBytes'>,
  values: Values = numberedValues(of.valueBytes),
): Promise<Topic> {
  const name = await makeTopic(broker, of.partitions);
  const wire = await Wire.connect(broker);
  const even = Math.ceil(of.records / of.partitions);
  const most = Math.max(1, Math.min(BATCH_RECORDS, Math.floor(BATCH_BYTES / of.valueBytes), even));
  let lineBytes = 0;
  let first = 0;
  const left = Array.from({ length: of.partitions }, (_, partition) =>
    Math.floor((of.records + of.partitions - 1 - partition) / of.partitions),
  );
  const underWay = new Set<Promise<unknown>>();
  while (first < of.records) {
    for (let partition = 0; partition < of.partitions; partition += 1) {
      const count = Math.min(most, left[partition] as number);
      if (count === 0) continue;
      const batch = encodeBatch(first, count, values);
      lineBytes += batch.lineBytes;
      first += count;
      left[partition] = (left[partition] as number) - count;
      const sent: Promise<unknown> = wire.produce(name, partition, batch.bytes).finally(() => underWay.delete(sent));
      underWay.add(sent);
      if (underWay.size >= AT_ONCE) await Promise.race(underWay);
    }
  }
  await Promise.all(underWay);
  wire.close();
  return { ...of, name, lineBytes };
}

let topics = 0;

/** Makes an empty topic. */
export async function makeTopic(broker: string, partitions: number): Promise<string> {
  topics += 1;
  const name = `bench-${Date.now()}-${topics}`;
  await withAdmin(broker, async (admin) => {
    await admin.createTopics({ topics: [{ topic: name, numPartitions: partitions }], waitForLeaders: false });
    // kafkajs's own wait gives up where a broker does not know the topic yet.
    for (let left = LEADER_TRIES; ; left -= 1) {
      const known = await admin.fetchTopicMetadata({ topics: [name] }).catch(() => undefined);
      const leaders = known?.topics[0]?.partitions.filter(({ leader }) => leader >= 0).length;
      if (leaders === partitions) return;
      if (left === 0) throw new Error(`${name} has no leader for each of its ${partitions} partitions`);
      await sleep(LEADER_WAIT_MS);
    }
  });
  return name;
}

export async function deleteTopic(broker: string, name: string): Promise<void> {
  await withAdmin(broker, (admin) => admin.deleteTopics({ topics: [name] }));
}

async function withAdmin(broker: string, act: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await act(admin);
  } finally {
    await admin.disconnect();
  }
}

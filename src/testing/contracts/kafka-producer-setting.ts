import { firstValueFrom, from, lastValueFrom, map, Subscription, toArray } from 'rxjs';
import type { RxflumeError } from '../../core/errors.js';
import type { KafkaDriver, KafkaRecord, KafkaSubscription, PartitionOffset } from '../../ports/kafka-consumer.js';
import type {
  KafkaOutgoing,
  KafkaProducer,
  KafkaProducerDriver,
  KafkaProducing,
  KafkaTransactions,
} from '../../ports/kafka-producer.js';
import { equal, sleep, until } from './checking.js';
import { KafkaTrace } from './kafka-trace.js';

/** A driver that writes, with the cluster behind it and a way to read. Topics are made by the checks and left behind. */
export interface ProducerSubject {
  readonly driver: KafkaProducerDriver & KafkaDriver;
  /** `config`: Kafka's own names. */
  createTopic(topic: string, partitions: number, config?: Readonly<Record<string, string>>): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  /** Denies us to write to a topic, where the subject can. */
  forbid?(topic: string): void;
  /** Takes the leader of a partition away, or gives it back, where the subject can. */
  setLeaderless?(topic: string, partition: number, isLeaderless: boolean): void;
}

export interface ProducerCheck {
  readonly name: string;
  run(subject: ProducerSubject): Promise<void>;
}

const PRODUCING: KafkaProducing = {
  compression: 'none',
  maxRecordBytes: 1_000_000,
  sendTimeoutMs: 20_000,
  transactionTimeoutMs: 20_000,
};
/** How long to look for what must not come. */
export const QUIET_MS = 300;
let names = 0;

/** What a check has to work with. */
export interface Setting {
  readonly producer: KafkaProducer;
  /** Unsubscribes from the producer. */
  end(): void;
  /** Makes a topic that nobody else has, by a short name. */
  topic(name: string, partitions: number, config?: Readonly<Record<string, string>>): Promise<void>;
  readonly subject: ProducerSubject;
  /** The whole name of a topic. */
  name(short: string): string;
  /** An id that nobody else has. */
  id(short: string): string;
  /** Reads so many records, in order of arrival. */
  read(topic: string, count: number): Promise<KafkaRecord[]>;
  /** What can be read now. */
  readNow(topic: string): Promise<KafkaRecord[]>;
  /** What a group has committed in the partitions of a topic, −1 where nothing. */
  committed(group: string, topic: string, partitions: number): Promise<number[]>;
}

export function check(name: string, run: (setting: Setting) => Promise<void>): ProducerCheck {
  return {
    name,
    run: async (subject) => {
      const { driver } = subject;
      names += 1;
      const own = (short: string) => `${short}-${names}-${Date.now().toString(36)}`;
      const known = new Map<string, string>();
      const nameOf = (short: string) => {
        if (!known.has(short)) known.set(short, own(short));
        return known.get(short) as string;
      };
      let readers = 0;
      const reading = async (short: string, wait: (trace: KafkaTrace) => Promise<void>) => {
        readers += 1;
        const trace = new KafkaTrace().join(driver, subscription(nameOf(short), `${nameOf(short)}-reader-${readers}`));
        await until(() => trace.consumer !== undefined && trace.partitions.length > 0, 'a reader', trace);
        await wait(trace);
        await trace.close();
        return trace.all;
      };
      const connection = new Subscription();
      const producer = await opened(driver, connection);
      try {
        await run({
          producer: naming(producer, (topic) => known.get(topic) ?? topic),
          end: () => connection.unsubscribe(),
          topic: (short, partitions, config) => subject.createTopic(nameOf(short), partitions, config),
          subject,
          name: nameOf,
          id: nameOf,
          read: (short, count) => reading(short, (trace) => trace.received(count)),
          readNow: (short) => reading(short, () => sleep(QUIET_MS)),
          committed: async (group, short, partitions) => {
            const asked = Array.from({ length: partitions }, (_, partition) => ({ topic: nameOf(short), partition }));
            const offsets = await firstValueFrom(from(producer.committed(nameOf(group), asked)));
            return asked.map((one) => offsets.find(({ partition }) => partition === one.partition)?.offset ?? -1);
          },
        });
      } finally {
        connection.unsubscribe();
      }
    },
  };

  function opened(driver: KafkaProducerDriver, connection: Subscription): Promise<KafkaProducer> {
    return new Promise((resolve, reject) => {
      connection.add(driver.open(PRODUCING, { logEvent: () => undefined }).subscribe({ next: resolve, error: reject }));
    });
  }
}

/** The same with short names of topics. */
function naming(producer: KafkaProducer, whole: (topic: string) => string): KafkaProducer {
  const named = (records: readonly KafkaOutgoing[]) => records.map((one) => ({ ...one, topic: whole(one.topic) }));
  return {
    send: (records) => producer.send(named(records)),
    take: (id) =>
      from(producer.take(id)).pipe(
        map((transactions) => ({
          send: (records: readonly KafkaOutgoing[]) => transactions.send(named(records)),
          commit: (groupId: string, offsets: readonly PartitionOffset[]) => transactions.commit(groupId, offsets),
        })),
      ),
    committed: (groupId, partitions) => producer.committed(groupId, partitions),
  };
}

function subscription(topic: string, groupId: string): KafkaSubscription {
  return {
    topics: [topic],
    groupId,
    startAt: 'earliest',
    maxPartitionBytes: 1 << 20,
    maxWaitMs: 100,
    revokeTimeoutMs: 2_000,
    sessionTimeoutMs: 10_000,
  };
}

export function record(topic: string, value: string | null): KafkaOutgoing {
  return {
    topic,
    partition: null,
    key: null,
    value: value === null ? null : bytes(value),
    headers: [],
    timestamp: null,
  };
}

export function bytes(text: string): Uint8Array {
  return Buffer.from(text);
}

/** Sends, and answers what was rejected, once every record is named; each must be named once. */
export async function send(
  through: Pick<KafkaProducer | KafkaTransactions, 'send'>,
  records: readonly KafkaOutgoing[],
): Promise<ReadonlyMap<number, RxflumeError>> {
  const answers = await lastValueFrom(from(through.send(records)).pipe(toArray()));
  const rejected = new Map(answers.flatMap((sent) => [...sent.rejected]));
  const named = [...answers.flatMap(({ written }) => [...written]), ...rejected.keys()].sort((a, b) => a - b);
  equal(
    named,
    records.map((_, index) => index),
    'the indexes that are answered',
  );
  return rejected;
}

export async function take(producer: KafkaProducer, id: string): Promise<KafkaTransactions> {
  return firstValueFrom(from(producer.take(id)));
}

export function shown(record: KafkaRecord | undefined): string {
  if (record === undefined) return 'nothing';
  const headers = record.headerList.map(
    ([name, value]) => ` ${name}=${value === null ? 'null' : Buffer.from(value).toString()}`,
  );
  const value = record.value === null ? 'null' : record.value.toString();
  return `${record.partition}/${record.offset} ${record.key?.toString()}=${value} @${record.timestamp}${headers.join('')}`;
}

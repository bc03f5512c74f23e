import type { Socket } from 'node:net';
import kafkaPackage, { type Admin, type Producer } from 'kafkajs';
import type { KafkajsOptions, RecordDecoder } from '../../../src/drivers/kafkajs/index.js';
import { kafkajsOver } from '../../../src/drivers/kafkajs/kafkajs.js';
import { openSocket, type SocketTarget } from '../../../src/drivers/kafkajs/vendor/sockets.js';
import type { KafkaDriver } from '../../../src/ports/kafka-consumer.js';
import type { KafkaProducerDriver } from '../../../src/ports/kafka-producer.js';
import { freshName } from '../../../src/testing/contracts/checking.js';
import type { ContractRecord, KafkaSubject } from '../../../src/testing/contracts/kafka-setting.js';

const { Kafka, logLevel, Partitioners } = kafkaPackage;

export const BROKERS = (globalThis.process.env.RXFLUME_KAFKA_BROKERS ?? '127.0.0.1:19092').split(',');

/** The real cluster, with the application's own kafkajs beside the driver's. */
export class LiveKafka implements KafkaSubject {
  readonly driver: KafkaDriver & KafkaProducerDriver;
  readonly net = new CutNet();
  readonly admin: Admin;
  readonly producer: Producer;
  readonly #kafka = new Kafka({ brokers: BROKERS, logLevel: logLevel.NOTHING, retry: { retries: 20 } });

  readonly #recordDecoder: RecordDecoder;

  constructor(recordDecoder: RecordDecoder = 'lean') {
    this.#recordDecoder = recordDecoder;
    this.driver = this.newDriver();
    this.admin = this.#kafka.admin();
    this.producer = this.#kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  }

  newDriver(options: Partial<KafkajsOptions> = {}, net: CutNet = this.net): KafkaDriver & KafkaProducerDriver {
    return kafkajsOver(
      { brokers: BROKERS, heartbeatIntervalMs: 300, recordDecoder: this.#recordDecoder, ...options },
      net.open,
    );
  }

  newTransactionalProducer(transactionalId: string): Producer {
    return this.#kafka.producer({
      transactionalId,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
  }

  async start(): Promise<void> {
    await this.admin.connect();
    await this.producer.connect();
  }

  async stop(): Promise<void> {
    await this.producer.disconnect();
    await this.admin.disconnect();
  }

  async createTopic(topic: string, numPartitions: number, config: Record<string, string> = {}): Promise<void> {
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await this.admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true });
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.admin.deleteTopics({ topics: [topic] });
  }

  async produce(topic: string, partition: number, records: readonly ContractRecord[]): Promise<void> {
    const messages = records.map(({ value, key, timestamp }) => ({
      value,
      partition,
      ...(key === undefined ? {} : { key }),
      ...(timestamp === undefined ? {} : { timestamp: String(timestamp) }),
    }));
    await this.producer.send({ topic, messages });
  }

  async transact(
    topic: string,
    partition: number,
    records: readonly ContractRecord[],
    outcome: 'commit' | 'abort',
  ): Promise<void> {
    const producer = this.newTransactionalProducer(freshName('transaction'));
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: records.map(({ value }) => ({ value, partition })) });
    await (outcome === 'commit' ? transaction.commit() : transaction.abort());
    await producer.disconnect();
  }

  async deleteRecords(topic: string, partition: number, before: number): Promise<void> {
    // kafkajs looks for the leader in metadata that only an earlier call brings.
    await this.admin.fetchTopicOffsets(topic);
    await this.admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(before) }] });
  }

  async committed(groupId: string, topic: string, partition: number): Promise<number> {
    const [known] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    return Number(known?.partitions.find((one) => one.partition === partition)?.offset ?? -1);
  }
}

/** A network that can be cut: open sockets break and new ones are rejected, for one driver only. */
export class CutNet {
  readonly sockets = new Set<Socket>();
  opened = 0;
  #isCut = false;
  #port: number | undefined;

  readonly open = (target: SocketTarget): Socket => {
    const socket = openSocket(this.#isCut ? { ...target, port: this.#port ?? 1 } : target);
    this.opened += 1;
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
    return socket;
  };

  /** With a port: new connections go there instead, to something that never answers. */
  cut(port?: number): void {
    this.#isCut = true;
    this.#port = port;
    this.breakAll();
  }

  restore(): void {
    this.#isCut = false;
  }

  breakAll(): void {
    for (const socket of this.sockets)
      socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  }
}

import { Delivery, type Origin } from '../../src/delivery/delivery.js';
import { ReceivedMessage } from '../../src/drivers/amqplib/received-message.js';
import { LeanRecord, type LeanSetting } from '../../src/drivers/kafkajs/records/lean-record.js';
import { RecordView } from '../../src/drivers/kafkajs/records/record.js';
import { MessageOrigin } from '../../src/sources/amqp/message-origin.js';
import { flumeSource } from '../../src/sources/flume/flume-source.js';
import { MemoryFlume } from '../../src/testing/memory/memory-flume.js';
import { MemoryRecordView } from '../../src/testing/memory/memory-record-view.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from './virtual-time.js';

const TIME = 1_700_000_000_000;

/** What a record of that offset has in every shape that can have it. */
const factsOf = (offset: number) => ({ key: `k${offset}`, header: `h${offset}`, timestamp: TIME + offset });

/** A varint of Kafka, of at most 63. */
const small = (number: number) => number * 2;

function leanRecord(partition: number, offset: number): Origin {
  const { key, header } = factsOf(offset);
  const value = `v${offset}`;
  const text = (of: string) => [small(of.length), ...Buffer.from(of)];
  const before = [small(40), 0];
  const bytes = Buffer.from([...before, small(offset), small(0), ...text(key), ...text(value), small(1), ...text('h')]);
  const whole = Buffer.concat([bytes, Buffer.from(text(header))]);
  const valueAt = before.length + 2 + text(key).length + 1;
  const setting: LeanSetting = {
    batch: {
      firstOffset: offset,
      lastOffset: offset,
      firstTimestamp: TIME,
      exactFirstTimestamp: BigInt(TIME),
      appendedAt: null,
      count: 1,
      isControl: false,
      producerId: null,
      bytes: whole,
    },
    of: { topic: 't', partition, stream: `kafka:t/${partition}`, epoch: 4 },
    memory: whole.buffer,
    memoryAt: whole.byteOffset,
  };
  return new LeanRecord(setting, offset, value.length + key.length, before.length, valueAt, value.length);
}

function recordView(partition: number, offset: number): Origin {
  const { key, header, timestamp } = factsOf(offset);
  const setting = { topic: 't', partition, stream: `kafka:t/${partition}`, epoch: 4 };
  return new RecordView(setting, offset, {
    offset: String(offset),
    key: Buffer.from(key),
    value: Buffer.from(`v${offset}`),
    headerList: [['h', Buffer.from(header)]],
    timestamp: String(timestamp),
  });
}

function memoryRecord(partition: number, offset: number): Origin {
  const { key, header, timestamp } = factsOf(offset);
  const stream = `kafka:t/${partition}`;
  const headers = { h: Buffer.from(header) };
  const headerList = [['h', Buffer.from(header)]] as const;
  const held = { stream, offset, epoch: 0, topic: 't', partition, timestamp, headers, headerList, byteLength: 4 };
  return new MemoryRecordView({ ...held, key: Buffer.from(key), value: Buffer.from(`v${offset}`) }, 4);
}

function message(queue: string, partition: number, offset: number): Origin {
  const { key, header } = factsOf(offset);
  const raw = {
    content: Buffer.from(`v${offset}`),
    fields: { deliveryTag: offset, redelivered: true, exchange: 'ex', routingKey: key, consumerTag: 'c' },
    properties: {
      headers: { h: header },
      timestamp: TIME / 1_000,
      messageId: `id${offset}`,
      contentType: 'text/plain',
    },
  };
  const of = { stream: `amqp:${queue}${partition}`, queue: `${queue}${partition}`, epoch: 2 };
  return new MessageOrigin(of, offset, new ReceivedMessage(raw as never));
}

/** What the source makes of events that it is sent. */
function flumeOrigins(name: string, count: number): Origin[] {
  const origins: Origin[] = [];
  inVirtualTime((at) => {
    const flume = new MemoryFlume();
    const running = flumeSource(flume.server(), { name }).subscribe(({ origin }) => origins.push(origin));
    const events = Array.from({ length: count }, (_, n) => ({
      headers: { timestamp: String(TIME + n) },
      body: Buffer.from(`v${n}`),
    }));
    const client = flume.connect(0).subscribe((connection) => connection.append(events).subscribe({ error: () => {} }));
    at(50, () => {
      client.unsubscribe();
      running.unsubscribe();
    });
  });
  return origins;
}

const OFFSETS = [5, 6];
const PARTITIONS = [0, 1];

const each = (origin: (partition: number, offset: number) => Origin): Origin[] =>
  PARTITIONS.flatMap((partition) => OFFSETS.map((offset) => origin(partition, offset)));

/** Origins as each driver, and its fake, has them: two of each of two streams, one stream after the other. */
export const DRIVER_ORIGINS: Readonly<Record<string, () => Origin[]>> = {
  'kafkajs, read here': () => each(leanRecord),
  'kafkajs, read by itself': () => each(recordView),
  'kafka in memory': () => each(memoryRecord),
  'amqplib, a queue': () => each((partition, offset) => message('orders', partition, offset)),
  'amqplib, a stream': () => each((partition, offset) => message('log', partition, offset)),
  'avro-rpc': () => ['one', 'two'].flatMap((name) => flumeOrigins(name, 2)),
  'a test': () => each((partition, offset) => recorded(partition, offset)),
};

function recorded(partition: number, offset: number): Origin {
  const { key, header, timestamp } = factsOf(offset);
  const facts = { offset, timestamp, key: Buffer.from(key), headers: { h: Buffer.from(header) } };
  return new RecordingAcker(`test:${partition}`).deliver('v', facts).origin;
}

/** Deliveries with these origins, and an acker for each stream. */
export function deliveriesOf(origins: readonly Origin[]): Delivery<string>[] {
  const ackers = new Map<string, RecordingAcker>();
  return origins.map((origin) => {
    const acker = ackers.get(origin.stream) ?? new RecordingAcker(origin.stream);
    ackers.set(origin.stream, acker);
    const { seq } = acker.deliver('');
    return new Delivery(`${origin.stream}@${origin.offset}`, origin, acker, seq);
  });
}

/** Everything that a source may know of a value, in a form to compare. */
export function factsIn(origin: Origin): Readonly<Record<string, unknown>> {
  const known = origin as Origin & Readonly<Record<string, unknown>>;
  const headers = Object.entries(origin.headers ?? {}).map(([name, value]) => [name, String(value)]);
  return {
    stream: origin.stream,
    offset: origin.offset,
    epoch: origin.epoch,
    timestamp: origin.timestamp,
    key: origin.key == null ? origin.key : Buffer.from(origin.key).toString(),
    headers,
    headerList: origin.headerList?.map(([name, value]) => [name, String(value)]),
    topic: known.topic,
    partition: known.partition,
    queue: known.queue,
    exchange: known.exchange,
    routingKey: known.routingKey,
    isRedelivered: known.isRedelivered,
    properties: known.properties,
  };
}

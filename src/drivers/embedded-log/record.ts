import type { KafkaRecord, TopicPartition } from '../../ports/kafka-consumer.js';
import type { SegmentRecord } from './segment.js';

const NO_HEADERS = {};
const NO_HEADER_LIST: KafkaRecord['headerList'] = [];

/** A stored record as the port has it. */
export function toKafkaRecord(of: TopicPartition, stream: string, epoch: number, stored: SegmentRecord): KafkaRecord {
  return {
    topic: of.topic,
    partition: of.partition,
    stream,
    epoch,
    offset: stored.offset,
    timestamp: stored.timestamp,
    key: stored.key,
    value: stored.value,
    headers: NO_HEADERS,
    headerList: NO_HEADER_LIST,
    byteLength: (stored.key?.length ?? 0) + (stored.value?.length ?? 0),
  };
}

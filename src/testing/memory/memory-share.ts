import { SinkError } from '../../core/errors.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import type { KafkaOutgoing, KafkaSent } from '../../ports/kafka-producer.js';

export interface FakeCall {
  readonly number: number;
  readonly isWanted: (index: number) => boolean;
}

export function withdrawn(): SinkError {
  return new SinkError('RXF_SINK_STOPPED', 'It was withdrawn before it was sent.');
}

/** What of one call goes to one partition, by index. */
export interface Share {
  readonly name: string;
  readonly of: TopicPartition | undefined;
  readonly records: Map<number, KafkaOutgoing>;
}

export function together(all: readonly KafkaSent[]): KafkaSent {
  const written = all.flatMap((sent) => [...sent.written]).sort((a, b) => a - b);
  return { written, rejected: new Map(all.flatMap((sent) => [...sent.rejected])) };
}

/** Whether it was written is not known. */
export function unknownIf({ records }: Share, cause: unknown): KafkaSent {
  const rejection = new SinkError(
    'RXF_KAFKA_SEND',
    'It was not acknowledged in time; whether it is written is not known.',
    {
      cause,
    },
  );
  return { written: [], rejected: new Map([...records.keys()].map((index) => [index, rejection])) };
}

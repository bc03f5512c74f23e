import type { TopicPartition } from '../../../ports/kafka-consumer.js';
import type { Verdict } from './producer-answers.js';
import type { Produced, RefusedRecord } from './producer-requests.js';

/** What a broker says that does not know either. */
const UNKNOWN_SERVER_ERROR = -1;

/** What a broker said of one lot; none of both where it is written. */
export interface Outcome {
  readonly error?: unknown;
  /** Where the error does not tell. */
  readonly verdict?: Verdict;
  readonly refused?: readonly RefusedRecord[];
  readonly reason?: string;
}

/** What an answer to produce says of one partition. */
export function outcomeOf(
  of: TopicPartition,
  produced: readonly Produced[],
  errorOf: (code: number) => Error,
): Outcome {
  const one = produced.find(({ topic, partition }) => topic === of.topic && partition === of.partition);
  if (one === undefined) return { error: errorOf(UNKNOWN_SERVER_ERROR) };
  if (one.errorCode === 0) return {};
  return { error: errorOf(one.errorCode), refused: one.refused, reason: one.reason };
}

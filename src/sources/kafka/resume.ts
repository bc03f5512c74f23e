import { type Observable, of } from 'rxjs';
import { ConnectError, describeError, isRetryable, RxflumeError, SourceError } from '../../core/errors.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { TopicPartition } from '../../ports/kafka-consumer.js';
import type { CheckedOptions } from './options.js';
import { streamOf } from './partition.js';

/** Where the ledger says to resume each partition; nothing where there is no ledger. Fails as `lookUpOffsets` does. */
export function resumeOffsets(
  { resumeFrom, groupId, monitor }: CheckedOptions,
  partitions: readonly TopicPartition[],
): Observable<ReadonlyMap<string, number>> {
  if (resumeFrom === undefined || partitions.length === 0) return of(new Map<string, number>());
  const streams = partitions.map(streamOf);
  const slow = (message: string) => monitor.logEvent('warn', 'RXF_KAFKA_RESUME', message);
  return lookUpOffsets(() => resumeFrom(streams, { groupId }), streams, 'RXF_KAFKA_RESUME', slow);
}

/** Why an assignment ends the flow: the ledger did not say where to resume. */
export function resumeError(partitions: readonly TopicPartition[], cause: unknown): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_RESUME',
    `Cannot learn where to resume ${partitions.map(streamOf).join(', ')}: ${describeError(cause)}. ` +
      'Nothing was read; the subscription can be tried again.',
    { cause, retryable: isRetryable(cause) },
  );
}

/**
 * Adds what can be done to the error of a stream that no longer holds the position a ledger gave; any other error is left
 * as it is.
 */
export function withRecoveryHint(error: unknown, resumeFrom: OffsetStore | undefined): unknown {
  if (resumeFrom?.recoveryHint === undefined) return error;
  if (!(error instanceof RxflumeError) || error.code !== 'RXF_KAFKA_DATA_LOST') return error;
  const { topic, partition } = error.details;
  const message = `${error.message} ${resumeFrom.recoveryHint(`kafka:${String(topic)}/${String(partition)}`)}`;
  return new SourceError('RXF_KAFKA_DATA_LOST', message, { details: error.details, cause: error });
}

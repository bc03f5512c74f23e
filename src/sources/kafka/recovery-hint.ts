import { RxflumeError, SourceError } from '../../core/errors.js';
import type { OffsetStore } from '../../offsets/offset-store.js';

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

import { SourceError } from '../../../core/errors.js';
import { reasonOf } from '../errors.js';
import type { OwnedPartition } from './assignment.js';

/** The broker answers for one partition what asking again will not change. */
export function unfetchableError({ stream, topic, partition }: OwnedPartition, cause: unknown): SourceError {
  return new SourceError('RXF_KAFKA_PROTOCOL', `Cannot fetch ${stream}: ${reasonOf(cause)}. Nothing was skipped.`, {
    details: { topic, partition },
    cause,
  });
}

/** What was fetched cannot be decoded. */
export function unreadableError(
  { stream, topic, partition }: OwnedPartition,
  position: number,
  cause: unknown,
): SourceError {
  return new SourceError(
    'RXF_KAFKA_PROTOCOL',
    `Cannot read ${stream} at offset ${position}: ${reasonOf(cause)}. Nothing after it was delivered.`,
    { details: { topic, partition, offset: position }, cause },
  );
}

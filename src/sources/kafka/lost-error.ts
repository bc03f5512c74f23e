import { SourceError } from '../../core/errors.js';
import type { Assignment } from './assignment.js';
import { listed } from './listed.js';

/** Why a drain is no success whose partitions were taken away before all of it was done; undefined where all was. */
export function lostError(assignment: Assignment): SourceError | undefined {
  const undone = assignment.partitions.filter((partition) => !partition.isDone);
  if (undone.length === 0) return undefined;
  const streams = undone.map(({ stream }) => stream);
  return new SourceError(
    'RXF_SOURCE_DRAIN_LOST',
    `The group took ${listed(streams)} away before the drain was done. What was not committed of it is redelivered at the next ` +
      'start, or to whoever has it now. Drain one member after the other, or raise `revokeTimeoutMs` and `sessionTimeoutMs`.',
    { details: { streams } },
  );
}

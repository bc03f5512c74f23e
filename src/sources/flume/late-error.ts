import { SourceError } from '../../core/errors.js';
import type { PendingBatch } from './pending-batch.js';

/** A drain whose time is over before these are settled. */
export function lateError(open: readonly PendingBatch[], withinMs: number): SourceError {
  const count = open.reduce((sum, { count: of }) => sum + of, 0);
  return new SourceError(
    'RXF_SOURCE_DRAIN_TIMEOUT',
    `${count} events of ${open.length} batches were not settled within ${withinMs} ms. Their clients send them again. ` +
      'See why the sink is slow, or raise `drainTimeoutMs`.',
  );
}

import type { ForeignRecord } from './record.js';

/** Whether a record, or a batch by its last offset, is of a transaction that was aborted. */
export type IsAborted = (
  record: Pick<ForeignRecord, 'key' | 'isControlRecord' | 'batchContext'>,
  offset: number,
) => boolean;

const ABORT_KEY = Buffer.from([0, 0, 0, 0]);

/**
 * Says of the records of one fetch, asked in order, which belong to an aborted transaction. Undefined where none do.
 *
 * Source: Kafka's Fetcher: an aborted transaction begins at its first offset and ends at its producer's abort marker.
 */
export function abortedFilter(
  aborted: readonly { readonly producerId: string; readonly firstOffset: string }[] | null | undefined,
): IsAborted | undefined {
  if (!aborted || aborted.length === 0) return undefined;
  const waiting = aborted
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<string>();
  return (record, offset) => {
    while (waiting[0] !== undefined && waiting[0].firstOffset <= offset)
      open.add((waiting.shift() as { producerId: string }).producerId);
    const { batchContext } = record;
    if (batchContext === undefined || !open.has(batchContext.producerId)) return false;
    if (record.isControlRecord) {
      if (record.key?.equals(ABORT_KEY)) open.delete(batchContext.producerId);
      return false;
    }
    return batchContext.inTransaction;
  };
}

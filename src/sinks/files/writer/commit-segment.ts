import { concat, concatMap, EMPTY, merge, type Observable } from 'rxjs';
import type { Receipt } from '../../../delivery/receipt.js';
import type { FileSystem } from '../../../ports/file-system.js';
import type { LedgerEntry, StoredFile } from '../ledger/entry.js';
import { nowVisible, publish } from '../ledger/publish.js';
import type { Quarantine } from '../ledger/quarantine.js';
import { removeLeftovers } from '../ledger/recovery.js';
import type { LedgerStore } from '../ledger/store.js';
import { finalName, finalPath } from '../names.js';
import type { ClosedSegment } from './segment.js';

/** Whose files these are, and where they go. */
export interface LandsAs {
  readonly root: string;
  readonly stream: string;
  readonly writer: string;
  readonly extension: string;
  readonly quarantine: Quarantine;
}

/**
 * Renames a closed segment's files, then acks: for streams that cannot be read again, or that do not resume from this
 * sink's ledger. After a crash between the two, the values are redelivered in another file. Emits a receipt for each file
 * that a reader sees.
 */
export function publishAtLeastOnce(fs: FileSystem, as: LandsAs, segment: ClosedSegment): Observable<Receipt> {
  return shown(fs, segment, placed(segment, as), as);
}

/**
 * Commits a closed segment to the ledger up to `next`, then renames its files, then acks: one segment after the other, a
 * reader of the folder sees each value of the stream once, whatever dies or wakes at whichever step.
 *
 * Fails: `RXF_LEDGER_FENCED` where another writer owns the stream; otherwise as the file system does.
 */
export function publishExactlyOnce(
  store: LedgerStore,
  as: LandsAs,
  segment: ClosedSegment,
  next: number,
): Observable<Receipt> {
  const files = placed(segment, as);
  if (files.length === 0 && next <= segment.from) return EMPTY;
  const { columns } = store;
  const entry = { ...entryOf(segment, as, next, files), ...(columns !== undefined && { columns }) };
  return store
    .commit(entry, () => segment.sent())
    .pipe(
      concatMap((listed) =>
        concat(
          shown(store.fs, segment, files, as),
          merge(store.fold(entry.stream, listed), removeLeftovers(store, entry)),
        ),
      ),
    );
}

function entryOf(
  { from, number }: ClosedSegment,
  as: LandsAs,
  next: number,
  files: readonly StoredFile[],
): LedgerEntry {
  const below = (path: string) => path.slice(as.root.length + 1);
  return {
    writer: `${as.writer}-${number}`,
    stream: as.stream,
    from,
    next,
    files: files.map(({ temporary, final, ...facts }) => ({
      temporary: below(temporary),
      final: below(final),
      ...facts,
    })),
  };
}

/** The files of a segment with where each is to be visible. */
function placed({ files, number }: ClosedSegment, as: LandsAs): readonly StoredFile[] {
  return files.map(({ number: file, bucket, ...stored }) => ({
    ...stored,
    final: finalPath(as.root, bucket, finalName({ ...as, ...stored, number, file }, as.extension)),
  }));
}

/** Makes the files visible, acks what the segment holds, and emits a receipt for each file that a reader sees. */
function shown(
  fs: FileSystem,
  segment: ClosedSegment,
  files: readonly StoredFile[],
  { stream, quarantine }: LandsAs,
): Observable<Receipt> {
  return nowVisible(fs, publish(fs, files, quarantine)).pipe(
    concatMap((visible) => {
      segment.values.ack();
      return visible.map(({ final: target, values, bytes, first: firstOffset, last: lastOffset }) => ({
        sink: 'files',
        target,
        values,
        bytes,
        stream,
        firstOffset,
        lastOffset,
      }));
    }),
  );
}

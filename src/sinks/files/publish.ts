import { concat, concatMap, defer, from, mergeMap, type Observable, of, throwError } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { Receipt } from '../../core/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import { finalPath } from './names.js';
import type { ClosedFile } from './open-file.js';
import type { ClosedSegment } from './segment.js';

/** Renames that run side by side. */
const RENAME_AT_ONCE = 8;

/** Whose files these are, and where they go. */
export interface PublishAs {
  readonly root: string;
  readonly stream: string;
  readonly writer: string;
  readonly extension: string;
}

/**
 * Makes a segment visible: renames each file to its final path, and when all stand there acks what they hold and emits
 * a receipt for each. Fails with what refused a rename, and then nothing is acked.
 */
export function publish(fs: FileSystem, segment: ClosedSegment, as: PublishAs): Observable<Receipt> {
  const receipts: Receipt[] = [];
  const renames$ = from(segment.files).pipe(
    mergeMap((file, at) => {
      const target = finalPath(as.root, file.bucket, { ...as, ...file, number: segment.number });
      return rename(fs, file, target).pipe(
        concatMap(() => {
          receipts[at] = receiptOf(file, target, as.stream);
          return [];
        }),
      );
    }, RENAME_AT_ONCE),
  );
  return concat(
    renames$,
    defer(() => {
      segment.values.ack();
      return receipts;
    }),
  );
}

function rename(fs: FileSystem, file: ClosedFile, target: string): Observable<unknown> {
  return from(fs.rename(file.temporary, target)).pipe(
    concatMap((answer) =>
      answer === 'renamed' ? of(answer) : throwError(() => renameError(fs, file.temporary, target, answer)),
    ),
  );
}

function receiptOf(file: ClosedFile, target: string, stream: string): Receipt {
  const { values, bytes, first, last } = file;
  return { sink: 'files', target, values, bytes, stream, firstOffset: first, lastOffset: last };
}

function renameError(fs: FileSystem, from: string, to: string, answer: 'exists' | 'missing'): SinkError {
  if (answer === 'exists') {
    return new SinkError(
      'RXF_FILES_EXISTS',
      `${fs.name}: cannot move ${from} to ${to}, which exists already. Nothing was overwritten; the values come again ` +
        'under another name.',
      { details: { from, to }, retryable: true },
    );
  }
  return new SinkError(
    'RXF_FILES_MISSING',
    `${fs.name}: ${from} is gone before it could be moved to ${to}. See what else removes files under _rxflume/tmp; the ` +
      'values come again.',
    { details: { from, to }, retryable: true },
  );
}

import { defer, type Observable } from 'rxjs';
import type { Receipt } from '../../core/receipt.js';
import { finalPath } from './names.js';
import type { ClosedFile } from './open-file.js';
import type { Publication } from './publish.js';
import type { ClosedSegment, Ending } from './segment.js';

/** How the segments of one stream become visible: `AtLeastOnce`, or `ExactlyOnce` where a ledger is kept. */
export interface Landing {
  /** The least offset that the next segment may take; anything less belongs to an earlier one. */
  readonly next: number;
  /** Where the next segment begins. */
  begin(firstOffset: number): number;
  /** A segment takes no more values than those that belong before its cut. */
  end(segment: Ending): void;
  /** Completes when everything that belongs into the segment is there. */
  whole(segment: Ending): Observable<never>;
  /** Whether time has come for an entry although there are no values. */
  readonly isBehind: boolean;
  /** Makes a closed segment visible, acks its values, and emits a receipt for each file. */
  land(segment: ClosedSegment, hasLater: () => boolean): Observable<Receipt>;
}

/** Whose files these are, and where they go. */
export interface LandsAs {
  readonly root: string;
  readonly stream: string;
  readonly writer: string;
  readonly extension: string;
}

/** A closed file with its final path. */
export interface Placed extends Publication {
  readonly file: ClosedFile;
}

/** Where each file of a segment is to stand. */
export function placed({ files, number }: ClosedSegment, as: LandsAs): readonly Placed[] {
  return files.map((file) => ({
    file,
    temporary: file.temporary,
    final: finalPath(as.root, file.bucket, { ...as, ...file, number }),
    bytes: file.bytes,
  }));
}

/** Acks what a segment holds, whose files all stand; emits a receipt for each. */
export function acked({ values }: ClosedSegment, files: readonly Placed[], stream: string): Observable<Receipt> {
  return defer(() => {
    values.ack();
    return files.map(({ final, file }) => ({
      sink: 'files',
      target: final,
      values: file.values,
      bytes: file.bytes,
      stream,
      firstOffset: file.first,
      lastOffset: file.last,
    }));
  });
}

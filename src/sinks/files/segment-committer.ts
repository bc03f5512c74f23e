import { concatMap, type Observable } from 'rxjs';
import type { Receipt } from '../../delivery/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import { finalName, finalPath } from './names.js';
import type { ClosedFile } from './open-file.js';
import { nowVisible, type Publication, publish } from './publish-segment.js';
import type { Quarantine } from './quarantine.js';
import type { ClosedSegment, Ending } from './segment.js';

/** How the segments of one stream become visible: `AtLeastOnce`, or `ExactlyOnce` where a ledger is kept. */
export interface SegmentCommitter {
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
  commit(segment: ClosedSegment, hasLater: () => boolean): Observable<Receipt>;
}

/** Whose files these are, and where they go. */
export interface LandsAs {
  readonly root: string;
  readonly stream: string;
  readonly writer: string;
  readonly extension: string;
  readonly quarantine: Quarantine;
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
    final: finalPath(as.root, file.bucket, finalName({ ...as, ...file, number, file: file.number }, as.extension)),
    bytes: file.bytes,
    values: file.values,
    first: file.first,
    last: file.last,
  }));
}

/** Makes the files visible, acks what the segment holds, and emits a receipt for each file that a reader sees. */
export function shown(
  fs: FileSystem,
  { values }: ClosedSegment,
  files: readonly Placed[],
  { stream, quarantine }: LandsAs,
): Observable<Receipt> {
  return nowVisible(fs, publish(fs, files, quarantine)).pipe(
    concatMap((visible) => {
      values.ack();
      return visible.map(({ final, file }) => ({
        sink: 'files',
        target: final,
        values: file.values,
        bytes: file.bytes,
        stream,
        firstOffset: file.first,
        lastOffset: file.last,
      }));
    }),
  );
}

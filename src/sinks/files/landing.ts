import type { Observable } from 'rxjs';
import type { Receipt } from '../../core/receipt.js';
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

export function publicationOf(file: ClosedFile, final: string): Publication {
  return { temporary: file.temporary, final, bytes: file.bytes };
}

export function receiptOf(file: ClosedFile, target: string, stream: string): Receipt {
  const { values, bytes, first, last } = file;
  return { sink: 'files', target, values, bytes, stream, firstOffset: first, lastOffset: last };
}

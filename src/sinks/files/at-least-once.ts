import { defer, EMPTY, type Observable } from 'rxjs';
import type { Receipt } from '../../delivery/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { ClosedSegment } from './segment.js';
import { type LandsAs, placed, type SegmentCommitter, shown } from './segment-committer.js';

/**
 * Renames, then acks: for streams that cannot be read again, or that are not taken up from this sink's ledger. After a
 * crash between the two, the values are redelivered in another file.
 */
export class AtLeastOnce implements SegmentCommitter {
  readonly next = Number.NEGATIVE_INFINITY;
  readonly isBehind = false;
  readonly #fs: FileSystem;
  readonly #as: LandsAs;

  constructor(fs: FileSystem, as: LandsAs) {
    this.#fs = fs;
    this.#as = as;
  }

  begin(firstOffset: number): number {
    return firstOffset;
  }

  end(): void {}

  whole(): Observable<never> {
    return EMPTY;
  }

  commit(segment: ClosedSegment): Observable<Receipt> {
    return defer(() => shown(this.#fs, segment, placed(segment, this.#as), this.#as));
  }
}

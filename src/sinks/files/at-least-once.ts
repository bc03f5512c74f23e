import { concat, defer, EMPTY, type Observable } from 'rxjs';
import type { Receipt } from '../../core/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import { type Landing, type LandsAs, publicationOf, receiptOf } from './landing.js';
import { finalPath } from './names.js';
import { allPublished, publish } from './publish.js';
import type { ClosedSegment } from './segment.js';

/**
 * Renames, then acks: for streams that cannot be read again, or that are not taken up from this sink's ledger. After a
 * crash between the two, the values come again in another file.
 */
export class AtLeastOnce implements Landing {
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

  land({ files, number, values }: ClosedSegment): Observable<Receipt> {
    const { root, stream } = this.#as;
    const targets = files.map((file) => finalPath(root, file.bucket, { ...this.#as, ...file, number }));
    const publications = files.map((file, at) => publicationOf(file, targets[at] as string));
    return concat(
      allPublished(this.#fs, publish(this.#fs, publications)),
      defer(() => {
        values.ack();
        return files.map((file, at) => receiptOf(file, targets[at] as string, stream));
      }),
    );
  }
}

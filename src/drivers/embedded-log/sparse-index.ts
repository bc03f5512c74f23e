import { KiB } from '../../core/units.js';

/** How far apart, in the file, the records are that the index remembers. */
export const INDEX_GAP_BYTES = 64 * KiB;

export interface IndexMark {
  readonly offset: number;
  readonly position: number;
}

/**
 * Where some records start in their file: one at least every 64 KiB, so that any record's head starts less than 64 KiB
 * after the mark at or before it.
 *
 * Bounds: 16 bytes and a little for each 64 KiB of log.
 */
export class SparseIndex {
  readonly #marks: IndexMark[] = [];

  /** Called for each record, in order. */
  note(offset: number, position: number): void {
    const last = this.#marks.at(-1);
    if (last === undefined || position - last.position >= INDEX_GAP_BYTES) this.#marks.push({ offset, position });
  }

  /** Forgets the marks from that offset on. */
  cutAt(offset: number): void {
    while ((this.#marks.at(-1)?.offset ?? -1) >= offset) this.#marks.pop();
  }

  /** The last mark at or before that offset, which is of a record that is there. */
  before(offset: number): IndexMark {
    let low = 0;
    let high = this.#marks.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#marks[middle] as IndexMark).offset <= offset) low = middle;
      else high = middle - 1;
    }
    return this.#marks[low] as IndexMark;
  }
}

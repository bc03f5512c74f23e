import { type Observable, Subject } from 'rxjs';
import { timeOfDayMs } from '../core/clock.js';
import type { Receipt } from '../delivery/receipt.js';
import type { CommittedFile } from './committed-file.js';

/** So many are kept. */
const MOST_KEPT = 100;

/**
 * The files that one subscription of a flow has committed, from the receipts of its sink.
 *
 * Bounds: the last 100.
 */
export class CommittedFiles {
  readonly #files$ = new Subject<CommittedFile>();
  /** Each from now on. Completes with the flow. */
  readonly files$: Observable<CommittedFile> = this.#files$.asObservable();
  #last: readonly CommittedFile[] = [];

  /** Newest first. */
  get last(): readonly CommittedFile[] {
    return this.#last;
  }

  add({ target, stream, firstOffset, lastOffset, values, bytes }: Receipt): void {
    const file = { path: target, stream, firstOffset, lastOffset, values, bytes, atMs: timeOfDayMs() };
    this.#last = [file, ...this.#last.slice(0, MOST_KEPT - 1)];
    this.#files$.next(file);
  }

  /** The newest of the last that has the offset. */
  of(stream: string, offset: number): CommittedFile | undefined {
    return this.#last.find((file) => file.stream === stream && file.firstOffset <= offset && offset <= file.lastOffset);
  }

  end(): void {
    this.#files$.complete();
  }
}

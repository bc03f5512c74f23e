import { createHash } from 'node:crypto';
import { from, map, type Observable, of, switchMap } from 'rxjs';
import type { LocalFile, LocalFileStats } from '../../ports/local-files.js';

/** How much of a file's beginning tells it from others. */
export const HEAD_BYTES = 1_024;
/** How much before a position tells whether the file is still the one that was read. */
export const MARK_BYTES = 64;

/** The hash of so many bytes from the beginning of a file. */
export interface Head {
  readonly bytes: number;
  readonly hash: string;
}

/** The hash of the up to 64 bytes before an offset. */
export interface Mark {
  readonly offset: number;
  readonly hash: string;
}

/** What is known of a file between two runs: which it is, and how far all of it is acked. */
export interface FileEntry {
  readonly stream: string;
  /** Where it was seen last. */
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
  /** In nanoseconds, `0` where it is not known. */
  readonly birth: string;
  readonly head: Head;
  /** The next byte to read. */
  readonly offset: number;
  /** At `offset` or before it. */
  readonly mark: Mark;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 22);
}

/**
 * Whether an entry may be of the file with these facts, its content aside. The device counts for nothing: a network file system, a
 * volume that is mounted again, may have another. A birth time counts where both have one.
 */
export function mayBe(entry: FileEntry, { ino, birthtimeNs }: LocalFileStats): boolean {
  if (entry.ino !== String(ino)) return false;
  return birthtimeNs === 0n || entry.birth === '0' || entry.birth === String(birthtimeNs);
}

/**
 * Whether the file's content is what the entry says: the same beginning, the same bytes before the mark, and no less than was acked.
 * What was cut and has grown again beyond that with the same 64 bytes before the mark, and the same beginning, is taken for the same.
 */
export function isContentOf(entry: FileEntry, file: LocalFile, size: number, offset: number): Observable<boolean> {
  if (size < Math.max(offset, entry.head.bytes)) return of(false);
  return readExactly(file, 0, entry.head.bytes).pipe(
    switchMap((head) => {
      if (hashOf(head) !== entry.head.hash) return of(false);
      const { offset: end, hash } = entry.mark;
      const start = Math.max(0, end - MARK_BYTES);
      return readExactly(file, start, end - start).pipe(map((mark) => hashOf(mark) === hash));
    }),
  );
}

/** A copy of these in memory of its own: what is cut from Node's pool keeps all 8 KiB of it. */
export function ownBytes(...parts: readonly Uint8Array[]): Buffer {
  const own = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    own.set(part, at);
    at += part.length;
  }
  return own;
}

/** None, the same for all. */
export const NO_BYTES = Buffer.alloc(0);

/** So many bytes from there on, fewer only where the file ends before. */
export function readExactly(file: LocalFile, position: number, bytes: number): Observable<Buffer> {
  if (bytes === 0) return of(NO_BYTES);
  const into = Buffer.allocUnsafeSlow(bytes);
  const more = (filled: number): Observable<Buffer> =>
    from(file.read(into.subarray(filled), position + filled)).pipe(
      switchMap((count) => {
        if (count === 0) return of(into.subarray(0, filled));
        return filled + count === bytes ? of(into) : more(filled + count);
      }),
    );
  return more(0);
}

/**
 * Marks of a file as it is read, of which one at or before the acked offset is to be kept: a mark must be of the bytes that were
 * read, not of what the file holds by then.
 *
 * Bounds: 32 marks; of more every other one is dropped.
 */
export class Marks {
  #marks: Mark[];

  constructor(first: Mark) {
    this.#marks = [first];
  }

  add(mark: Mark): void {
    if (mark.offset <= (this.#marks.at(-1) as Mark).offset) return;
    if (this.#marks.length >= 32) this.#marks = this.#marks.filter((_, at) => at % 2 === 0);
    this.#marks.push(mark);
  }

  /** The last one at or before the offset. Those before it are of no further use. */
  upTo(offset: number): Mark {
    while (this.#marks.length > 1 && (this.#marks[1] as Mark).offset <= offset) this.#marks.shift();
    return this.#marks[0] as Mark;
  }

  /** What lies behind is read again. */
  rewind(offset: number): void {
    this.#marks = this.#marks.filter((mark, at) => at === 0 || mark.offset <= offset);
  }
}

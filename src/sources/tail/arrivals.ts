import {
  catchError,
  concat,
  concatMap,
  defer,
  from,
  ignoreElements,
  map,
  mergeMap,
  type Observable,
  of,
  reduce,
  switchMap,
} from 'rxjs';
import { randomName } from '../../core/random-name.js';
import type { LineEnd } from '../../formats/lines.js';
import type { LocalFile, LocalFileStats } from '../../ports/local-files.js';
import type { FlumePosition } from './flume-positions.js';
import { type FileEntry, HEAD_BYTES, hashOf, isContentOf, MARK_BYTES, mayBe, readExactly } from './identity.js';
import type { PositionFile } from './position-file.js';
import { type FoundFile, fileKey } from './walk.js';

/** How many files are looked into at once. */
const CONCURRENCY = 8;
/** How far before the end of a file the beginning of its last line is looked for. */
const BACK_BYTES = 64 * 1024;

/** A file that is to be followed from now on. */
export interface Arrival {
  readonly entry: FileEntry;
  readonly stats: LocalFileStats;
  /** Its first bytes. */
  readonly head: Buffer;
  /** It is open still, where one more may be. */
  readonly handle: LocalFile | undefined;
  /** It was not known before, so the position file must know it before anything of it goes out. */
  readonly isNew: boolean;
}

/** What is learnt of files that were not followed. */
export interface ArrivalListener {
  /** What an entry says of this inode is no longer in it: it was cut, or belongs to another file now. */
  replaced(entry: FileEntry, path: string): void;
  /** It is read on where Flume has ended. */
  imported(position: FlumePosition, path: string): void;
  /** A position of Flume is not believed. */
  notImported(position: FlumePosition, why: string): void;
  unreadable(path: string, error: unknown): void;
}

/**
 * Finds out which files these are: one that an earlier run has read, or another. An empty file is neither until something is in it.
 *
 * Bounds: 8 files at once, the first 1 KiB of each.
 */
export function identify(
  open: (path: string) => Observable<LocalFile>,
  positions: PositionFile,
  found: readonly FoundFile[],
  options: {
    readonly name: string;
    readonly fromEnd: boolean;
    readonly lineEnd: LineEnd;
    /** Whether what is open now may stay open. */
    readonly mayKeep: () => boolean;
  },
  listener: ArrivalListener,
): Observable<readonly Arrival[]> {
  const one = ({ path, stats }: FoundFile): Observable<Arrival | undefined> =>
    open(path).pipe(
      switchMap((handle) => {
        const close$ = defer(() => from(handle.close())).pipe(
          ignoreElements(),
          catchError(() => of(undefined)),
          ignoreElements(),
        );
        return from(handle.stat()).pipe(
          switchMap((now) => {
            // The next look finds what is there by then.
            if (fileKey(now) !== fileKey(stats) || now.size === 0 || now.kind !== 'file') return of(undefined);
            return readExactly(handle, 0, Math.min(HEAD_BYTES, now.size)).pipe(
              switchMap((head) => arrivalOf({ path, stats: now }, handle, head)),
            );
          }),
          catchError((error: unknown) => {
            listener.unreadable(path, error);
            return of(undefined);
          }),
          switchMap((arrival) => {
            if (arrival !== undefined && options.mayKeep()) return of(arrival);
            return concat(close$, of(arrival && { ...arrival, handle: undefined }));
          }),
        );
      }),
      catchError((error: unknown) => {
        listener.unreadable(path, error);
        return of(undefined);
      }),
    );
  const arrivalOf = ({ path, stats }: FoundFile, handle: LocalFile, head: Buffer): Observable<Arrival | undefined> => {
    if (head.length === 0) return of(undefined);
    return known(path, stats, handle).pipe(
      switchMap((entry) => {
        if (entry !== undefined) return of({ entry: { ...entry, path }, stats, head, handle, isNew: false });
        return imported(path, stats, handle).pipe(
          switchMap((position) => {
            if (position !== undefined) return of(position);
            return options.fromEnd ? lastLineStart(handle, stats.size, options.lineEnd) : of(0);
          }),
          switchMap((offset) => markAt(handle, offset).pipe(map((mark) => ({ offset, mark })))),
          map(({ offset, mark }) => {
            const [dev, ino, birth] = [stats.dev, stats.ino, stats.birthtimeNs].map(String) as [string, string, string];
            const stream = `tail:${options.name}/${stats.ino.toString(36)}-${randomName()}`;
            const about = { bytes: head.length, hash: hashOf(head) };
            return {
              entry: { stream, path, dev, ino, birth, head: about, offset, mark },
              stats,
              head,
              handle,
              isNew: true,
            };
          }),
        );
      }),
    );
  };
  /** Where Flume has ended in this file. */
  const imported = (path: string, stats: LocalFileStats, handle: LocalFile): Observable<number | undefined> => {
    const position = positions.imports.of(stats);
    if (position === undefined) return of(undefined);
    const { pos } = position;
    return readExactly(handle, Math.max(0, pos - 1), Math.min(1, pos)).pipe(
      map(([before]) => {
        const whyNot = positions.imports.whyNot(position, path, stats, before);
        positions.imports.used(position);
        if (whyNot === undefined) listener.imported(position, path);
        else listener.notImported(position, `${path} has its inode, but ${whyNot}`);
        return whyNot === undefined ? pos : undefined;
      }),
    );
  };
  /** The entry of an earlier run that is of this file. */
  const known = (path: string, stats: LocalFileStats, handle: LocalFile): Observable<FileEntry | undefined> => {
    const candidates = [...positions.unseen].filter((entry) => mayBe(entry, stats));
    const onDevice = (entry: FileEntry) => (entry.dev === String(stats.dev) ? 0 : 1);
    candidates.sort((a, b) => onDevice(a) - onDevice(b));
    return from(candidates).pipe(
      concatMap((entry) =>
        isContentOf(entry, handle, stats.size, entry.offset).pipe(map((isSame) => ({ entry, isSame }))),
      ),
      reduce<{ entry: FileEntry; isSame: boolean }, FileEntry | undefined>((best, { entry, isSame }) => {
        if (!isSame) {
          if (onDevice(entry) === 0) {
            positions.take(entry);
            listener.replaced(entry, path);
          }
          return best;
        }
        if (best !== undefined) return best;
        positions.take(entry);
        return entry;
      }, undefined),
    );
  };
  return from(found).pipe(
    mergeMap(one, CONCURRENCY),
    reduce((arrivals, arrival) => {
      if (arrival !== undefined) arrivals.push(arrival);
      return arrivals;
    }, [] as Arrival[]),
  );
}

function markAt(handle: LocalFile, offset: number): Observable<FileEntry['mark']> {
  const start = Math.max(0, offset - MARK_BYTES);
  return readExactly(handle, start, offset - start).pipe(map((bytes) => ({ offset, hash: hashOf(bytes) })));
}

/** Where the line begins that the file ends in, or what comes next; the end where no line begins near it. */
function lastLineStart(handle: LocalFile, size: number, lineEnd: LineEnd): Observable<number> {
  const width = lineEnd === 'lf' ? 1 : 2;
  const end = size - (size % width);
  const back = Math.min(end, BACK_BYTES);
  const mark = lineEnd === 'utf-16be' ? [0, 0x0a] : lineEnd === 'utf-16le' ? [0x0a, 0] : [0x0a];
  return readExactly(handle, end - back, back).pipe(
    map((bytes) => {
      for (let at = bytes.length - width; at >= 0; at -= width) {
        if (mark.every((byte, n) => bytes[at + n] === byte)) return end - back + at + width;
      }
      return back === end ? 0 : end;
    }),
  );
}

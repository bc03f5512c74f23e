import {
  catchError,
  defer,
  from,
  map,
  type Observable,
  type ObservableInput,
  of,
  switchMap,
  take,
  tap,
  throwError,
  throwIfEmpty,
} from 'rxjs';
import { CommitError, ConnectError, describeError } from '../../core/errors.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { LocalFiles } from '../../ports/local-files.js';
import { FlumePositions, flumePositionsOf, type KeptImports } from './flume-positions.js';
import type { FileEntry } from './identity.js';

const VERSION = 1;
const WITHIN_MS = 60_000;
/** Entries of files that are no longer seen: with more of them the one that was seen least lately is forgotten. */
const MAX_UNSEEN = 10_000;

/**
 * Which files a source knows, and how far each is acked, between two runs. Written whole, and in one step.
 *
 * Bounds: an entry for each file that is followed, and 10,000 of files that are not seen any more, some 300 bytes each.
 * Fails: `RXF_TAIL_POSITION`.
 */
export class PositionFile {
  readonly #files: LocalFiles;
  readonly #path: string;
  readonly #importPath: string | undefined;
  /** Of files that are not followed now; in the order in which they were last. */
  readonly #unseen = new Map<string, FileEntry>();
  /** What is known to be written. */
  #written = '';
  /** There was none when it was first read. */
  isNew = false;
  /** What Flume has read. */
  imports = new FlumePositions();

  /** `importPath`: Flume's position file, which is read where there is none of the source's own yet. */
  constructor(files: LocalFiles, path: string, importPath?: string) {
    this.#files = files;
    this.#path = path;
    this.#importPath = importPath;
  }

  /** Reads what an earlier run has left. */
  load(): Observable<unknown> {
    return this.#read(this.#path, (path) => this.#files.readWhole(path)).pipe(
      switchMap((bytes) => {
        this.isNew = bytes === null;
        if (bytes === null) return this.#import();
        const { files, imported } = contentOf(bytes, this.#path);
        for (const entry of files) this.#unseen.set(entry.stream, entry);
        this.imports = new FlumePositions(imported);
        return of(undefined);
      }),
    );
  }

  #import(): Observable<unknown> {
    const path = this.#importPath;
    if (path === undefined) return of(undefined);
    return this.#read(path, () => this.#files.readWhole(path)).pipe(
      map((bytes) => flumePositionsOf(bytes, path)),
      switchMap((positions) =>
        this.#read(path, () => this.#files.stat(path)).pipe(
          map(({ mtimeNs }) => {
            this.imports = new FlumePositions({ writtenNs: String(mtimeNs), positions });
          }),
        ),
      ),
    );
  }

  #read<T>(path: string, ask: (path: string) => ObservableInput<T>): Observable<T> {
    return guarded(
      () => ask(path),
      WITHIN_MS,
      () => new Error(`no answer within ${WITHIN_MS} ms`),
    ).pipe(
      take(1),
      throwIfEmpty(() => new Error('no answer')),
      catchError((cause: unknown) =>
        throwError(() => {
          const why = `Cannot read the position file ${path}: ${describeError(cause)}.`;
          return new ConnectError('RXF_TAIL_RESUME', `${why} Nothing was read; it can be tried again.`, { cause });
        }),
      ),
    );
  }

  get unseen(): Iterable<FileEntry> {
    return this.#unseen.values();
  }

  /** The entry's file is followed again, or is known to hold another one. */
  take(entry: FileEntry): void {
    this.#unseen.delete(entry.stream);
  }

  /** The file is not followed any more; it may come back. */
  leave(entry: FileEntry): void {
    this.#unseen.delete(entry.stream);
    this.#unseen.set(entry.stream, entry);
    const [oldest] = this.#unseen.keys();
    if (this.#unseen.size > MAX_UNSEEN && oldest !== undefined) this.#unseen.delete(oldest);
  }

  /** Writes these entries and those of unseen files. Done when they are durable; nothing is done where all of it is already. */
  save(followed: Iterable<FileEntry>): Observable<unknown> {
    return defer(() => {
      const lines = [...followed, ...this.#unseen.values()].map((entry) => JSON.stringify(entry));
      const { kept } = this.imports;
      const imported = kept === undefined ? '' : `,"imported":${JSON.stringify(kept)}`;
      const text = `{"version":${VERSION},"files":[\n${lines.join(',\n')}\n]${imported}}\n`;
      if (text === this.#written) return from([undefined]);
      return guarded(
        () => this.#files.replace(this.#path, Buffer.from(text)),
        WITHIN_MS,
        () => new Error(`no answer within ${WITHIN_MS} ms`),
      ).pipe(
        tap({
          complete: () => {
            this.#written = text;
          },
        }),
      );
    }).pipe(
      catchError((cause: unknown) =>
        throwError(
          () =>
            new CommitError(
              'RXF_TAIL_POSITION',
              `Cannot write the position file ${this.#path}: ${describeError(cause)}. Give this user the right to write in its ` +
                'folder, and see that the disk has room.',
              { cause },
            ),
        ),
      ),
    );
  }
}

interface Content {
  readonly files: readonly FileEntry[];
  readonly imported?: KeptImports;
}

function contentOf(bytes: Uint8Array, path: string): Content {
  try {
    const read = JSON.parse(Buffer.from(bytes).toString()) as { readonly version?: unknown } & Partial<Content>;
    if (read?.version !== VERSION) throw new Error(`its version is ${String(read?.version)}, known is ${VERSION}`);
    if (!Array.isArray(read.files) || !read.files.every(isEntry)) throw new Error('an entry of it lacks something');
    return { files: read.files, ...(read.imported !== undefined && { imported: read.imported }) };
  } catch (cause) {
    throw new ConnectError(
      'RXF_TAIL_DAMAGED',
      `The position file ${path} cannot be used: ${describeError(cause)}. Nothing was read. Restore it; without it, what the files hold ` +
        'is read again from where `startAt` says.',
      { cause, details: { path } },
    );
  }
}

function isEntry(entry: unknown): entry is FileEntry {
  const { stream, path, dev, ino, birth, head, offset, mark } = (entry ?? {}) as Partial<FileEntry>;
  const areTexts = [stream, path, dev, ino, birth, head?.hash, mark?.hash].every((text) => typeof text === 'string');
  return (
    areTexts &&
    [offset, head?.bytes, mark?.offset].every((number) => Number.isSafeInteger(number) && Number(number) >= 0)
  );
}

import {
  catchError,
  concat,
  concatMap,
  defer,
  ignoreElements,
  map,
  type Observable,
  of,
  Subscription,
  tap,
  throwError,
  timer,
} from 'rxjs';
import { monotonicMs } from '../../core/clock.js';
import { ConnectError, describeError, isRetryable } from '../../core/errors.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { LocalFile, LocalFiles } from '../../ports/local-files.js';
import { type Arrival, identify } from './arrivals.js';
import type { FileEntry } from './identity.js';
import type { CheckedOptions } from './options.js';
import type { PositionFile } from './position-file.js';
import type { TailedFile } from './tailed-file.js';
import type { Troubles } from './troubles.js';
import { type FoundFile, fileKey, type Walk, Walker } from './walk.js';

/** Why a file is no longer followed. */
export type Leaving = 'finished' | 'rewritten' | 'vanished';

/** What the session does with the files that are found. */
export interface FollowingListener {
  readonly isTaking: boolean;
  /** How many of the files that are followed are open. */
  readonly openFiles: number;
  /** Writes the position file, with these entries besides those of the files that are followed. */
  saved(arrivals: readonly FileEntry[]): Observable<unknown>;
  arrived(arrival: Arrival, resumePoint: ResumePoint | undefined): TailedFile;
  /** The path leads to it still; there may be something to read. */
  grown(file: TailedFile): void;
  /** It is not followed any more. */
  left(file: TailedFile, why: Leaving): void;
  failed(error: unknown): void;
}

/**
 * Which files are followed: those that the paths lead to, and those that they led to until their end is read. Looks for others every
 * `scanIntervalMs`.
 *
 * Bounds: `maxFiles` files that a path leads to; each look begins `scanIntervalMs` after the end of the one before.
 */
export class Following {
  readonly #files: LocalFiles;
  readonly #options: CheckedOptions;
  readonly #positions: PositionFile;
  readonly #troubles: Troubles;
  readonly #listener: FollowingListener;
  readonly #walker: Walker;
  readonly #byKey = new Map<string, TailedFile>();
  /** Opened to see which files they are. */
  readonly #lookedInto = new Set<LocalFile>();
  readonly #life = new Subscription();
  #looking = Subscription.EMPTY;
  #looks = 0;
  #isFirst = true;
  /** The next look has not begun. */
  #isWaiting = false;
  #isAgain = false;

  constructor(
    files: LocalFiles,
    options: CheckedOptions,
    positions: PositionFile,
    troubles: Troubles,
    listener: FollowingListener,
  ) {
    this.#files = files;
    this.#options = options;
    this.#positions = positions;
    this.#troubles = troubles;
    this.#listener = listener;
    this.#walker = new Walker(files, options.paths, options.exclude, options.maxFiles);
  }

  get files(): Iterable<TailedFile> {
    return this.#byKey.values();
  }

  get count(): number {
    return this.#byKey.size;
  }

  start(): void {
    this.#look(0);
  }

  /** Looks again at once, or after the look that is under way. */
  lookSoon(): void {
    this.#isAgain = true;
    if (this.#isWaiting && this.#listener.isTaking) this.#look(0);
  }

  /** Follows a file no longer. */
  leave(file: TailedFile, why: Leaving): void {
    if (this.#byKey.get(file.key) === file) this.#byKey.delete(file.key);
    if (file.isOver) return;
    file.isOver = true;
    // What was cut is never to be resumed, and what has no name left never comes back.
    if (why !== 'rewritten' && !file.isDeleted) this.#positions.leave(file.entry);
    this.#listener.left(file, why);
  }

  end(): void {
    this.#life.unsubscribe();
    this.#looking.unsubscribe();
    for (const handle of this.#lookedInto) defer(() => handle.close()).subscribe({ error: () => undefined });
    this.#lookedInto.clear();
  }

  #look(afterMs: number): void {
    this.#isWaiting = true;
    this.#looks += 1;
    const look = this.#looks;
    // One that is overtaken by `lookSoon` ends by itself.
    this.#life.add(timer(afterMs).subscribe(() => (look === this.#looks ? this.#walk() : undefined)));
  }

  #walk(): void {
    this.#isWaiting = false;
    this.#isAgain = false;
    const walk$ = this.#walker.walk().pipe(concatMap((walk) => this.#saw(walk)));
    this.#looking = walk$.subscribe({
      error: (error: unknown) => this.#listener.failed(error),
      complete: () => {
        if (this.#listener.isTaking) this.#look(this.#isAgain ? 0 : this.#options.scanIntervalMs);
      },
    });
  }

  #saw({ found, unreadable, beyond }: Walk): Observable<unknown> {
    const now = monotonicMs();
    this.#troubles.scanned(unreadable, beyond, this.#options.maxFiles);
    const seen = new Set<TailedFile>();
    const unknown: FoundFile[] = [];
    for (const one of found) {
      const file = this.#byKey.get(fileKey(one.stats));
      if (file === undefined) unknown.push(one);
      else if (file.isOf(one.stats)) {
        seen.add(file);
        this.#seen(file, one, now);
      } else {
        this.leave(file, 'vanished');
        unknown.push(one);
      }
    }
    const missing = [...this.#byKey.values()].filter((file) => !seen.has(file));
    const strangers = unknown.filter((one) => !this.#isMounted(one, missing));
    for (const file of missing) {
      const isHidden = unreadable.some(({ path }) => file.path.startsWith(`${path}/`) || file.path === path);
      if (file.isOver || seen.has(file) || isHidden) continue;
      file.goneSince ??= now;
      // A file that is renamed while the folder is read may be in none of its names.
      if (file.handle === undefined && now - file.goneSince >= this.#options.scanIntervalMs)
        this.leave(file, 'vanished');
      else this.#listener.grown(file);
    }
    if (this.#isFirst) this.#forgetImports(found, unreadable);
    return this.#arrive(strangers);
  }

  #seen(file: TailedFile, { path, stats }: FoundFile, now: number): void {
    file.path = path;
    file.goneSince = undefined;
    const isDue = file.position < stats.size && file.atEnd(now) !== 'nothing';
    if (file.handle === undefined && (file.hasNews(stats) || isDue)) this.#listener.grown(file);
  }

  /** Whether it is a file that is missing, on a file system that has another device now. */
  #isMounted({ path, stats }: FoundFile, missing: TailedFile[]): boolean {
    const at = missing.findIndex((file) => !file.isOver && file.isLike(stats) && file.path === path);
    const [file] = at < 0 ? [] : missing.splice(at, 1);
    if (file === undefined) return false;
    this.#byKey.delete(file.key);
    file.movedTo(stats);
    this.#byKey.set(file.key, file);
    this.#listener.grown(file);
    return true;
  }

  #arrive(found: readonly FoundFile[]): Observable<unknown> {
    const { name, lineEnd, startAt } = this.#options;
    const fromEnd = startAt === 'end' && this.#isFirst && this.#positions.isNew;
    this.#isFirst = false;
    if (found.length === 0) return of(undefined);
    const open = (path: string) => defer(() => this.#files.open(path)).pipe(map((handle) => this.#watched(handle)));
    const mayKeep = () => this.#listener.openFiles + this.#lookedInto.size <= this.#options.maxOpenFiles;
    const about = { name: name ?? this.#files.host, fromEnd, lineEnd, mayKeep };
    return identify(open, this.#positions, found, about, this.#troubles).pipe(
      concatMap((arrivals) => {
        if (arrivals.length === 0) return of(undefined);
        const isNew = arrivals.some((arrival) => arrival.isNew);
        const entries = arrivals.map(({ entry }) => entry);
        // A stream whose name a crash would forget would be read again under another.
        const known$ = isNew ? this.#listener.saved(entries) : of(undefined);
        return concat(
          known$.pipe(ignoreElements()),
          resumePoints(
            this.#options,
            entries.map(({ stream }) => stream),
          ),
        ).pipe(
          tap((resumePoints) => {
            if (!this.#listener.isTaking) return;
            arrivals.forEach((arrival, at) => {
              if (arrival.handle !== undefined) this.#lookedInto.delete(arrival.handle);
              const file = this.#listener.arrived(arrival, resumePoints[at]);
              this.#byKey.set(file.key, file);
              this.#troubles.readable(file.path);
              this.#listener.grown(file);
            });
          }),
        );
      }),
    );
  }

  /** Positions of Flume whose files are gone. What cannot be looked into may hold some. */
  #forgetImports(found: readonly FoundFile[], unreadable: Walk['unreadable']): void {
    const inodes = new Set(found.map(({ stats }) => String(stats.ino)));
    const isHidden = (file: string) => unreadable.some(({ path }) => file === path || file.startsWith(`${path}/`));
    const why =
      'no file that matches `paths` has its inode: it was removed, compressed, or copied, or `paths` leaves it out';
    for (const position of this.#positions.imports.keepOf(inodes, isHidden)) this.#troubles.notImported(position, why);
  }

  #watched(handle: LocalFile): LocalFile {
    const watched: LocalFile = {
      stat: () => handle.stat(),
      read: (into, position) => handle.read(into, position),
      close: () => {
        this.#lookedInto.delete(watched);
        return handle.close();
      },
    };
    this.#lookedInto.add(watched);
    return watched;
  }
}

/** Where the ledger says to resume each stream, in their order; without one, undefined. Fails: `RXF_TAIL_RESUME`. */
export function resumePoints(
  { resumeFrom, monitor }: CheckedOptions,
  streams: readonly string[],
): Observable<readonly (ResumePoint | undefined)[]> {
  if (resumeFrom === undefined) return of(streams.map(() => undefined));
  const slow = (message: string) => monitor.logEvent('warn', 'RXF_TAIL_RESUME', message);
  return lookUpOffsets(() => resumeFrom(streams), streams, 'RXF_TAIL_RESUME', slow).pipe(
    map((lookup) => streams.map((stream) => ({ resumeFrom, lookup, start: lookup.get(stream) }))),
    catchError((cause: unknown) =>
      throwError(
        () =>
          new ConnectError(
            'RXF_TAIL_RESUME',
            `Cannot learn where to resume ${streams.length} files: ${describeError(cause)}. Nothing of them was read; the subscription can ` +
              'be tried again.',
            { cause, retryable: isRetryable(cause) },
          ),
      ),
    ),
  );
}

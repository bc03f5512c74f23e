import { EMPTY, from, map, type Observable, of, type Subscriber, Subscription, switchMap, take, timer } from 'rxjs';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs } from '../../core/clock.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Line } from '../../formats/lines.js';
import type { LocalFile, LocalFileStats } from '../../ports/local-files.js';
import type { Descriptors } from './descriptors.js';
import { isContentOf, readExactly } from './identity.js';
import type { CheckedOptions } from './options.js';
import type { TailedFile } from './tailed-file.js';

/** How many files are read at the same time. */
const MAX_TURNS = 4;

/** What reading tells the session. */
export interface ReadingListener {
  /** Whether values may go out, the window aside. */
  readonly mayEmit: boolean;
  /** A value goes out. */
  taken(file: TailedFile, line: Line): Delivery<Buffer> | undefined;
  /** The file does not hold any more what was read of it. */
  rewritten(file: TailedFile): void;
  /** Its descriptor, or what its path leads to, cannot be read. */
  unreadable(file: TailedFile, error: unknown): void;
  /** A file was read to its end, which has not grown since the turn before. */
  idle(file: TailedFile, now: number): void;
  /** Values went out, or could not. */
  emitted(): void;
}

interface Turn {
  readonly file: TailedFile;
  readonly reading: Subscription;
  stats: LocalFileStats | undefined;
}

/**
 * Reads the files that have grown, in turns of at most a chunk each: who had a turn goes behind all others that wait for one.
 *
 * Bounds: four chunks, of 256 KiB or of a longer line; `maxOpenFiles` descriptors: who had no turn for longest is closed for another,
 * but not those that no path leads to.
 */
export class Reading {
  readonly #descriptors: Descriptors;
  readonly #options: CheckedOptions;
  readonly #window: InFlightWindow;
  readonly #out: Subscriber<Delivery<Buffer>>;
  readonly #listener: ReadingListener;
  /** Who waits for a turn, in order. */
  readonly #ready = new Set<TailedFile>();
  readonly #turns = new Map<TailedFile, Turn>();
  /** Whose chunk is given, in order. */
  readonly #giving: Turn[] = [];
  /** Open files that do not grow. */
  readonly #idle = new Set<TailedFile>();
  #ticking = Subscription.EMPTY;
  #count = 0;
  #isEmitting = false;
  #isBeginning = false;

  constructor(
    descriptors: Descriptors,
    options: CheckedOptions,
    window: InFlightWindow,
    out: Subscriber<Delivery<Buffer>>,
    listener: ReadingListener,
  ) {
    this.#descriptors = descriptors;
    this.#options = options;
    this.#window = window;
    this.#out = out;
    this.#listener = listener;
  }

  start(): void {
    const { pollIntervalMs } = this.#options;
    this.#ticking = timer(pollIntervalMs, pollIntervalMs).subscribe(() => this.#tick());
  }

  /** How many files wait for a turn, or have one. */
  get waiting(): number {
    return this.#ready.size + this.#turns.size;
  }

  /** The file may have grown. */
  wake(file: TailedFile): void {
    if (file.isOver || file.isHeld || this.#turns.has(file)) return;
    this.#idle.delete(file);
    this.#ready.add(file);
    this.#begin();
  }

  /** Ends its turn, and gives up what was read of it and did not go out. */
  stop(file: TailedFile): void {
    this.#ready.delete(file);
    this.#idle.delete(file);
    const turn = this.#turns.get(file);
    if (turn === undefined) return;
    this.#turns.delete(file);
    const at = this.#giving.indexOf(turn);
    if (at >= 0) this.#giving.splice(at, 1);
    turn.reading.unsubscribe();
    file.dropTurn();
  }

  /** Gives all up, and closes what is open. */
  end(): void {
    this.#ticking.unsubscribe();
    for (const file of [...this.#turns.keys()]) this.stop(file);
    this.#descriptors.end();
    this.#ready.clear();
    this.#idle.clear();
  }

  /** Gives what was read while there is room, and reads on. */
  emit(): void {
    if (this.#isEmitting) return;
    this.#isEmitting = true;
    for (let turn = this.#giving[0]; turn !== undefined && this.#hasRoom; turn = this.#giving[0]) {
      const line = turn.file.next();
      if (line === undefined) {
        this.#giving.shift();
        this.#endTurn(turn);
        continue;
      }
      const delivery = this.#listener.taken(turn.file, line);
      if (delivery !== undefined) this.#out.next(delivery);
    }
    this.#isEmitting = false;
    this.#begin();
    this.#listener.emitted();
  }

  get #hasRoom(): boolean {
    return this.#listener.mayEmit && !this.#window.isFull;
  }

  #begin(): void {
    if (this.#isBeginning) return;
    this.#isBeginning = true;
    for (const file of this.#ready) {
      if (!this.#hasRoom || this.#turns.size >= MAX_TURNS) break;
      if (file.handle === undefined && !this.#makeRoom()) continue;
      this.#ready.delete(file);
      this.#beginTurn(file);
    }
    this.#isBeginning = false;
  }

  /** Whether another file may be opened, if need be instead of one that has no turn. */
  #makeRoom(): boolean {
    const isClosed = (file: TailedFile) => {
      if (this.#turns.has(file)) return false;
      this.#idle.delete(file);
      return true;
    };
    return this.#descriptors.makeRoom(isClosed);
  }

  #beginTurn(file: TailedFile): void {
    this.#count += 1;
    file.turn = this.#count;
    const reading = new Subscription();
    const turn: Turn = { file, reading, stats: undefined };
    this.#turns.set(file, turn);
    const read$ = this.#descriptors.opened(file).pipe(
      take(1),
      switchMap((handle) => this.#read(turn, handle)),
    );
    reading.add(
      read$.subscribe({
        next: (outcome) => {
          if (outcome === 'rewritten') this.#listener.rewritten(file);
          else if (outcome === 'read') {
            this.#giving.push(turn);
            this.emit();
          } else {
            this.#turns.delete(file);
            this.#rest(file);
            this.#begin();
          }
        },
        error: (error: unknown) => {
          this.stop(file);
          this.#descriptors.close(file);
          this.#listener.unreadable(file, error);
          this.#begin();
        },
      }),
    );
  }

  #read(turn: Turn, handle: LocalFile): Observable<'read' | 'nothing' | 'rewritten'> {
    const { file } = turn;
    return from(handle.stat()).pipe(
      switchMap((stats) => {
        // The path leads to another file by now; where this one is, the next look into the folder tells.
        if (!file.isOf(stats)) {
          this.stop(file);
          this.#descriptors.close(file);
          return EMPTY;
        }
        turn.stats = stats;
        file.isDeleted = stats.nlink === 0;
        const now = monotonicMs();
        if (stats.size > file.endSeen) {
          file.grewAt = now;
          file.waitMs = this.#options.pollIntervalMs;
        }
        if (stats.size < file.readAt) return of('rewritten' as const);
        const sure$ = file.isUnsure ? isContentOf(file.entry, handle, stats.size, file.position) : of(true);
        return sure$.pipe(
          switchMap((isSure) => (isSure ? this.#chunk(turn, handle, stats, now) : of('rewritten' as const))),
        );
      }),
    );
  }

  #chunk(
    { file }: Turn,
    handle: LocalFile,
    stats: LocalFileStats,
    now: number,
  ): Observable<'read' | 'nothing' | 'rewritten'> {
    const atEnd = file.atEnd(now);
    if (!file.hasNews(stats) && (atEnd === 'nothing' || file.position === stats.size)) return of('nothing');
    const { from: start, bytes } = file.range(stats.size);
    return readExactly(handle, start, bytes).pipe(
      map((read) => {
        const isWhole = start + read.length >= stats.size;
        return file.take(read, start, isWhole ? atEnd : 'nothing') ? 'read' : 'rewritten';
      }),
    );
  }

  #endTurn(turn: Turn): void {
    const { file, stats } = turn;
    this.#turns.delete(file);
    if (stats === undefined) return;
    const isAtEnd = file.readAt >= stats.size;
    file.endTurn(isAtEnd, stats);
    if (isAtEnd) this.#rest(file);
    else this.#ready.add(file);
    this.#begin();
  }

  #rest(file: TailedFile): void {
    const now = monotonicMs();
    file.dueAt = now + file.waitMs;
    file.waitMs = Math.min(file.waitMs * 2, Math.max(this.#options.scanIntervalMs, this.#options.pollIntervalMs));
    this.#idle.add(file);
    this.#listener.idle(file, now);
  }

  #tick(): void {
    const now = monotonicMs();
    for (const file of this.#idle) {
      if (file.dueAt <= now && file.handle !== undefined) {
        this.#idle.delete(file);
        this.#ready.add(file);
      }
    }
    this.#begin();
  }
}

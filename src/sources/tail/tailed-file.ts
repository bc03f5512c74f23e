import { monotonicMs } from '../../core/clock.js';
import { LineGroups } from '../../formats/line-groups.js';
import { type Line, LineSplitter } from '../../formats/lines.js';
import type { LocalFile, LocalFileStats } from '../../ports/local-files.js';
import type { FileStream } from './file-stream.js';
import { type FileEntry, HEAD_BYTES, hashOf, MARK_BYTES, Marks, NO_BYTES, ownBytes } from './identity.js';
import type { CheckedOptions } from './options.js';
import { fileKey } from './walk.js';

/** How much is read of a file in one turn, where its lines are shorter. */
const TURN_BYTES = 256 * 1024;

/** What is given of a file that has been read to its end and does not grow: nothing, the lines that are whole, or all of it. */
export type AtEnd = 'nothing' | 'lines' | 'all';

/**
 * One file that is followed, whatever its name: how far it is read, and the lines of the chunk that was read last. Between two turns it
 * keeps no bytes but the few that tell whether the file is still the same, unless a line is longer than any chunk.
 */
export class TailedFile {
  readonly #options: CheckedOptions;
  readonly #lines: LineSplitter;
  readonly #groups: LineGroups | undefined;
  readonly #marks: Marks;
  readonly #birth: string;
  #dev: bigint;
  readonly #ino: bigint;
  /** The file's beginning, as far as it is known, up to 1 KiB. */
  #head: Buffer;
  path: string;
  /** The acker of what is out; undefined from a nack until it is read again. */
  stream: FileStream;
  handle: LocalFile | undefined;
  /** When its last turn began, by the session's count of turns: who had none for longest gives up its descriptor first. */
  turn = 0;
  /** Where the next value begins. */
  position: number;
  /** The next byte to read; behind `position` only within a turn, or within a line that is longer than a chunk. */
  #readAt: number;
  /** The bytes before `#readAt`; undefined where they were not read in this run. */
  #before: Buffer | undefined;
  /** The chunk of this turn, and where it begins in the file. */
  #chunk: Buffer = NO_BYTES;
  #chunkFrom = 0;
  #turnBytes = TURN_BYTES;
  #given = 0;
  #atEnd: AtEnd = 'nothing';
  /** How far the file went, and when it was written, when it was last read to its end. */
  endSeen = -1;
  #mtimeSeen = -1n;
  grewAt = monotonicMs();
  /** The wait before it is looked at again, while it does not grow. */
  waitMs: number;
  dueAt = 0;
  /** Since when no path leads to it. */
  goneSince: number | undefined;
  /** It has no name any more. */
  isDeleted = false;
  /** Waits to be read again after a nack. */
  isHeld = false;
  /** Its content is gone, or all of it is read: nothing of it is read any more. */
  isOver = false;

  constructor(entry: FileEntry, stats: LocalFileStats, head: Buffer, stream: FileStream, options: CheckedOptions) {
    const { lineEnd, maxRecordBytes: maxBytes, multiline } = options;
    this.#options = options;
    const tooLong = ({ error: 'stop', cut: 'cut', deadLetter: 'shorten' } as const)[options.tooLong];
    this.#lines = new LineSplitter({ lineEnd, maxBytes, tooLong });
    if (multiline !== undefined) {
      const { maxLines } = multiline;
      this.#groups = new LineGroups({ isStart: isStartOf(options), lineEnd, maxLines, maxBytes });
    }
    this.#marks = new Marks(entry.mark);
    this.#birth = entry.birth;
    this.#dev = stats.dev;
    this.#ino = stats.ino;
    this.#head = head;
    this.path = entry.path;
    this.stream = stream;
    this.position = stream.watermark.offset;
    this.#readAt = this.position;
    if (this.position === 0) this.#before = NO_BYTES;
    this.waitMs = options.pollIntervalMs;
  }

  get key(): string {
    return fileKey({ dev: this.#dev, ino: this.#ino });
  }

  /** What is to be known of it in the next run. */
  get entry(): FileEntry {
    const { offset } = this.stream.watermark;
    return {
      stream: this.stream.stream,
      path: this.path,
      dev: String(this.#dev),
      ino: String(this.#ino),
      birth: this.#birth,
      head: { bytes: this.#head.length, hash: hashOf(this.#head) },
      offset,
      mark: this.#marks.upTo(offset),
    };
  }

  /** Whether what was read of it must first be compared with what it holds. */
  get isUnsure(): boolean {
    return this.#before === undefined;
  }

  get readAt(): number {
    return this.#readAt;
  }

  /** Whether these facts are of this very file. */
  isOf({ dev, ino, birthtimeNs }: LocalFileStats): boolean {
    return dev === this.#dev && this.isLike({ ino, birthtimeNs });
  }

  /** The same but for the device. */
  isLike({ ino, birthtimeNs }: Pick<LocalFileStats, 'ino' | 'birthtimeNs'>): boolean {
    return ino === this.#ino && (birthtimeNs === 0n || this.#birth === '0' || this.#birth === String(birthtimeNs));
  }

  /** Its file system was mounted again. */
  movedTo({ dev }: LocalFileStats): void {
    this.#dev = dev;
    this.#before = undefined;
  }

  /** Whether there is something to read, as far as these facts tell. */
  hasNews({ size, mtimeNs }: LocalFileStats): boolean {
    return size !== this.endSeen || mtimeNs !== this.#mtimeSeen;
  }

  /** Reading begins again there, in a new epoch. */
  begin(stream: FileStream): void {
    this.stream = stream;
    this.#marks.rewind(stream.watermark.offset);
    this.position = stream.watermark.offset;
    this.#readAt = this.position;
    this.#before = undefined;
    this.endSeen = -1;
    this.isHeld = false;
    this.#forgetLines();
  }

  // One turn.

  /** What is to be given, once the file is read to its end, though more may come: by how long it has not grown. */
  atEnd(now: number): AtEnd {
    const { multiline, lastLine, idleMs, goneAfterMs } = this.#options;
    const quietMs = now - this.grewAt;
    const isLeft = this.goneSince !== undefined && now - this.goneSince >= goneAfterMs && quietMs >= goneAfterMs;
    if (isLeft || (lastLine === 'deliver' && quietMs >= idleMs)) return 'all';
    return multiline !== undefined && quietMs >= multiline.maxWaitMs ? 'lines' : 'nothing';
  }

  /** The part of the file to read now: with what was read just before it, to be compared. */
  range(size: number): { readonly from: number; readonly bytes: number } {
    const from = this.#readAt - (this.#before?.length ?? Math.min(MARK_BYTES, this.#readAt));
    return { from, bytes: Math.max(0, Math.min(size - from, this.#readAt - from + this.#turnBytes)) };
  }

  /** Takes what was read from there; false where the file no longer holds what was read before. */
  take(bytes: Buffer, from: number, atEnd: AtEnd): boolean {
    const known = this.#readAt - from;
    if (bytes.length < known) return false;
    if (this.#before !== undefined && !this.#before.equals(bytes.subarray(0, known))) return false;
    const fresh = bytes.subarray(known);
    if (this.#head.length < HEAD_BYTES && this.#readAt <= this.#head.length) {
      const more = fresh.subarray(this.#head.length - this.#readAt, HEAD_BYTES - this.#readAt);
      if (more.length > 0) this.#head = ownBytes(this.#head, more);
    }
    this.#chunk = bytes;
    this.#chunkFrom = from;
    this.#readAt += fresh.length;
    this.#given = 0;
    this.#atEnd = atEnd;
    this.#lines.push(fresh);
    return true;
  }

  /** The next value of what was read. */
  next(): Line | undefined {
    for (;;) {
      let line = this.#lines.next();
      if (line === undefined && this.#atEnd === 'all') line = this.#lines.end();
      if (line === undefined) return this.#atEnd === 'nothing' ? undefined : this.#groups?.flush();
      const done = this.#groups === undefined ? line : this.#groups.add(line);
      if (done !== undefined) return done;
    }
  }

  /** A value was given. */
  passed(size: number): void {
    this.position += size;
    this.#given += 1;
  }

  /** The turn is over; `isAtEnd`: the file had no more. What is of no value yet is read again in the next one. */
  endTurn(isAtEnd: boolean, { size, mtimeNs }: LocalFileStats): void {
    const { maxRecordBytes } = this.#options;
    const most = 2 * maxRecordBytes + MARK_BYTES;
    const isWithinLine = !isAtEnd && this.#given === 0 && this.#turnBytes >= most;
    if (!isAtEnd && this.#given === 0) this.#turnBytes = Math.min(most, this.#turnBytes * 2);
    else this.#turnBytes = TURN_BYTES;
    if (isAtEnd) {
      this.endSeen = size;
      this.#mtimeSeen = mtimeNs;
    }
    if (!isWithinLine) {
      this.#readAt = this.position;
      this.#forgetLines();
    }
    const end = this.#readAt - this.#chunkFrom;
    // The line began before this chunk, and is to be read again.
    if (end < 0) this.#before = undefined;
    else {
      this.#before = ownBytes(this.#chunk.subarray(Math.max(0, end - MARK_BYTES), end));
      if (!isWithinLine) this.#marks.add({ offset: this.position, hash: hashOf(this.#before) });
    }
    this.#chunk = NO_BYTES;
  }

  /** Gives the chunk of a turn up. */
  dropTurn(): void {
    this.#readAt = this.position;
    this.#before = undefined;
    this.#chunk = NO_BYTES;
    this.#forgetLines();
  }

  #forgetLines(): void {
    this.#lines.reset();
    this.#groups?.reset();
  }
}

function isStartOf({ multiline, lineEnd }: CheckedOptions): ((line: Buffer) => boolean) | undefined {
  const start = multiline?.start;
  if (start === undefined) return undefined;
  // With the flag g or y, a pattern remembers where it was.
  const pattern = new RegExp(start.source, start.flags.replace(/[gy]/g, ''));
  if (lineEnd === 'lf') return (line) => pattern.test(line.toString());
  if (lineEnd === 'utf-16le') return (line) => pattern.test(line.toString('utf16le'));
  return (line) => pattern.test(Buffer.from(line).swap16().toString('utf16le'));
}

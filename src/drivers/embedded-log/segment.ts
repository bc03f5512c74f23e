import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describeError, SinkError } from '../../core/errors.js';
import { MiB } from '../../core/units.js';
import { damaged, readFully } from './durable-file.js';
import { bodyLength, decodeFrame, encodeFrames, frameBytes, HEAD_BYTES, type NewRecord } from './record-format.js';
import { recover } from './recover.js';
import { INDEX_GAP_BYTES, type SparseIndex } from './sparse-index.js';

/** The most that one write takes of the appends that wait; a larger single append is written alone. */
const MAX_WRITE_BYTES = 4 * MiB;

export interface SegmentRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

interface Waiting {
  readonly frames: Buffer;
  readonly sizes: readonly number[];
  readonly done: (first: number) => void;
  readonly failed: (cause: SinkError) => void;
}

/**
 * One partition's file: records in, at its end, durable when answered; records out, from any offset.
 *
 * Bounds: appends wait with their bytes until they are durable; a read takes `maxBytes`, or one larger record.
 * Fails: `RXF_SINK_WRITE` when the disk rejects an append, and all later ones until the log is opened again, since what
 * a failed write left behind is only known after reading the file anew; `RXF_KAFKA_PROTOCOL` on damage.
 */
export class Segment {
  readonly file: string;
  /** How many bytes opening it cut off. */
  readonly cutBytes: number;
  readonly #handle: FileHandle;
  readonly #index: SparseIndex;
  readonly #appended: () => void;
  #count: number;
  #end: number;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #rejection: SinkError | undefined;
  #lastRead = { offset: -1, position: -1 };

  private constructor(
    file: string,
    handle: FileHandle,
    found: { count: number; end: number; index: SparseIndex; cutBytes: number },
    appended: () => void,
  ) {
    this.file = file;
    this.cutBytes = found.cutBytes;
    this.#handle = handle;
    this.#index = found.index;
    this.#count = found.count;
    this.#end = found.end;
    this.#appended = appended;
  }

  /** Opens a file that is there, and recovers it; `appended` is called when records have become durable. */
  static async open(file: string, appended: () => void): Promise<Segment> {
    const handle = await open(file, constants.O_RDWR);
    try {
      return new Segment(file, handle, await recover(handle, file), appended);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The offset of the next record to come: how many are durable. */
  get next(): number {
    return this.#count;
  }

  /** Answers with the first record's offset, when all of them are durable: all or, after a crash, none. */
  append(records: readonly NewRecord[], timestamp: number): Promise<number> {
    const frames = encodeFrames(records, timestamp);
    return new Promise((done, failed) => {
      this.#waiting.push({ frames, sizes: records.map(frameBytes), done, failed });
      this.#writing ??= this.#writeAll();
    });
  }

  /** The records from `offset` on, at least one and otherwise at most `mostBytes` of file; none at the end. */
  async read(offset: number, mostBytes: number): Promise<SegmentRecord[]> {
    if (offset >= this.#count) return [];
    const end = this.#end;
    const start = await this.#positionOf(offset);
    const head = await readFully(this.#handle, start, HEAD_BYTES);
    const first = HEAD_BYTES + this.#bodyLength(head, 0, offset, start);
    const chunk = await readFully(this.#handle, start, Math.min(Math.max(mostBytes, first), end - start));
    const records: SegmentRecord[] = [];
    let at = 0;
    while (at + HEAD_BYTES <= chunk.length) {
      const recordOffset = offset + records.length;
      const length = this.#bodyLength(chunk, at, recordOffset, start + at);
      if (at + HEAD_BYTES + length > chunk.length) break;
      const record = decodeFrame(chunk, at, length);
      if (record === null) throw this.#damagedAt(recordOffset, start + at);
      records.push({ offset: recordOffset, timestamp: record.timestamp, key: record.key, value: record.value });
      at += HEAD_BYTES + length;
    }
    this.#lastRead = { offset: offset + records.length, position: start + at };
    return records;
  }

  /** Writes what waits, then closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    this.#rejection ??= this.#rejected('the log was closed');
    await this.#handle.close();
  }

  async #writeAll(): Promise<void> {
    // Appends made in the same turn share one write, and those made while it syncs share the next.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#write(this.#takeWaiting());
    this.#writing = undefined;
  }

  #takeWaiting(): Waiting[] {
    let bytes = 0;
    const past = this.#waiting.findIndex(({ frames }, index) => {
      bytes += frames.length;
      return index > 0 && bytes > MAX_WRITE_BYTES;
    });
    return this.#waiting.splice(0, past < 0 ? this.#waiting.length : past);
  }

  async #write(appends: readonly Waiting[]): Promise<void> {
    try {
      if (this.#rejection !== undefined) throw this.#rejection;
      await this.#writeFully(Buffer.concat(appends.map(({ frames }) => frames)));
      await this.#handle.datasync();
    } catch (error) {
      this.#rejection ??= this.#rejected(describeError(error), error);
      for (const append of appends) append.failed(this.#rejection);
      return;
    }
    for (const append of appends) {
      append.done(this.#count);
      for (const size of append.sizes) {
        this.#index.note(this.#count, this.#end);
        this.#count += 1;
        this.#end += size;
      }
    }
    this.#appended();
  }

  async #writeFully(bytes: Buffer): Promise<void> {
    let written = 0;
    while (written < bytes.length) {
      const answer = await this.#handle.write(bytes, written, bytes.length - written, this.#end + written);
      written += answer.bytesWritten;
    }
  }

  async #positionOf(offset: number): Promise<number> {
    if (this.#lastRead.offset === offset) return this.#lastRead.position;
    const mark = this.#index.before(offset);
    if (mark.offset === offset) return mark.position;
    const room = Math.min(INDEX_GAP_BYTES + HEAD_BYTES, this.#end - mark.position);
    const heads = await readFully(this.#handle, mark.position, room);
    let at = 0;
    for (let recordOffset = mark.offset; recordOffset < offset; recordOffset += 1) {
      at += HEAD_BYTES + this.#bodyLength(heads, at, recordOffset, mark.position + at);
      if (at + HEAD_BYTES > heads.length) throw this.#damagedAt(recordOffset, mark.position + at);
    }
    return mark.position + at;
  }

  #bodyLength(bytes: Buffer, at: number, offset: number, position: number): number {
    const length = bodyLength(bytes, at);
    if (length === null || position + HEAD_BYTES + length > this.#end) throw this.#damagedAt(offset, position);
    return length;
  }

  #damagedAt(offset: number, position: number) {
    return damaged(this.file, `record ${offset}, at byte ${position}, fails its checks`, { offset, position });
  }

  #rejected(why: string, cause?: unknown): SinkError {
    return new SinkError(
      'RXF_SINK_WRITE',
      `Cannot append to ${this.file}: ${why}. What was answered before is safe. Repair the disk, and open the log again.`,
      { cause, details: { file: this.file } },
    );
  }
}

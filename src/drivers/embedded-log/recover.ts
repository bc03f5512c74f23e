import type { FileHandle } from 'node:fs/promises';
import { MiB } from '../../core/units.js';
import { damaged, readFully } from './durable-file.js';
import { bodyLength, decodeFrame, HEAD_BYTES, MAGIC } from './record-format.js';
import { SparseIndex } from './sparse-index.js';

const WINDOW_BYTES = MiB;

export interface Recovered {
  /** How many records the file holds: the offset of the next. */
  readonly count: number;
  /** Where the next frame starts. */
  readonly end: number;
  readonly index: SparseIndex;
  /** How many bytes of an append that was never answered were cut off. */
  readonly cutBytes: number;
}

/**
 * Reads a segment file from start to end, checks every record, and cuts off what an append left unfinished when its
 * process died: a frame that the file's end (or nothing but zeros, where a file grew without its bytes) runs through,
 * and the frames before it of the same append. What was answered is never cut: it was whole.
 *
 * Bounds: a window of 1 MiB, or the largest record.
 * Fails: `RXF_KAFKA_PROTOCOL` on damage anywhere else, with file and offset.
 */
export async function recover(handle: FileHandle, file: string): Promise<Recovered> {
  const { size } = await handle.stat();
  const scan = new Scan(handle, size);
  const index = new SparseIndex();
  if (!(await checkMagic(scan, size, file))) {
    await handle.truncate(0);
    await handle.write(MAGIC, 0, MAGIC.length, 0);
    await handle.datasync();
    return { count: 0, end: MAGIC.length, index, cutBytes: size };
  }
  let position = MAGIC.length;
  let offset = 0;
  let whole = { count: 0, end: position };
  while (position < size) {
    const frame = await readFrame(scan, position, size);
    if (frame === 'unfinished') break;
    if (frame === 'damaged') {
      throw damaged(file, `record ${offset}, at byte ${position}, fails its checks`, { offset, position });
    }
    index.note(offset, position);
    position += frame.bytes;
    offset += 1;
    if (frame.endsAppend) whole = { count: offset, end: position };
  }
  const cutBytes = size - whole.end;
  if (cutBytes > 0) {
    index.cutAt(whole.count);
    await handle.truncate(whole.end);
  }
  // What a process wrote and did not live to sync can be read, and would be acked, before it is durable.
  await handle.datasync();
  return { ...whole, index, cutBytes };
}

/** False where the file ends within its magic bytes, so that nothing was ever appended. */
async function checkMagic(scan: Scan, size: number, file: string): Promise<boolean> {
  const start = await scan.bytes(0, Math.min(size, MAGIC.length));
  if (!start.equals(MAGIC.subarray(0, start.length))) throw damaged(file, 'it is not a segment file of rxflume');
  return start.length === MAGIC.length;
}

async function readFrame(
  scan: Scan,
  position: number,
  size: number,
): Promise<{ bytes: number; endsAppend: boolean } | 'unfinished' | 'damaged'> {
  if (position + HEAD_BYTES > size) return 'unfinished';
  const length = bodyLength(await scan.bytes(position, HEAD_BYTES), 0);
  if (length === null) return (await scan.isZero(position)) ? 'unfinished' : 'damaged';
  const bytes = HEAD_BYTES + length;
  if (position + bytes > size) return 'unfinished';
  const record = decodeFrame(await scan.bytes(position, bytes), 0, length);
  if (record !== null) return { bytes, endsAppend: record.endsAppend };
  return (await scan.isZero(position + bytes)) ? 'unfinished' : 'damaged';
}

/** A window over a file that is read forwards. */
class Scan {
  readonly #handle: FileHandle;
  readonly #size: number;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(handle: FileHandle, size: number) {
    this.#handle = handle;
    this.#size = size;
  }

  /** Bytes that are within the file. */
  async bytes(position: number, count: number): Promise<Buffer> {
    const at = position - this.#start;
    if (at >= 0 && at + count <= this.#window.length) return this.#window.subarray(at, at + count);
    const room = Math.min(Math.max(count, WINDOW_BYTES), this.#size - position);
    this.#window = await readFully(this.#handle, position, room);
    this.#start = position;
    return this.#window.subarray(0, count);
  }

  /** True where nothing but zeros, or nothing, is from there to the end. */
  async isZero(position: number): Promise<boolean> {
    for (let at = position; at < this.#size; at += WINDOW_BYTES) {
      const bytes = await this.bytes(at, Math.min(WINDOW_BYTES, this.#size - at));
      if (bytes.some((byte) => byte !== 0)) return false;
    }
    return true;
  }
}

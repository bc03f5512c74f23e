import { defer, from, map, type Observable, of } from 'rxjs';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import type { ByteInput } from './byte-input.js';
import { bytesOf } from './decompressed-bytes.js';
import { changedError } from './file-errors.js';
import type {
  FileRecords,
  RandomAccessFile,
  RandomAccessRecords,
  RecordBatch,
  RecordInput,
  RecordReader,
} from './record-reader.js';

/** The records of a file from one on, by what reads it in order, or by what reads any part of it. */
export function recordInputOf<T>(
  records: FileRecords<T> | RandomAccessRecords<T>,
  { input, maxFileBytes }: { readonly input: FileInput; readonly maxFileBytes: number },
  file: FoundFile,
  start: number,
): RecordInput<T> {
  if ('openAt' in records) return records.openAt(new StoredFile(input, file), start);
  return new SequentialRecords(bytesOf(input, file, maxFileBytes), records.open());
}

/** The bytes of a file at any offset, up to the length at which it was found. */
class StoredFile implements RandomAccessFile {
  readonly path: string;
  readonly bytes: number;
  readonly #input: FileInput;
  readonly #file: FoundFile;

  constructor(input: FileInput, file: FoundFile) {
    this.path = file.path;
    this.bytes = file.bytes;
    this.#input = input;
    this.#file = file;
  }

  readAt(offset: number, length: number): Observable<Buffer> {
    return defer(() => from(this.#input.readAt(this.path, offset, length))).pipe(
      map((chunk) => {
        if (chunk.length < length) throw changedError(this.#file, `it ends at byte ${offset + chunk.length}`);
        return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      }),
    );
  }
}

/** What a record reader makes of the bytes, from the first record on. */
class SequentialRecords<T> implements RecordInput<T> {
  readonly #bytes: ByteInput;
  readonly #reader: RecordReader<T>;
  #isOver = false;

  constructor(bytes: ByteInput, reader: RecordReader<T>) {
    this.#bytes = bytes;
    this.#reader = reader;
  }

  next(): Observable<RecordBatch<T> | null> {
    if (this.#isOver) return of(null);
    return this.#bytes.next().pipe(
      map((chunk) => {
        if (chunk !== null) return { records: this.#reader.push(chunk) };
        this.#isOver = true;
        return { records: this.#reader.end() };
      }),
    );
  }

  close(): void {
    this.#bytes.close();
  }
}

import type { Observable } from 'rxjs';

/** A record of a file, and how many bytes it takes. */
export interface FileRecord<T> {
  readonly value: T;
  readonly byteLength: number;
}

/**
 * Makes records of the bytes of one file as they arrive. It throws where they are not what it reads, and is not asked again.
 *
 * The same bytes give the same records in the same order, however they are cut into chunks: the index of a record is its offset.
 */
export interface RecordReader<T> {
  /** The records that these bytes complete. The bytes may be kept; they are not changed. */
  push(bytes: Buffer): Iterable<FileRecord<T>>;
  /** The records that the end of the file completes. */
  end(): Iterable<FileRecord<T>>;
}

/** How files become records. */
export interface FileRecords<T> {
  /** For messages, such as `lines`. */
  readonly name: string;
  /** Makes a reader for one file. */
  open(): RecordReader<T>;
}

/** A file of which any part can be read. */
export interface RandomAccessFile {
  readonly path: string;
  /** Its length. */
  readonly bytes: number;
  /** So many bytes from an offset on, once. Fails where the file has fewer. */
  readAt(offset: number, length: number): Observable<Buffer>;
}

/** Some records of a file, in order. */
export interface RecordBatch<T> {
  /** How many records of the file lie before these. Default: those that were given before. */
  readonly index?: number;
  readonly records: Iterable<FileRecord<T>>;
}

/** The records of one file, each batch when it is asked for. One call at a time. */
export interface RecordInput<T> {
  /** The next records, or none for now; null at the end, when `index` of the last batch and its records add up to those of the file. */
  next(): Observable<RecordBatch<T> | null>;
  close(): void;
}

/** How files become records where reading begins elsewhere than at their first byte, such as at a footer. */
export interface RandomAccessRecords<T> {
  /** For messages, such as `Parquet`. */
  readonly name: string;
  /** Reads one file, from the record on of which `start` lie before it. The same file gives the same records in the same order. */
  openAt(file: RandomAccessFile, start: number): RecordInput<T>;
}

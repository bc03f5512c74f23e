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

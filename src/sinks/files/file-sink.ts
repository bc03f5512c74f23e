import { Observable } from 'rxjs';
import { expectFunction } from '../../core/options.js';
import type { Sink } from '../../core/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import { FileSinkSession } from './file-sink-session.js';
import { checkOptions, type FileSinkOptions } from './options.js';

/** A place for files; `write()` is the last operator of a flow. */
export interface FileSink<T> {
  /**
   * The sink as an operator: takes deliveries, emits a receipt for each file that stands at its final path.
   *
   * ```
   * values    -a-b-c------------|
   * files     --(open)----R-----     R: closed, its length compared, renamed
   * releases  ------(abc)-------     handed over to the storage
   * acks      -----------(abc)--
   * receipts  -----------r------|
   * ```
   *
   * Settles: acks after the rename. When storing fails, refuses all of the stream that is not yet published, with the
   * `SinkError`, so that the source brings it again in order; refuses a value without a safe bucket, or that the format
   * cannot encode, alone.
   * Bounds: `maxOpenFiles` times `chunkBytes`, and one bit a value in open files; the source's window bounds what is
   * handed over and not yet stored.
   * Fails: never by itself; it ends as its deliveries end.
   */
  write(): Sink<T>;
}

/**
 * Lands values in files of a `FileSystem`, in folders (buckets) made from the value and its time. Bytes are in a
 * temporary file until a roll renames it: a reader of the folder sees only whole files.
 */
export function fileSink<T>(fs: FileSystem, options: FileSinkOptions<T>): FileSink<T> {
  expectFunction('fs.create', fs?.create);
  const checked = checkOptions(options);
  return {
    write: () => (deliveries) =>
      new Observable((subscriber) => new FileSinkSession(fs, checked, subscriber).start(deliveries)),
  };
}

import type { HeaderMap } from '../../core/headers.js';
import type { FoundFile } from '../../ports/file-input.js';
import type { FileReader } from './file-reader.js';
import type { FileStream } from './file-stream.js';

/** A file from when its turn comes until it is finished, however often it is read. */
export class FileTask<T> {
  readonly file: FoundFile;
  readonly stream: string;
  /** Of each of its records. */
  readonly headers: HeaderMap;
  epoch = 0;
  /** Where reading begins, unless a ledger says another offset. */
  start = 0;
  /** How often it could not be read, or finished, in a row. */
  failures = 0;
  /** While it is read. */
  reader: FileReader<T> | undefined;
  /** What is out of it; undefined while it waits to be read, or to be read again. */
  out: FileStream | undefined;
  /** It is asked for where it resumes. */
  isAsking = false;
  isFinishing = false;
  /** It is left behind, once what is out of it is settled. */
  isStopped = false;

  constructor(file: FoundFile, stream: string) {
    this.file = file;
    this.stream = stream;
    this.headers = { file: Buffer.from(file.path) };
  }

  get isSettled(): boolean {
    return !this.isFinishing && (this.out?.unsettled ?? 0) === 0;
  }

  endReader(): void {
    this.reader?.end();
    this.reader = undefined;
  }

  /** Ends its epoch: what is out is stale, and is read again from the first record that is not acked. */
  end(): void {
    this.endReader();
    if (this.out === undefined) return;
    this.start = this.out.watermark.offset;
    this.out.end();
    this.out = undefined;
  }
}

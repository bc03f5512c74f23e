import { Subscription } from 'rxjs';
import type { FileRecord, RecordInput } from './record-reader.js';

/** What a reader tells the session it belongs to; never during a call of `take`. */
export interface FileReaderListener {
  /** There may be a record now, or the end. */
  ready(): void;
}

/**
 * Reads the records of one file, each when it is asked for.
 *
 * Bounds: one batch of records, and what their input bounds.
 */
export class FileReader<T> {
  /** How many records lie before the next one. */
  index = 0;
  /** All of the file was read. */
  isAtEnd = false;
  /** Why it cannot be read on. */
  error: unknown;
  readonly #input: RecordInput<T>;
  readonly #start: number;
  readonly #listener: FileReaderListener;
  #records: Iterator<FileRecord<T>> | undefined;
  #asking = Subscription.EMPTY;
  #isAsking = false;
  #isInCall = false;
  #isLast = false;

  /** `start`: how many records are passed over. */
  constructor(input: RecordInput<T>, start: number, listener: FileReaderListener) {
    this.#input = input;
    this.#start = start;
    this.#listener = listener;
  }

  /** The next record; undefined where there is none yet, at the end, and where it failed. */
  take(): FileRecord<T> | undefined {
    this.#isInCall = true;
    try {
      while (!this.isAtEnd && this.error === undefined) {
        const record = this.#next();
        if (record !== undefined) {
          this.index += 1;
          if (this.index > this.#start) return record;
        } else if (this.#isLast) this.isAtEnd = true;
        else if (!this.#askForMore()) break;
      }
    } catch (error) {
      this.error = error;
    } finally {
      this.#isInCall = false;
    }
    return undefined;
  }

  end(): void {
    this.#asking.unsubscribe();
    this.#input.close();
    this.#records = undefined;
  }

  #next(): FileRecord<T> | undefined {
    const next = this.#records?.next();
    if (next === undefined || next.done === true) {
      this.#records = undefined;
      return undefined;
    }
    return next.value;
  }

  /** Whether the answer is here already. */
  #askForMore(): boolean {
    if (this.#isAsking) return false;
    this.#isAsking = true;
    this.#asking = this.#input.next().subscribe({
      next: (batch) => {
        this.#isLast = batch === null;
        this.index = batch?.index ?? this.index;
        try {
          this.#records = batch?.records[Symbol.iterator]();
        } catch (error) {
          // RxJS would throw it where nothing catches it.
          this.error = error;
        }
        this.#answered();
      },
      error: (error: unknown) => {
        this.error = error;
        this.#answered();
      },
    });
    return !this.#isAsking;
  }

  #answered(): void {
    this.#isAsking = false;
    if (!this.#isInCall) this.#listener.ready();
  }
}

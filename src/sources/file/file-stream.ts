import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { HeaderMap } from '../../core/headers.js';
import { Delivery } from '../../delivery/delivery.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { OffsetTracker, type OffsetTrackerListener } from '../../offsets/offset-tracker.js';
import { type AgeHistograms, TimeIndex } from '../../offsets/time-index.js';
import type { FileRecord } from './record-reader.js';

export interface FileStreamFacts {
  readonly stream: string;
  readonly epoch: number;
  /** The index of the first record that goes out. */
  readonly start: number;
  /** What a ledger said about it, where there is one. */
  readonly resumePoint: ResumePoint | undefined;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  readonly headers: HeaderMap;
}

export interface FileStreamListener extends OffsetTrackerListener {
  /** More of it is acked. */
  advanced(stream: FileStream): void;
  nacked(stream: FileStream, offset: number, cause: unknown): void;
}

/**
 * The acker of the records of one file, from one reading of it to the next: what is out, and whether all of it is durable. An offset is
 * the index of a record.
 */
export class FileStream extends OffsetTracker {
  readonly stream: string;
  /** The file was read to its end: nothing more goes out. */
  isRead = false;
  readonly #facts: FileStreamFacts;
  readonly #window: InFlightWindow;
  readonly #listener: FileStreamListener;
  readonly #ages: AgeHistograms;
  readonly #times = new TimeIndex();

  constructor(facts: FileStreamFacts, window: InFlightWindow, listener: FileStreamListener, ages: AgeHistograms) {
    super(facts.start, facts.resumePoint, listener);
    this.stream = facts.stream;
    this.#facts = facts;
    this.#window = window;
    this.#listener = listener;
    this.#ages = ages;
  }

  /** Everything of the file is durable. */
  get isDone(): boolean {
    return this.isRead && !this.isOver && this.watermark.unacked === 0;
  }

  /** When the oldest record was made that is out and not acked, in milliseconds since 1970. */
  get oldestTime(): number | undefined {
    return !this.isOver && this.watermark.unacked > 0 ? this.#facts.modifiedMs : undefined;
  }

  /** A record, counted as out from here on. */
  take<T>({ value, byteLength }: FileRecord<T>, offset: number): Delivery<T> {
    const { stream, epoch, modifiedMs, headers } = this.#facts;
    const seq = this.add(offset, byteLength);
    this.#window.take(byteLength);
    if (this.#times.wants(seq, false)) this.#times.add(seq, Math.min(modifiedMs, timeOfDayMs()), monotonicMs());
    return new Delivery(value, { stream, offset, epoch, byteLength, timestamp: modifiedMs, headers }, this, seq);
  }

  protected sentAtOf(seq: number): number | undefined {
    return this.#times.sentAtOf(seq);
  }

  protected override advanced(): void {
    const { ackedEnd, count } = this.watermark;
    if (this.#times.isPassedBy(ackedEnd, count)) {
      this.#times.ackedUpTo(ackedEnd, count, { ms: monotonicMs(), date: timeOfDayMs() }, this.#ages);
    }
    this.#listener.advanced(this);
  }

  protected nacked(offset: number, cause: unknown): void {
    this.#listener.nacked(this, offset, cause);
  }

  protected freed(count: number, bytes: number): void {
    this.#window.free(count, bytes);
  }
}

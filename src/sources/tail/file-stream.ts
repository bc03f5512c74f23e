import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { Delivery, type Origin } from '../../delivery/delivery.js';
import type { Line } from '../../formats/lines.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { OffsetTracker, type OffsetTrackerListener } from '../../offsets/offset-tracker.js';
import { type AgeHistograms, TimeIndex } from '../../offsets/time-index.js';

/** The origin of a line, or of lines that are one value: its bytes in the file, from `offset` to `lastOffset`, its end included. */
export interface TailOrigin extends Origin {
  readonly lastOffset: number;
  /** Where the file was when the line was read. */
  readonly path: string;
}

/** What a stream tells the session it belongs to. */
export interface FileStreamListener extends OffsetTrackerListener {
  nacked(stream: FileStream, offset: number, cause: unknown): void;
}

/**
 * The acker of one file, from one rewind to the next. An offset is a byte of the file, so a position outlives a change of the options;
 * a value has the bytes from its `offset` to its `lastOffset`, behind which the next begins.
 *
 * Bounds: as an `OffsetTracker`, and two numbers for each line from the watermark on, since line ends are gaps in the offsets.
 */
export class FileStream extends OffsetTracker {
  readonly stream: string;
  readonly epoch: number;
  readonly #window: InFlightWindow;
  readonly #listener: FileStreamListener;
  readonly #ages: AgeHistograms;
  readonly #times = new TimeIndex();

  constructor(
    of: { readonly stream: string; readonly epoch: number; readonly start: number },
    resumePoint: ResumePoint | undefined,
    window: InFlightWindow,
    listener: FileStreamListener,
    ages: AgeHistograms,
  ) {
    super(of.start, resumePoint, listener);
    this.stream = of.stream;
    this.epoch = of.epoch;
    this.#window = window;
    this.#listener = listener;
    this.#ages = ages;
  }

  /** The value that begins at the byte, counted as out from here on. */
  take({ bytes, size }: Line, offset: number, path: string): Delivery<Buffer> {
    const seq = this.add(offset, size);
    this.#window.take(size);
    // Known to be there before anything is acked: the end of the value is where the next read begins.
    this.watermark.readUpTo(offset + size);
    if (this.#times.wants(seq, false)) this.#times.add(seq, timeOfDayMs(), monotonicMs());
    const { stream, epoch } = this;
    const origin: TailOrigin = { stream, offset, lastOffset: offset + size - 1, epoch, byteLength: size, path };
    return new Delivery(bytes, origin, this, seq);
  }

  /** When the oldest value that is not settled was read, in milliseconds since 1970. */
  get oldestTime(): number | undefined {
    return this.watermark.unacked > 0 ? this.#times.oldestTime : undefined;
  }

  protected sentAtOf(seq: number): number | undefined {
    return this.#times.sentAtOf(seq);
  }

  protected override advanced(): void {
    const { ackedEnd, count } = this.watermark;
    if (!this.#times.isPassedBy(ackedEnd, count)) return;
    this.#times.ackedUpTo(ackedEnd, count, { ms: monotonicMs(), date: timeOfDayMs() }, this.#ages);
  }

  protected nacked(offset: number, cause: unknown): void {
    this.#listener.nacked(this, offset, cause);
  }

  protected freed(count: number, bytes: number): void {
    this.#window.free(count, bytes);
  }
}

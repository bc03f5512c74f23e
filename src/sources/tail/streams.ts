import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import type { RecordPosition, StreamPositions } from '../../core/flow-sources.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import type { OffsetTrackerListener } from '../../offsets/offset-tracker.js';
import type { AgeHistograms } from '../../offsets/time-index.js';
import { FileStream } from './file-stream.js';
import type { TailedFile } from './tailed-file.js';

/** What is out of all streams, for the session. */
export interface StreamsListener extends OffsetTrackerListener {
  /** `file` is undefined where the stream's epoch is over. */
  nacked(file: TailedFile | undefined, offset: number, cause: unknown): void;
}

/**
 * The streams of the files that are followed, and of those that were until what is out of them is settled. Counts over all of them are
 * kept, not computed: there may be ten thousand.
 */
export class Streams {
  readonly #window: InFlightWindow;
  readonly #ages: AgeHistograms;
  readonly #listener: StreamsListener;
  readonly #streams = new Map<FileStream, TailedFile>();
  /** Those of which a sink waits for what lies before its commit. */
  readonly #awaited = new Set<FileStream>();
  /** How many values are out and not acked. */
  unacked = 0;
  #acked = 0;

  constructor(window: InFlightWindow, ages: AgeHistograms, listener: StreamsListener) {
    this.#window = window;
    this.#ages = ages;
    this.#listener = listener;
  }

  create(
    of: { readonly stream: string; readonly epoch: number; readonly start: number },
    resumePoint: ResumePoint | undefined,
  ): FileStream {
    const listener = {
      acked: (count: number) => {
        this.#acked += count;
        this.unacked -= count;
        this.endIfLeft(made);
        this.#listener.acked(count);
      },
      nacked: (_: FileStream, offset: number, cause: unknown) =>
        this.#listener.nacked(this.#streams.get(made), offset, cause),
      released: () => this.#listener.released(),
      awaited: () => {
        if (made.resumeTracker?.isAwaited) this.#awaited.add(made);
        else this.#awaited.delete(made);
        this.#listener.awaited();
      },
    };
    const made = new FileStream(of, resumePoint, this.#window, listener, this.#ages);
    return made;
  }

  add(stream: FileStream, file: TailedFile): void {
    this.#streams.set(stream, file);
  }

  /** Ends its epoch: what is out of it is stale. */
  end(stream: FileStream): void {
    if (!this.#streams.delete(stream)) return;
    this.unacked -= stream.watermark.unacked;
    this.#awaited.delete(stream);
    stream.end();
  }

  /** Ends it where its file is followed no longer, and all of it is settled. */
  endIfLeft(stream: FileStream): void {
    if (this.#streams.get(stream)?.isOver === true && stream.unsettled === 0) this.end(stream);
  }

  endAll(): void {
    for (const stream of [...this.#streams.keys()]) this.end(stream);
  }

  ask(signal: FlushSignal): void {
    for (const stream of [...this.#streams.keys()]) if (stream.unsettled > 0) stream.flush$.next(signal);
  }

  get areAwaited(): boolean {
    return this.#awaited.size > 0;
  }

  get areSettled(): boolean {
    for (const stream of this.#streams.keys()) if (stream.unsettled > 0) return false;
    return true;
  }

  /** What is not settled, for a message. */
  get unsettledText(): string {
    const out = [...this.#streams].filter(([stream]) => stream.unsettled > 0);
    const count = out.reduce((sum, [stream]) => sum + stream.unsettled, 0);
    return `${count} lines of ${out.length} files, such as ${out[0]?.[1].path}`;
  }

  /** How far each file is, as its stream. */
  *positions(): Iterable<StreamPositions> {
    for (const [{ stream, watermark, releasedOffset: released }, { endSeen }] of this.#streams) {
      const logEnd = endSeen < 0 ? {} : { logEnd: Math.max(endSeen, watermark.readEnd) };
      yield { stream, ...logEnd, read: watermark.readEnd, released, acked: watermark.offset };
    }
  }

  locate(stream: string, offset: number): RecordPosition | undefined {
    for (const one of this.#streams.keys()) if (one.stream === stream) return one.locate(offset, -1);
    return undefined;
  }

  /** For the metrics. */
  get state() {
    let handedOver = 0;
    let oldestTime: number | undefined;
    for (const stream of this.#streams.keys()) {
      handedOver += stream.handedOver;
      const time = stream.oldestTime;
      if (time !== undefined && (oldestTime === undefined || time < oldestTime)) oldestTime = time;
    }
    return { handedOver, oldestTime, unacked: this.unacked, acked: this.#acked };
  }
}

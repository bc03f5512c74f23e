import { EMPTY, type Observable, type Subscriber, type Subscription } from 'rxjs';
import { FlushRequester } from '../backpressure/flush-requester.js';
import { InFlightWindow } from '../backpressure/in-flight-window.js';
import { describeError, isOwnError, SourceError } from '../core/errors.js';
import { MiB } from '../core/units.js';
import { Delivery, type Origin } from '../delivery/delivery.js';
import { Source } from '../delivery/source.js';
import { drainTimeoutError, Settling } from '../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../lifecycle/source-lifecycle.js';
import type { ResumePoint } from '../offsets/commit-horizon.js';
import { OffsetTracker } from '../offsets/offset-tracker.js';

/** A letter as a record of the stream of its replay. */
export interface LetterRecord {
  readonly origin: Origin;
  readonly value: unknown;
}

export interface LetterSourceOptions {
  /** The name of the stream. */
  readonly stream: string;
  /** In order of their offsets; those below the start are left out. */
  readonly records: readonly LetterRecord[];
  /** The offset that it begins at. */
  readonly start: number;
  /** The offset after the last, also where the last letters are gone. */
  readonly end: number;
  readonly resumePoint?: ResumePoint | undefined;
  /** Called with how far all is acked. */
  readonly acked?: (offset: number) => void;
}

const WINDOW = { count: 10_000, bytes: 64 * MiB };
/** Longer than a commit waits for what is before it. */
const SETTLE_WITHIN_MS = 300_000;

/**
 * A stream that ends: emits each record once, and completes when all are acked. At a nack it stops, waits until what is out is settled,
 * and fails; it begins again from `resumePoint`.
 *
 * Fails: `RXF_SOURCE_NACKED`, retryable where its cause is; `RXF_SOURCE_DRAIN_TIMEOUT` after five minutes.
 * Bounds: 10,000 records and 64 MiB out, plus one.
 */
export function letterSource(options: LetterSourceOptions): Source<Delivery<unknown>> {
  return new Source((subscriber, stop$) => new LetterSession(options, subscriber).start(stop$));
}

class LetterSession implements SourceEnding {
  readonly #options: LetterSourceOptions;
  readonly #out: Subscriber<Delivery<unknown>>;
  readonly #lifecycle: SourceLifecycle;
  readonly #window = new InFlightWindow(WINDOW);
  readonly #acker: LetterAcker;
  readonly #settling = new Settling(() => this.#acker.unsettled === 0);
  readonly #asking = new FlushRequester(
    () => this.#wanted(),
    (signal) => this.#acker.flush$.next(signal),
  );
  #next = 0;
  #isEmitting = false;

  constructor(options: LetterSourceOptions, out: Subscriber<Delivery<unknown>>) {
    this.#options = options;
    this.#out = out;
    this.#lifecycle = new SourceLifecycle(out, this);
    this.#acker = new LetterAcker(options.start, options.resumePoint, this.#window, {
      acked: () => {
        options.acked?.(this.#acker.watermark.offset);
        this.#asking.released();
        this.#changed();
      },
      released: () => {
        this.#asking.released();
        this.#changed();
      },
      awaited: () => this.#asking.look(),
      nacked: (offset, cause) => this.#nacked(offset, cause),
    });
    while ((options.records[this.#next]?.origin.offset ?? options.end) < options.start) this.#next += 1;
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      this.#emit();
      return EMPTY.subscribe();
    });
  }

  #emit(): void {
    if (this.#isEmitting) return;
    this.#isEmitting = true;
    const { records, end } = this.#options;
    while (this.#lifecycle.isRunning && !this.#window.isFull) {
      const record = records[this.#next];
      if (record === undefined) break;
      this.#next += 1;
      const seq = this.#acker.take(record.origin);
      if (this.#next === records.length) this.#acker.readUpTo(end);
      this.#out.next(new Delivery(record.value, record.origin, this.#acker, seq));
    }
    this.#isEmitting = false;
    if (this.#next >= records.length && this.#lifecycle.isRunning) {
      this.#acker.readUpTo(end);
      this.#lifecycle.drain();
    }
    this.#asking.look();
  }

  #changed(): void {
    this.#settling.look();
    this.#emit();
  }

  #wanted(): 'release' | 'catchUp' | 'settle' | null {
    if (this.#acker.unsettled === 0) return null;
    if (!this.#lifecycle.isRunning) return 'settle';
    if (this.#acker.resumeTracker?.isAwaited) return 'catchUp';
    return this.#window.isFull ? 'release' : null;
  }

  #nacked(offset: number, cause: unknown): void {
    const { stream } = this.#options;
    const message = `A dead letter, ${stream} offset ${offset}, was nacked in its replay: ${describeError(cause)}. It is not marked as replayed.`;
    const extras = { cause, retryable: isOwnError(cause) && cause.retryable, details: { stream, offset } };
    this.#lifecycle.drain(new SourceError('RXF_SOURCE_NACKED', message, extras));
    this.#changed();
  }

  drain(): Observable<unknown>[] {
    const late = () =>
      drainTimeoutError(`${this.#acker.unsettled} dead letters`, SETTLE_WITHIN_MS, 'They are replayed again.');
    this.#asking.look();
    return [this.#settling.within(SETTLE_WITHIN_MS, late)];
  }

  close(): Observable<unknown> {
    return EMPTY;
  }

  end(): void {
    this.#asking.end();
    this.#acker.end();
  }
}

interface LetterAckerListener {
  acked(): void;
  released(): void;
  awaited(): void;
  nacked(offset: number, cause: unknown): void;
}

class LetterAcker extends OffsetTracker {
  readonly #window: InFlightWindow;
  readonly #nackedTo: LetterAckerListener['nacked'];

  constructor(
    start: number,
    resumePoint: ResumePoint | undefined,
    window: InFlightWindow,
    listener: LetterAckerListener,
  ) {
    super(start, resumePoint, listener);
    this.#window = window;
    this.#nackedTo = listener.nacked;
  }

  take({ offset, byteLength }: Origin): number {
    this.#window.take(byteLength);
    return this.add(offset, byteLength);
  }

  readUpTo(offset: number): void {
    this.watermark.readUpTo(offset);
    this.resumeTracker?.readFurther();
  }

  protected sentAtOf(): undefined {
    return undefined;
  }

  protected nacked(offset: number, cause: unknown): void {
    this.#nackedTo(offset, cause);
  }

  protected freed(count: number, bytes: number): void {
    this.#window.free(count, bytes);
  }
}

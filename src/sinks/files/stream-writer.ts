import { concatMap, finalize, type Observable, ReplaySubject, Subject, Subscription } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Want } from '../../core/duty.js';
import { SinkError } from '../../core/errors.js';
import type { Receipt } from '../../core/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import type { CheckedOptions } from './options.js';
import { publish } from './publish.js';
import { type ClosedSegment, Segment, type SegmentReport } from './segment.js';

/** What a stream tells the sink it belongs to. */
export interface StreamReport {
  /** A number that no segment of this sink has had: it keeps the names of files apart, also when a stream is read anew. */
  nextSegment(): number;
  opened(): void;
  closed(files: number): void;
  receipt(receipt: Receipt): void;
  failed(stream: string, error: unknown): void;
  /** Nothing of the stream is open or closing any more. */
  idle(): void;
}

interface Closing<T> {
  readonly segment: Segment<T>;
  readonly closed$: ReplaySubject<ClosedSegment>;
}

/**
 * Writes one stream for one assignment epoch: one segment open, earlier ones closing side by side and published in
 * order. When something fails, all of it is given up and refused, so that the source brings it again in order.
 */
export class StreamWriter<T> {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Duty.wanted`. */
  readonly wanted: Observable<Want>;
  readonly #fs: FileSystem;
  readonly #options: CheckedOptions<T>;
  readonly #writer: string;
  readonly #report: StreamReport;
  readonly #life = new Subscription();
  readonly #closing = new Map<Segment<T>, Subscription>();
  #closing$ = new Subject<Closing<T>>();
  #publishing = new Subscription();
  #segment: Segment<T> | undefined;
  #isEpochOver = false;

  constructor(fs: FileSystem, options: CheckedOptions<T>, writer: string, first: Delivery<T>, report: StreamReport) {
    this.#fs = fs;
    this.#options = options;
    this.#writer = writer;
    this.#report = report;
    this.stream = first.origin.stream;
    this.wanted = first.duty.wanted;
    this.#publishInOrder();
    this.#life.add(
      this.wanted.subscribe({
        next: (want) => (want === 'settle' ? this.roll() : this.#segment?.handOver()),
        complete: () => this.#epochOver(),
      }),
    );
  }

  get isIdle(): boolean {
    return this.#segment === undefined && this.#closing.size === 0;
  }

  get openFiles(): number {
    return this.#segment?.openFiles ?? 0;
  }

  wouldOpen(bucket: string): boolean {
    return this.#segment === undefined || this.#segment.wouldOpen(bucket);
  }

  write(delivery: Delivery<T>, bucket: string): void {
    if (this.#isEpochOver) {
      delivery.nack(overError(this.stream));
      return;
    }
    this.#segment ??= this.#openSegment();
    const segment = this.#segment;
    try {
      segment.write(delivery, bucket);
    } catch (cause) {
      delivery.nack(cause);
    }
  }

  /** Closes what is open and publishes it after what closes already. */
  roll(): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#segment = undefined;
    const closed$ = new ReplaySubject<ClosedSegment>(1);
    const closing = new Subscription();
    this.#closing.set(segment, closing);
    this.#closing$.next({ segment, closed$ });
    closing.add(segment.close().subscribe(closed$));
  }

  /** Gives everything up at once and refuses it with `cause`. */
  abandon(cause: unknown): void {
    const segments = [...this.#closing.keys()];
    for (const closing of this.#closing.values()) closing.unsubscribe();
    this.#closing.clear();
    if (this.#segment !== undefined) segments.push(this.#segment);
    this.#segment = undefined;
    this.#publishing.unsubscribe();
    for (const segment of segments) segment.abort(cause);
  }

  /** Ends listening to the source. */
  end(): void {
    this.#life.unsubscribe();
  }

  #openSegment(): Segment<T> {
    const report: SegmentReport = {
      opened: () => this.#report.opened(),
      closed: (files) => this.#report.closed(files),
      full: () => {
        if (this.#segment === segment) this.roll();
      },
      failed: (error) => this.#fail(error),
    };
    const of = { stream: this.stream, writer: this.#writer, number: this.#report.nextSegment() };
    const segment: Segment<T> = new Segment(this.#fs, this.#options, of, report);
    return segment;
  }

  #publishInOrder(): void {
    const { root, format } = this.#options;
    const as = { root, stream: this.stream, writer: this.#writer, extension: format.extension };
    this.#closing$ = new Subject();
    this.#publishing = this.#closing$
      .pipe(
        concatMap(({ segment, closed$ }) =>
          closed$.pipe(
            concatMap((closed) => publish(this.#fs, closed, as)),
            finalize(() => {
              if (this.#closing.delete(segment)) this.#report.idle();
            }),
          ),
        ),
      )
      .subscribe({
        next: (receipt) => this.#report.receipt(receipt),
        error: (error: unknown) => this.#fail(error),
      });
  }

  /** Gives all of it up; the next value starts anew. */
  #fail(error: unknown): void {
    this.abandon(error);
    this.#publishInOrder();
    this.#report.failed(this.stream, error);
    this.#report.idle();
  }

  #epochOver(): void {
    this.#isEpochOver = true;
    this.abandon(overError(this.stream));
    this.#report.idle();
  }
}

function overError(stream: string): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `${stream} is no longer read by this assignment; its values come again.`);
}

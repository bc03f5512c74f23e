import { concat, concatMap, defer, finalize, type Observable, ReplaySubject, Subject, Subscription, timer } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { Acker, FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { nackErrorOfThrown } from '../../delivery/nack-errors.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { FileSystem } from '../../ports/file-system.js';
import { AtLeastOnce } from './at-least-once.js';
import { ExactlyOnce } from './exactly-once.js';
import type { LedgerStore } from './ledger-store.js';
import type { CheckedOptions } from './options.js';
import { Quarantine } from './quarantine.js';
import { type ClosedSegment, Segment, type SegmentReport } from './segment.js';
import type { SegmentCommitter } from './segment-committer.js';

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

/** What a stream writer writes, for whom. */
export interface Writes<T> {
  readonly fs: FileSystem;
  readonly options: CheckedOptions<T>;
  /** The sink's id, in the names of its files. */
  readonly writer: string;
  /** The ledger, where the source takes the stream up from it. */
  readonly ledger: LedgerStore | undefined;
}

interface Closing<T> {
  readonly segment: Segment<T>;
  readonly closed$: ReplaySubject<ClosedSegment>;
}

/**
 * Writes one stream for one assignment epoch: one segment open, earlier ones closing side by side and landed in order.
 * When something fails, all of it is given up and refused, so that the source brings it again in order.
 */
export class StreamWriter<T> {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Acker.wanted`. */
  readonly flush$: Observable<FlushSignal>;
  readonly #of: Writes<T>;
  readonly #committer: SegmentCommitter;
  readonly #report: StreamReport;
  readonly #life = new Subscription();
  readonly #closing = new Map<Segment<T>, Subscription>();
  #closing$ = new Subject<Closing<T>>();
  #publishing = new Subscription();
  #segment: Segment<T> | undefined;
  /** Why nothing more is taken. */
  #over: unknown;

  constructor(of: Writes<T>, { origin, acker }: Delivery<T>, report: StreamReport) {
    this.#of = of;
    this.#report = report;
    this.stream = origin.stream;
    this.flush$ = acker.flush$;
    this.#committer = committerOf(of, this.stream, acker, origin.offset);
    this.#landInOrder();
    this.#life.add(
      this.flush$.subscribe({
        next: (signal) => this.#answer(signal),
        complete: () => this.#epochOver(),
      }),
    );
    if (of.ledger === undefined) return;
    const { intervalMs } = of.options.roll;
    this.#life.add(timer(intervalMs, intervalMs).subscribe(() => this.#catchUpLedger()));
  }

  get isIdle(): boolean {
    return this.#segment === undefined && this.#closing.size === 0;
  }

  get openFiles(): number {
    return this.#segment?.openFiles ?? 0;
  }

  /** Whether an earlier segment than the open one waits for it. */
  awaits({ origin }: Delivery<T>): boolean {
    return origin.offset < this.#committer.next;
  }

  /** Whether a value would open a file that can wait. */
  wouldOpen(delivery: Delivery<T>, bucket: string): boolean {
    if (this.awaits(delivery)) return false;
    return this.#segment === undefined || this.#segment.wouldOpen(bucket);
  }

  write(delivery: Delivery<T>, bucket: string): void {
    const segment = this.#over === undefined ? this.#segmentOf(delivery) : undefined;
    if (segment === undefined) {
      delivery.nack(this.#over ?? orderError(delivery));
      return;
    }
    try {
      segment.write(delivery, bucket);
    } catch (cause) {
      delivery.nack(nackErrorOfThrown('format of fileSink', cause, delivery, 'RXF_SINK_FORMAT'));
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
    this.#committer.end(segment);
    closing.add(
      concat(
        this.#committer.whole(segment),
        defer(() => segment.close()),
      ).subscribe(closed$),
    );
  }

  /** Gives everything up at once and refuses it with `cause`. */
  abandon(cause: unknown): void {
    const segments = [...this.#closing.keys()];
    for (const closing of this.#closing.values()) closing.unsubscribe();
    this.#closing.clear();
    if (this.#segment !== undefined) segments.push(this.#segment);
    this.#segment = undefined;
    this.#publishing.unsubscribe();
    for (const segment of segments) {
      segment.abort(cause, this.#of.ledger === undefined || this.#of.ledger.rules.mayDropOwn(segment));
    }
  }

  /** Ends listening to the source. */
  end(): void {
    this.#life.unsubscribe();
  }

  #answer(signal: FlushSignal): void {
    // Who keeps the ledger is who the others are to catch up with.
    if (signal === 'settle' || (signal === 'catchUp' && this.#of.ledger === undefined)) this.roll();
    else this.#segment?.handOver();
  }

  /** The segment that a value belongs to: the open one, or an earlier one that still waits for it. */
  #segmentOf({ origin: { offset, lastOffset = offset } }: Delivery<T>): Segment<T> | undefined {
    if (offset >= this.#committer.next) {
      this.#segment ??= this.#openSegment(offset);
      return this.#segment;
    }
    for (const segment of this.#closing.keys()) if (segment.takes(offset, lastOffset)) return segment;
    return undefined;
  }

  #openSegment(firstOffset: number): Segment<T> {
    const report: SegmentReport = {
      opened: () => this.#report.opened(),
      closed: (files) => this.#report.closed(files),
      full: () => {
        if (this.#segment === segment) this.roll();
      },
      failed: (error) => this.#fail(error),
    };
    const { fs, options, writer } = this.#of;
    const number = this.#report.nextSegment();
    const of = { stream: this.stream, writer, number, from: this.#committer.begin(firstOffset) };
    const segment: Segment<T> = new Segment(fs, options, of, report);
    return segment;
  }

  /** Values that were filtered out leave no file: an entry without files says how far the stream is done all the same. */
  #catchUpLedger(): void {
    if (!this.isIdle || !this.#committer.isBehind || this.#over !== undefined) return;
    this.#segment = this.#openSegment(this.#committer.next);
    this.roll();
  }

  #landInOrder(): void {
    this.#closing$ = new Subject();
    this.#publishing = this.#closing$
      .pipe(
        concatMap(({ segment, closed$ }) =>
          closed$.pipe(
            concatMap((closed) => this.#committer.commit(closed, () => this.#hasLater(segment))),
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

  #hasLater(than: Segment<T>): boolean {
    if (this.#segment !== undefined) return true;
    for (const segment of this.#closing.keys()) if (segment.number > than.number) return true;
    return false;
  }

  /** Gives all of it up. Without a ledger the next value starts anew; with one, only what is taken up from it again. */
  #fail(error: unknown): void {
    if (this.#of.ledger !== undefined) this.#over = error;
    // Before the source hears of it, which can say only what it does now.
    this.#report.failed(this.stream, error);
    this.abandon(error);
    this.#landInOrder();
    this.#report.idle();
  }

  #epochOver(): void {
    const over = new SinkError(
      'RXF_SINK_STOPPED',
      `${this.stream} is no longer read by this assignment; its values are redelivered.`,
    );
    this.#over = over;
    this.abandon(over);
    this.#report.idle();
  }
}

function committerOf<T>(
  of: Writes<T>,
  stream: string,
  { resumeTracker }: Acker,
  firstOffset: number,
): SegmentCommitter {
  const { fs, options, writer, ledger } = of;
  const quarantine = new Quarantine(fs, options.root, stream, options.monitor);
  const as = { root: options.root, stream, writer, extension: options.format.extension, quarantine };
  if (ledger === undefined || resumeTracker === undefined) return new AtLeastOnce(fs, as);
  return new ExactlyOnce(ledger, as, resumeTracker, firstOffset);
}

function orderError({ origin: { stream, offset } }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_LEDGER_ORDER',
    `${stream} offset ${offset} came after everything up to a later offset was accounted for: it came twice, or was joined ` +
      'from offsets that others overtook. See what in the flow copies deliveries (`share`, `mergeMap` to several; use ' +
      '`splitDelivery`) or joins them out of order.',
    { details: { stream, offset } },
  );
}

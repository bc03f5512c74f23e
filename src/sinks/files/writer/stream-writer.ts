import {
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  type Observable,
  ReplaySubject,
  Subject,
  Subscription,
  tap,
  timer,
} from 'rxjs';
import type { FlushSignal } from '../../../delivery/acker.js';
import type { Delivery } from '../../../delivery/delivery.js';
import { nackErrorOfThrown, staleError } from '../../../delivery/nack-errors.js';
import type { Receipt } from '../../../delivery/receipt.js';
import type { Call, CallTimer } from '../../../lifecycle/call-timer.js';
import { CommitGate, orderError } from '../../../lifecycle/commit-gate.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { Quarantine } from '../ledger/quarantine.js';
import type { LedgerStore } from '../ledger/store.js';
import type { CheckedOptions } from '../options.js';
import type { ChunkBudget } from './chunk-budget.js';
import { type LandsAs, publishAtLeastOnce, publishExactlyOnce } from './commit-segment.js';
import { type ClosedSegment, Segment, type SegmentReport } from './segment.js';

/** What a stream tells the sink it belongs to. */
export interface StreamReport {
  readonly writes: CallTimer;
  /** From a roll to its files being visible. */
  readonly commits: CallTimer;
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
  /** The ledger, where the source resumes the stream from it. */
  readonly ledger: LedgerStore | undefined;
  /** What all files of the sink share, of a format that gathers a lot in its chunks. */
  readonly budget: ChunkBudget | undefined;
}

interface Closing<T> {
  readonly segment: Segment<T>;
  readonly closed$: ReplaySubject<ClosedSegment>;
  readonly call: Call;
}

/**
 * Writes one stream for one assignment epoch: one segment open, earlier ones closing side by side and published in order.
 * When something fails, all of it is given up and nacked, so that the source redelivers it in order.
 */
export class StreamWriter<T> {
  readonly stream: string;
  /** Tells the epochs of a stream apart, see `Acker.wanted`. */
  readonly flush$: Observable<FlushSignal>;
  readonly #of: Writes<T>;
  readonly #as: LandsAs;
  /** Where the ledger is kept. */
  readonly #gate: CommitGate | undefined;
  readonly #report: StreamReport;
  readonly #life = new Subscription();
  readonly #closing = new Map<Segment<T>, Subscription>();
  #closing$ = new Subject<Closing<T>>();
  #publishing = new Subscription();
  #segment: Segment<T> | undefined;
  /** Why nothing more is taken. */
  #over: unknown;

  constructor(of: Writes<T>, first: Delivery<T>, report: StreamReport) {
    const { fs, options, writer, ledger } = of;
    const { flush$, resumeTracker } = first.acker;
    const { root, monitor } = options;
    this.#of = of;
    this.#report = report;
    this.stream = first.origin.stream;
    this.flush$ = flush$;
    const quarantine = new Quarantine(fs, root, this.stream, monitor);
    this.#as = { root, stream: this.stream, writer, extension: options.format.extension, quarantine };
    if (ledger !== undefined && resumeTracker !== undefined) {
      this.#gate = new CommitGate(first, resumeTracker, ledger.rules);
    }
    this.#landInOrder();
    this.#life.add(
      this.flush$.subscribe({
        next: (signal) => this.#answer(signal),
        complete: () => this.#epochOver(),
      }),
    );
    if (this.#gate === undefined) return;
    const { intervalMs } = options.roll;
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
    return this.#gate !== undefined && origin.offset < this.#gate.next;
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
    this.#closing$.next({ segment, closed$, call: this.#report.commits.start() });
    const whole$ = this.#gate?.end(segment.cut) ?? EMPTY;
    if (this.#gate !== undefined) segment.hold();
    closing.add(
      concat(
        whole$,
        defer(() => segment.close()),
      ).subscribe(closed$),
    );
  }

  /** Gives everything up at once and nacks it with `cause`. */
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
    if (signal === 'settle' || (signal === 'catchUp' && this.#gate === undefined)) this.roll();
    else this.#segment?.handOver();
  }

  /** The segment that a value belongs to: the open one, or an earlier one that still waits for it. */
  #segmentOf({ origin: { offset, lastOffset = offset } }: Delivery<T>): Segment<T> | undefined {
    if (this.#gate === undefined || offset >= this.#gate.next) {
      this.#segment ??= this.#openSegment(offset);
      return this.#segment;
    }
    for (const segment of this.#closing.keys()) if (segment.takes(offset, lastOffset)) return segment;
    return undefined;
  }

  #openSegment(firstOffset: number): Segment<T> {
    const report: SegmentReport = {
      writes: this.#report.writes,
      opened: () => this.#report.opened(),
      closed: (files) => this.#report.closed(files),
      full: () => {
        if (this.#segment === segment) this.roll();
      },
      failed: (error) => this.#fail(error),
    };
    const { fs, options, writer, budget } = this.#of;
    const number = this.#report.nextSegment();
    const of = { stream: this.stream, writer, number, from: this.#gate?.next ?? firstOffset };
    const segment: Segment<T> = new Segment(fs, options, of, report, budget);
    return segment;
  }

  /** Values that were filtered out leave no file: an entry without files says how far the stream is done all the same. */
  #catchUpLedger(): void {
    if (this.#gate?.isBehind !== true || !this.isIdle || this.#over !== undefined) return;
    this.#segment = this.#openSegment(this.#gate.next);
    this.roll();
  }

  #landInOrder(): void {
    this.#closing$ = new Subject();
    this.#publishing = this.#closing$
      .pipe(
        concatMap(({ segment, closed$, call }) =>
          closed$.pipe(
            concatMap((closed) => this.#publish(closed)),
            tap({ complete: () => this.#report.commits.done(call) }),
            finalize(() => {
              this.#report.commits.drop(call);
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

  #publish(segment: ClosedSegment): Observable<Receipt> {
    const { fs, ledger } = this.#of;
    if (ledger === undefined || this.#gate === undefined) return publishAtLeastOnce(fs, this.#as, segment);
    const next = this.#gate.commitUpTo(segment.cut, this.#hasLater(segment));
    return publishExactlyOnce(ledger, this.#as, segment, next);
  }

  #hasLater(than: ClosedSegment): boolean {
    if (this.#segment !== undefined) return true;
    for (const segment of this.#closing.keys()) if (segment.number > than.number) return true;
    return false;
  }

  /** Gives all of it up. Without a ledger the next value starts anew; with one, only a stream that is resumed from it. */
  #fail(error: unknown): void {
    if (this.#gate !== undefined) this.#over = error;
    // Before the source hears of it, which can say only what it does now.
    this.#report.failed(this.stream, error);
    this.abandon(error);
    this.#landInOrder();
    this.#report.idle();
  }

  #epochOver(): void {
    this.#over = staleError(this.stream);
    this.abandon(this.#over);
    this.#report.idle();
  }
}

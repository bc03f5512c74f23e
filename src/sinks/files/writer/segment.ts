import { from, map, mergeMap, type Observable, type Subscription, timer, toArray } from 'rxjs';
import { AckGroup } from '../../../delivery/ack-group.js';
import type { Delivery } from '../../../delivery/delivery.js';
import type { CallTimer } from '../../../lifecycle/call-timer.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { MAX_ENTRY_BYTES, mostFileBytes } from '../ledger/entry.js';
import { temporaryPath } from '../names.js';
import type { CheckedOptions } from '../options.js';
import { type ChunkBudget, handOverHalf } from './chunk-budget.js';
import { type ClosedFile, type FileReport, OpenFile } from './open-file.js';

/** Files that close side by side. */
const CLOSE_AT_ONCE = 8;

/** A segment is rolled before its entry is over half of what one may have: what comes late still has room. */
const ROLL_ENTRY_BYTES = MAX_ENTRY_BYTES / 2;

/** A segment whose files are closed: ready to be published. */
export interface ClosedSegment {
  readonly number: number;
  /** The part of the stream it is of: [from, cut). */
  readonly from: number;
  readonly cut: number;
  readonly files: readonly ClosedFile[];
  /** Everything in the files, to be acked when they are at their final paths. */
  readonly values: AckGroup;
  /** From here on its commit may be carried out at any time: the files are kept, whatever happens. */
  sent(): void;
}

/** What a segment tells the stream it belongs to. */
export interface SegmentReport {
  readonly writes: CallTimer;
  full(): void;
  failed(error: unknown): void;
  opened(): void;
  closed(files: number): void;
}

/** What of one stream is written between two rolls: an open file for each bucket, closed and published together. */
export class Segment<T> {
  readonly number: number;
  /** Where it begins in the stream: what `<from>` in its temporary paths is. */
  readonly from: number;
  readonly #fs: FileSystem;
  readonly #options: CheckedOptions<T>;
  readonly #stream: string;
  readonly #writer: string;
  readonly #report: SegmentReport;
  readonly #fileReport: FileReport;
  readonly #budget: ChunkBudget | undefined;
  readonly #files = new Map<string, OpenFile<T>>();
  readonly #values = new AckGroup();
  readonly #timers: Subscription;
  #lastFile: OpenFile<T> | undefined;
  #cut: number;
  #sizeAtIdleCheck = -1;
  #isClosing = false;
  #isClosed = false;
  #isCommitSent = false;
  /** Files of which it is not known yet whether their folder can be made. */
  #undecided = 0;
  #isHeld = false;
  /** What the files take in the ledger's entry, at most. */
  #entryBytes = 0;

  constructor(
    fs: FileSystem,
    options: CheckedOptions<T>,
    of: { readonly stream: string; readonly writer: string; readonly number: number; readonly from: number },
    report: SegmentReport,
    budget?: ChunkBudget,
  ) {
    this.#fs = fs;
    this.#options = options;
    this.#stream = of.stream;
    this.#writer = of.writer;
    this.number = of.number;
    this.from = of.from;
    this.#cut = of.from;
    this.#report = report;
    this.#budget = budget;
    this.#fileReport = {
      writes: report.writes,
      full: () => report.full(),
      failed: (error) => report.failed(error),
      decided: () => {
        this.#undecided -= 1;
        this.#holdDecided();
      },
    };
    const { intervalMs, idleMs } = options.roll;
    this.#timers = timer(intervalMs).subscribe(() => report.full());
    if (idleMs < intervalMs) this.#timers.add(timer(idleMs, idleMs).subscribe(() => this.#checkIdle()));
  }

  /** The offset after its last value. */
  get cut(): number {
    return this.#cut;
  }

  /** Whether a value of these offsets belongs here, and can still be taken. */
  takes(offset: number, lastOffset: number): boolean {
    return !this.#isClosing && offset >= this.from && lastOffset < this.#cut;
  }

  get openFiles(): number {
    return this.#files.size;
  }

  /** Whether writing to the bucket would open a file. */
  wouldOpen(bucket: string): boolean {
    return this.#lastFile?.bucket !== bucket && !this.#files.has(bucket);
  }

  /**
   * Writes a value into its bucket's file. Throws what the encoder throws, and an error where the bucket cannot be made; then nothing was
   * written.
   */
  write(delivery: Delivery<T>, bucket: string): void {
    const { offset, lastOffset = offset } = delivery.origin;
    const file = this.#lastFile?.bucket === bucket ? this.#lastFile : this.#fileOf(bucket);
    this.#lastFile = file;
    if (file.rejection !== undefined) throw file.rejection;
    const isChunkFull = file.add(delivery);
    this.#values.add(delivery);
    if (lastOffset >= this.#cut) this.#cut = lastOffset + 1;
    if (this.#isHeld && this.#undecided === 0) delivery.acker.hold(delivery.seq, delivery.seq + 1);
    // Only now: a storage that answers at once may close the segment with this chunk.
    if (isChunkFull) file.handOver();
    else this.#budget?.keep();
    if (this.#values.size >= this.#options.roll.count || this.#entryBytes > ROLL_ENTRY_BYTES) this.#report.full();
  }

  /** Counts its values, and those that come late, as held: the source may ask for what lies before them. */
  hold(): void {
    this.#timers.unsubscribe();
    this.#isHeld = true;
    this.#holdDecided();
  }

  /** Hands over what is being filled; of a format that gathers a lot in its chunks, the larger half. */
  handOver(): void {
    if (this.#budget !== undefined) handOverHalf(this.#files.values());
    else for (const file of this.#files.values()) file.handOver();
  }

  /** Closes all files. */
  close(): Observable<ClosedSegment> {
    this.#timers.unsubscribe();
    this.#isClosing = true;
    return from([...this.#files.values()]).pipe(
      mergeMap((file) => file.close(), CLOSE_AT_ONCE),
      toArray(),
      map((files) => {
        this.#closed();
        return {
          number: this.number,
          from: this.from,
          cut: this.#cut,
          files: files.filter((file) => file.values > 0),
          values: this.#values,
          sent: () => {
            this.#isCommitSent = true;
          },
        };
      }),
    );
  }

  /** Whether its commit was sent, and may be carried out whatever the answer. */
  get isCommitSent(): boolean {
    return this.#isCommitSent;
  }

  /** Gives all files up, and removes them where they may be; what they hold is nacked with `cause`. */
  abort(cause: unknown, mayRemove: boolean): void {
    this.#timers.unsubscribe();
    for (const file of this.#files.values()) file.abort(mayRemove);
    this.#closed();
    this.#values.nack(cause);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#report.closed(this.#files.size);
  }

  #fileOf(bucket: string): OpenFile<T> {
    let file = this.#files.get(bucket);
    if (file === undefined) {
      const number = this.#files.size;
      const path = temporaryPath(this.#options.root, this.#stream, this.from, `${this.#writer}-${this.number}`, number);
      file = new OpenFile(
        this.#fs,
        this.#options,
        { stream: this.#stream, bucket, path, number },
        this.#fileReport,
        this.#budget,
      );
      this.#entryBytes += mostFileBytes(this.#stream, bucket);
      this.#undecided += 1;
      this.#files.set(bucket, file);
      this.#report.opened();
      // Only now: a storage that answers at once decides at once.
      file.makeFolder();
    }
    return file;
  }

  /** Not before it is known of each value whether it can be stored: what is held counts as good as stored. */
  #holdDecided(): void {
    if (this.#isHeld && this.#undecided === 0) this.#values.hold();
  }

  #checkIdle(): void {
    if (this.#sizeAtIdleCheck === this.#values.size) this.#report.full();
    this.#sizeAtIdleCheck = this.#values.size;
  }
}

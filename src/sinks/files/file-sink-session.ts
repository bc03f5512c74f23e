import { timeOfDayMs } from '../../core/clock.js';
import { describeError, RxflumeError, SinkError } from '../../core/errors.js';
import { randomName } from '../../core/random-name.js';
import { sentence } from '../../core/sentence.js';
import type { Delivery } from '../../delivery/delivery.js';
import { isEpochOver } from '../../delivery/flush-listeners.js';
import { nackErrorOfThrown, staleError, stoppedError } from '../../delivery/nack-errors.js';
import type { Receipt } from '../../delivery/receipt.js';
import { CallTimer } from '../../lifecycle/call-timer.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { FileSystem } from '../../ports/file-system.js';
import { Crowding } from './crowding.js';
import type { LedgerStore } from './ledger/store.js';
import type { CheckedOptions } from './options.js';
import { ChunkBudget } from './writer/chunk-budget.js';
import { type StreamReport, StreamWriter } from './writer/stream-writer.js';

/** With so many streams, and at each doubling from there on, those that are over are forgotten. */
const MIN_SWEPT = 64;

/**
 * One subscription of a file sink: hands each delivery to its stream's writer, and keeps the number of open files within
 * its bound.
 *
 * Bounds: `maxOpenFiles` files open or closing, each with one chunk; what waits for one to close is unreleased, so the
 * source's window bounds it.
 */
export class FileSinkSession<T> implements SinkSession<T>, StreamReport {
  readonly #fs: FileSystem;
  readonly #options: CheckedOptions<T>;
  readonly #kept: KeptLedger;
  readonly #lifecycle: SinkLifecycle;
  readonly #writerId = randomName();
  readonly #streams = new Map<string, StreamWriter<T>>();
  readonly #metrics;
  readonly writes: CallTimer;
  readonly commits: CallTimer;
  readonly #crowding: Crowding;
  readonly #budget: ChunkBudget | undefined;
  #last: StreamWriter<T> | undefined;
  #waiting: Delivery<T>[] = [];
  #openFiles = 0;
  #sweepAt = MIN_SWEPT;
  #segments = 0;

  constructor(fs: FileSystem, options: CheckedOptions<T>, kept: KeptLedger, lifecycle: SinkLifecycle) {
    this.#fs = fs;
    this.#options = options;
    this.#kept = kept;
    this.#lifecycle = lifecycle;
    this.#crowding = new Crowding(options);
    const { chunk } = options.format;
    this.#budget = chunk === undefined ? undefined : new ChunkBudget(chunk.totalBytes);
    const labels = { sink: 'files', to: options.root };
    this.writes = new CallTimer(options.monitor, 'write', labels);
    this.commits = new CallTimer(options.monitor, 'commit', labels);
    this.#metrics = {
      values: options.monitor.metric('rxflume_sink_values_total', labels),
      bytes: options.monitor.metric('rxflume_sink_bytes_total', labels),
      files: options.monitor.metric('rxflume_sink_files_total', labels),
      failures: options.monitor.metric('rxflume_sink_failures_total', labels),
      openFiles: options.monitor.metric('rxflume_sink_open_files', labels),
    };
  }

  get isIdle(): boolean {
    if (this.#waiting.length > 0) return false;
    for (const writer of this.#streams.values()) if (!writer.isIdle) return false;
    return true;
  }

  take(delivery: Delivery<T>): void {
    if (this.#waiting.length > 0 && !this.#isAwaited(delivery)) this.#waiting.push(delivery);
    else this.#take(delivery);
  }

  flush(): void {
    for (const writer of this.#streams.values()) writer.roll();
  }

  end(): void {
    const cause = stoppedError('the file was whole');
    for (const writer of this.#streams.values()) {
      writer.end();
      writer.abandon(cause);
    }
    for (const delivery of this.#waiting) delivery.nack(cause);
    this.#waiting = [];
    this.writes.end();
    this.commits.end();
  }

  // What a stream calls.

  nextSegment(): number {
    this.#segments += 1;
    return this.#segments - 1;
  }

  opened(): void {
    this.#openFiles += 1;
    this.#metrics.openFiles.add(1);
  }

  closed(files: number): void {
    this.#openFiles -= files;
    this.#metrics.openFiles.add(-files);
    this.#takeWaiting();
  }

  receipt(receipt: Receipt): void {
    this.#metrics.values.add(receipt.values);
    this.#metrics.bytes.add(receipt.bytes);
    this.#metrics.files.add(1);
    this.#crowding.stored(receipt.values);
    this.#lifecycle.receipt(receipt);
  }

  failed(stream: string, error: unknown): void {
    this.#metrics.failures.add(1);
    const code = error instanceof RxflumeError ? error.code : 'RXF_SINK_WRITE';
    this.#options.monitor.report({
      what: code,
      about: stream,
      message: sentence(`${stream}: ${describeError(error)}`),
      cause: error,
    });
  }

  idle(): void {
    this.#lifecycle.completeIfIdle();
  }

  // Taking.

  #take(delivery: Delivery<T>): void {
    if (delivery.acker.isMixed === true) {
      delivery.nack(mixedError(delivery));
      return;
    }
    let bucket: string;
    try {
      bucket = this.#options.bucketOf(delivery, timeOfDayMs);
    } catch (cause) {
      delivery.nack(nackErrorOfThrown('path of fileSink', cause, delivery, 'RXF_SINK_BUCKET'));
      return;
    }
    const writer = this.#writerOf(delivery);
    if (writer === undefined) {
      delivery.nack(staleError(delivery.origin.stream));
      return;
    }
    if (this.#openFiles >= this.#options.maxOpenFiles && writer.wouldOpen(delivery, bucket)) {
      this.#waiting.push(delivery);
      this.#rollOldest();
      return;
    }
    writer.write(delivery, bucket);
  }

  /** The writer of the delivery's stream and epoch; none where the epoch is over. */
  #writerOf(delivery: Delivery<T>): StreamWriter<T> | undefined {
    const { stream } = delivery.origin;
    const { flush$ } = delivery.acker;
    if (this.#last !== undefined && this.#last.stream === stream && this.#last.flush$ === flush$) return this.#last;
    let writer = this.#streams.get(stream);
    if (writer === undefined || writer.flush$ !== flush$) {
      // Held up on its way, it must not end what was begun after it.
      if (isEpochOver(flush$)) return undefined;
      writer?.end();
      writer?.abandon(staleError(stream));
      this.#streams.delete(stream);
      writer = new StreamWriter(
        {
          fs: this.#fs,
          options: this.#options,
          writer: this.#writerId,
          // Only where the source resumes from our ledger may an entry say what need not be read again.
          ledger: delivery.acker.resumeTracker?.resumeFrom === this.#kept.offsetStore ? this.#kept.store : undefined,
          budget: this.#budget,
        },
        delivery,
        this,
      );
      this.#streams.set(stream, writer);
      if (this.#streams.size > this.#sweepAt) this.#sweep();
    }
    this.#last = writer;
    return writer;
  }

  /** A source that gives each file a stream of its own would otherwise leave a writer for each. */
  #sweep(): void {
    for (const [stream, writer] of this.#streams) {
      if (!writer.isIdle || !isEpochOver(writer.flush$)) continue;
      writer.end();
      this.#streams.delete(stream);
    }
    this.#sweepAt = Math.max(MIN_SWEPT, this.#streams.size * 2);
  }

  /** Makes room: rolls the stream that has had files open for longest. */
  #rollOldest(): void {
    for (const [stream, writer] of this.#streams) {
      if (writer.openFiles === 0) continue;
      this.#streams.delete(stream);
      this.#streams.set(stream, writer);
      this.#crowding.rolled(writer.openFiles);
      writer.roll();
      this.#takeAwaited();
      return;
    }
  }

  /** An earlier segment waits for it, and closes only then: it must not wait for a file that closes. */
  #isAwaited(delivery: Delivery<T>): boolean {
    const writer = this.#streams.get(delivery.origin.stream);
    return writer !== undefined && writer.flush$ === delivery.acker.flush$ && writer.awaits(delivery);
  }

  #takeAwaited(): void {
    const awaited = this.#waiting.filter((delivery) => this.#isAwaited(delivery));
    if (awaited.length === 0) return;
    this.#waiting = this.#waiting.filter((delivery) => !awaited.includes(delivery));
    for (const delivery of awaited) this.#take(delivery);
  }

  #takeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [at, delivery] of waiting.entries()) {
      this.#take(delivery);
      if (this.#waiting.length === 0) continue;
      this.#waiting.push(...waiting.slice(at + 1));
      return;
    }
    if (waiting.length > 0 && this.#lifecycle.isComplete) this.flush();
  }
}

/** The ledger of a sink, with the function from which a source learns where to resume. */
export interface KeptLedger {
  readonly store: LedgerStore;
  readonly offsetStore: OffsetStore;
}

function mixedError({ origin }: Delivery<unknown>): SinkError {
  return new SinkError(
    'RXF_SINK_MIXED',
    `A value joined from several streams, ${origin.stream} offset ${origin.offset} first, cannot be filed: files belong to one ` +
      'stream each. Take `batch` out, since the sink gathers by itself, or join only what is of one stream.',
    { details: { stream: origin.stream, offset: origin.offset } },
  );
}

import { defer, EMPTY, type Observable, type Subscriber, Subscription } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { flowLabels } from '../../core/flow-scope.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Line } from '../../formats/lines.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import type { LocalFiles } from '../../ports/local-files.js';
import type { Arrival } from './arrivals.js';
import { FileStream } from './file-stream.js';
import { Following, type FollowingListener, type Leaving } from './following.js';
import { metricsOf, TailGauges } from './gauges.js';
import type { FileEntry } from './identity.js';
import { LongLines } from './long-lines.js';
import type { CheckedOptions } from './options.js';
import { PositionFile } from './position-file.js';
import { Reading, type ReadingListener } from './reading.js';
import { Rereading } from './rereading.js';
import { Saving } from './saving.js';
import { TailedFile } from './tailed-file.js';
import { Troubles } from './troubles.js';

/**
 * One subscription of a tail source: from reading the position file to closing the files.
 *
 * Bounds: values out are within the window, plus one.
 */
export class TailSession implements SourceEnding, FollowingListener, ReadingListener {
  readonly #options: CheckedOptions;
  readonly #window: InFlightWindow;
  readonly #lifecycle: SourceLifecycle;
  readonly #positions: PositionFile;
  readonly #saving: Saving;
  readonly #troubles: Troubles;
  readonly #following: Following;
  readonly #reading: Reading;
  readonly #rereading: Rereading;
  readonly #longLines: LongLines;
  readonly #metrics;
  readonly #gauges: TailGauges;
  readonly #flushRequester: FlushRequester;
  readonly #settling = new Settling(() => this.#isSettled);
  readonly #life = new Subscription();
  /** The streams of files that are followed, and of those that were until what is out of them is settled. */
  readonly #streams = new Map<FileStream, TailedFile>();
  /** Streams of which a sink waits for what lies before its commit. */
  readonly #awaited = new Set<FileStream>();
  #unacked = 0;
  #acked = 0;

  constructor(files: LocalFiles, options: CheckedOptions, out: Subscriber<Delivery<Buffer>>) {
    this.#options = options;
    const { monitor } = options;
    this.#window = new InFlightWindow(options.window);
    this.#lifecycle = new SourceLifecycle(out, this);
    const labels = { ...flowLabels(), source: 'tail', name: options.name ?? files.host };
    this.#metrics = metricsOf(monitor, labels);
    this.#gauges = new TailGauges(this.#window, monitor, labels, () => this.#state());
    this.#positions = new PositionFile(files, options.positionFile);
    const save = () => this.#save([]);
    this.#saving = new Saving(save, options.saveIntervalMs, monitor, (error) => this.#lifecycle.fail(error));
    this.#troubles = new Troubles(monitor, this.#metrics.unreadable);
    this.#reading = new Reading(files, options, this.#window, out, this);
    this.#following = new Following(files, options, this.#positions, this.#troubles, this);
    this.#longLines = new LongLines(options, (error) => this.#lifecycle.fail(error));
    this.#rereading = new Rereading(this.#lifecycle, options, this.#metrics.heldBack, {
      end: (file) => this.#hold(file),
      begin: (file, resumePoint) => this.#beginAgain(file, resumePoint),
    });
    this.#flushRequester = new FlushRequester(
      () => this.#flush$,
      (signal) => {
        for (const stream of [...this.#streams.keys()]) if (stream.unsettled > 0) stream.flush$.next(signal);
      },
    );
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      this.#longLines.start();
      this.#life.add(
        this.#positions.load().subscribe({
          error: (error: unknown) => this.#lifecycle.fail(error),
          complete: () => {
            if (!this.isTaking) return;
            this.#reading.start();
            this.#following.start();
          },
        }),
      );
      return this.#life;
    });
  }

  get isTaking(): boolean {
    return this.#lifecycle.isRunning;
  }

  // What is found.

  get openFiles(): number {
    return this.#reading.openFiles;
  }

  saved(arrivals: readonly FileEntry[]): Observable<unknown> {
    return this.#saving.now(() => this.#save(arrivals));
  }

  arrived({ entry, stats, head, handle, isNew }: Arrival, resumePoint: ResumePoint | undefined): TailedFile {
    const start = resumePoint?.start ?? entry.offset;
    const stream = this.#newStream(entry.stream, 1, start, resumePoint);
    const file = new TailedFile(entry, stats, head, stream, this.#options);
    this.#streams.set(stream, file);
    if (handle !== undefined) this.#reading.adopt(file, handle);
    const what = isNew ? 'Following' : 'Following again';
    const message = `${what} ${entry.path} as ${entry.stream}, from byte ${start}.`;
    this.#options.monitor.logEvent('info', 'tail.following', message, {
      path: entry.path,
      stream: entry.stream,
      start,
    });
    return file;
  }

  grown(file: TailedFile): void {
    this.#reading.wake(file);
  }

  left(file: TailedFile, why: Leaving): void {
    const { path, stream } = file;
    const unread = why === 'finished' ? 0 : Math.max(0, file.endSeen - file.position);
    this.#reading.stop(file);
    this.#reading.close(file);
    if (unread > 0) {
      this.#metrics.unreadBytes.add(unread);
      const message = `${path} was ${why === 'rewritten' ? 'cut' : 'removed'} before its last ${unread} bytes were read; they are lost.`;
      this.#options.monitor.logEvent('warn', 'tail.unread', message, { path, stream: stream.stream, bytes: unread });
    } else if (why === 'rewritten') {
      const message = `${path} was cut; what it holds now is read from its beginning.`;
      this.#options.monitor.logEvent('info', 'tail.rewritten', message, { path, stream: stream.stream });
    }
    this.#endIfSettled(stream);
    this.#saving.due();
  }

  failed(error: unknown): void {
    this.#lifecycle.fail(error);
  }

  // What is read.

  get isReplayFull(): boolean {
    return this.#unacked >= this.#options.maxUnacked;
  }

  taken(file: TailedFile, line: Line): Delivery<Buffer> | undefined {
    if (line.kind === 'overlong' && this.#longLines.areErrors) {
      this.#lifecycle.fail(this.#longLines.error(file, line));
      return undefined;
    }
    const delivery = file.stream.take(line, file.position, file.path);
    file.passed(line.size);
    this.#unacked += 1;
    this.#metrics.records.add(1);
    this.#metrics.bytes.add(line.size);
    if (line.kind !== 'overlong') return delivery;
    this.#longLines.setAside(delivery);
    return undefined;
  }

  rewritten(file: TailedFile): void {
    this.#following.leave(file, 'rewritten');
    this.#following.lookSoon();
  }

  unreadable(file: TailedFile, error: unknown): void {
    const isAbsent = (error as { readonly code?: string } | null)?.code === 'ENOENT';
    if (!isAbsent) this.#troubles.unreadable(file.path, error);
  }

  readable(file: TailedFile): void {
    this.#troubles.readable(file.path);
  }

  idle(file: TailedFile, now: number): void {
    if (file.goneSince === undefined || file.atEnd(now) !== 'all' || file.position < file.endSeen) return;
    if (now - file.goneSince < this.#options.goneAfterMs || file.stream.unsettled > 0) return;
    this.#following.leave(file, 'finished');
  }

  emitted(): void {
    this.#gauges.windowChanged();
    this.#flushRequester.look();
  }

  // What becomes of it.

  #newStream(stream: string, epoch: number, start: number, resumePoint: ResumePoint | undefined): FileStream {
    const listener = {
      acked: (count: number) => this.#ackedOf(made, count),
      nacked: (_: FileStream, offset: number, cause: unknown) => this.#nacked(made, offset, cause),
      released: () => this.#released(),
      awaited: () => {
        if (made.resumeTracker?.isAwaited) this.#awaited.add(made);
        else this.#awaited.delete(made);
        this.#flushRequester.look();
      },
    };
    const made = new FileStream({ stream, epoch, start }, resumePoint, this.#window, listener, this.#metrics);
    return made;
  }

  #ackedOf(stream: FileStream, count: number): void {
    this.#metrics.acked.add(count);
    this.#acked += count;
    this.#unacked -= count;
    this.#endIfSettled(stream);
    this.#saving.due();
    this.#released();
    this.#settling.look();
  }

  #nacked(stream: FileStream, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    const file = this.#streams.get(stream);
    if (file !== undefined) this.#rereading.nacked(file, offset, cause);
    this.#released();
    this.#settling.look();
  }

  #released(): void {
    this.#flushRequester.released();
    this.#reading.emit();
  }

  /** What is out of it is stale; it waits to be read again. */
  #hold(file: TailedFile): void {
    file.isHeld = true;
    this.#reading.stop(file);
    this.#endStream(file.stream);
  }

  #beginAgain(file: TailedFile, resumePoint: ResumePoint | undefined): void {
    const { stream, epoch, watermark } = file.stream;
    const fresh = this.#newStream(stream, epoch + 1, resumePoint?.start ?? watermark.offset, resumePoint);
    this.#streams.set(fresh, file);
    file.begin(fresh);
    this.#reading.wake(file);
  }

  #endStream(stream: FileStream): void {
    if (!this.#streams.delete(stream)) return;
    this.#unacked -= stream.watermark.unacked;
    this.#awaited.delete(stream);
    stream.end();
  }

  #endIfSettled(stream: FileStream): void {
    if (this.#streams.get(stream)?.isOver === true && stream.unsettled === 0) this.#endStream(stream);
  }

  get #isSettled(): boolean {
    for (const stream of this.#streams.keys()) if (stream.unsettled > 0) return false;
    return true;
  }

  get #flush$(): FlushSignal | null {
    if (this.#lifecycle.isDraining) return this.#isSettled ? null : 'settle';
    if (!this.isTaking) return null;
    if (this.isReplayFull) return 'settle';
    if (this.#awaited.size > 0) return 'catchUp';
    return this.#window.isFull ? 'release' : null;
  }

  #save(arrivals: readonly FileEntry[]): Observable<unknown> {
    const followed = function* (files: Iterable<TailedFile>): Generator<FileEntry> {
      for (const file of files) yield file.entry;
      yield* arrivals;
    };
    return this.#positions.save(followed(this.#following.files));
  }

  #state() {
    let handedOver = 0;
    let oldestTime: number | undefined;
    for (const stream of this.#streams.keys()) {
      handedOver += stream.handedOver;
      const time = stream.oldestTime;
      if (time !== undefined && (oldestTime === undefined || time < oldestTime)) oldestTime = time;
    }
    const { count: files } = this.#following;
    const { openFiles, waiting } = this.#reading;
    const { taken } = this.#window;
    return { files, openFiles, waiting, unacked: this.#unacked, taken, acked: this.#acked, handedOver, oldestTime };
  }

  // What the lifecycle calls.

  drain(): Observable<unknown>[] {
    this.#lifecycle.note(this.#rereading.waiting);
    this.#following.end();
    this.#reading.end();
    this.#flushRequester.look();
    const { drainTimeoutMs } = this.#options;
    const late = () => {
      const out = [...this.#streams].filter(([stream]) => stream.unsettled > 0);
      const count = out.reduce((sum, [stream]) => sum + stream.unsettled, 0);
      const what = `${count} lines of ${out.length} files, such as ${out[0]?.[1].path}`;
      return drainTimeoutError(what, drainTimeoutMs, 'They are redelivered at the next start.');
    };
    return [this.#settling.within(drainTimeoutMs, late), defer(() => this.#saving.now())];
  }

  close(): Observable<unknown> {
    return EMPTY;
  }

  end(): void {
    this.#life.unsubscribe();
    this.#following.end();
    this.#reading.end();
    for (const stream of [...this.#streams.keys()]) this.#endStream(stream);
    this.#flushRequester.end();
    this.#rereading.end();
    this.#saving.end();
    this.#longLines.end();
    this.#gauges.end();
    this.#metrics.end();
  }
}

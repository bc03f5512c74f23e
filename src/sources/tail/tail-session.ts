import { defer, EMPTY, type Observable, ReplaySubject, type Subscriber, Subscription, switchMap, take } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { flowLabels, flowSources } from '../../core/flow-scope.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Line } from '../../formats/lines.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import type { LocalFiles } from '../../ports/local-files.js';
import type { Arrival } from './arrivals.js';
import { Descriptors } from './descriptors.js';
import { Following, type FollowingListener, type Leaving } from './following.js';
import { metricsOf, TailGauges, type TailState } from './gauges.js';
import type { FileEntry } from './identity.js';
import { LongLines } from './long-lines.js';
import type { CheckedOptions } from './options.js';
import { PositionFile } from './position-file.js';
import { Reading, type ReadingListener } from './reading.js';
import { Rereading } from './rereading.js';
import { Saving } from './saving.js';
import { Streams } from './streams.js';
import { TailedFile } from './tailed-file.js';
import { Troubles } from './troubles.js';

/**
 * One subscription of a tail source: from reading the position file to closing the files.
 *
 * Bounds: values out are within the window, plus one.
 */
export class TailSession implements SourceEnding, FollowingListener, ReadingListener {
  readonly #files: LocalFiles;
  readonly #options: CheckedOptions;
  readonly #window: InFlightWindow;
  readonly #lifecycle: SourceLifecycle;
  readonly #positions: PositionFile;
  readonly #saving: Saving;
  readonly #troubles: Troubles;
  readonly #following: Following;
  readonly #streams: Streams;
  readonly #descriptors: Descriptors;
  readonly #reading: Reading;
  readonly #rereading: Rereading;
  readonly #longLines: LongLines;
  readonly #metrics;
  readonly #gauges: TailGauges;
  readonly #flushRequester: FlushRequester;
  readonly #settling = new Settling(() => this.#streams.areSettled);
  readonly #sources = flowSources();
  readonly #life = new Subscription();
  #claim = Subscription.EMPTY;

  constructor(files: LocalFiles, options: CheckedOptions, out: Subscriber<Delivery<Buffer>>) {
    this.#files = files;
    this.#options = options;
    const { monitor } = options;
    this.#window = new InFlightWindow(options.window);
    this.#lifecycle = new SourceLifecycle(out, this);
    const labels = { ...flowLabels(), source: 'tail', name: options.name ?? files.host };
    this.#metrics = metricsOf(monitor, labels);
    this.#gauges = new TailGauges(this.#window, monitor, labels, () => this.#state());
    this.#positions = new PositionFile(files, options.positionFile, options.importPositions);
    const save = () => this.#save([]);
    this.#saving = new Saving(save, options.saveIntervalMs, monitor, (error) => this.#lifecycle.fail(error));
    this.#troubles = new Troubles(monitor, this.#metrics.unreadable);
    this.#streams = new Streams(this.#window, this.#metrics, {
      acked: (count) => this.#acked(count),
      nacked: (file, offset, cause) => this.#nacked(file, offset, cause),
      released: () => this.#released(),
      awaited: () => this.#flushRequester.look(),
    });
    this.#descriptors = new Descriptors(files, options.maxOpenFiles, (file) => this.#troubles.readable(file.path));
    this.#reading = new Reading(this.#descriptors, options, this.#window, out, this);
    this.#following = new Following(files, options, this.#positions, this.#troubles, this);
    this.#longLines = new LongLines(options, (error) => this.#lifecycle.fail(error));
    this.#rereading = new Rereading(this.#lifecycle, options, this.#metrics.heldBack, {
      end: (file) => this.#hold(file),
      begin: (file, resumePoint) => this.#beginAgain(file, resumePoint),
    });
    this.#flushRequester = new FlushRequester(
      () => this.#flush$,
      (signal) => this.#streams.ask(signal),
    );
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      this.#longLines.start();
      const leaveFlow = this.#sources.add({
        pauseChanged: () => this.#reading.emit(),
        settle: () => this.#streams.ask('settle'),
        positions: () => this.#streams.positions(),
        locate: (stream, offset) => this.#streams.locate(stream, offset),
      });
      this.#life.add(leaveFlow);
      this.#life.add(
        this.#claimed(() => this.#positions.load()).subscribe({
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

  /** Does it with the position file claimed until the end of the session. */
  #claimed(then: () => Observable<unknown>): Observable<unknown> {
    const { claim } = this.#files;
    if (claim === undefined) return defer(then);
    const claimed$ = new ReplaySubject<void>(1);
    this.#claim = defer(() => claim.call(this.#files, this.#options.positionFile)).subscribe({
      next: () => claimed$.next(),
      error: (error: unknown) => claimed$.error(error),
    });
    return claimed$.pipe(take(1), switchMap(then));
  }

  get isTaking(): boolean {
    return this.#lifecycle.isRunning;
  }

  // What is found.

  get openFiles(): number {
    return this.#descriptors.count;
  }

  saved(arrivals: readonly FileEntry[]): Observable<unknown> {
    return this.#saving.now(() => this.#save(arrivals));
  }

  arrived({ entry, stats, head, handle, isNew }: Arrival, resumePoint: ResumePoint | undefined): TailedFile {
    const start = resumePoint?.start ?? entry.offset;
    const stream = this.#streams.create({ stream: entry.stream, epoch: 1, start }, resumePoint);
    const file = new TailedFile(entry, stats, head, stream, this.#options);
    this.#streams.add(stream, file);
    if (handle !== undefined) this.#descriptors.adopt(file, handle);
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
    this.#descriptors.close(file);
    if (unread > 0) {
      this.#metrics.unreadBytes.add(unread);
      const message = `${path} was ${why === 'rewritten' ? 'cut' : 'removed'} before its last ${unread} bytes were read; they are lost.`;
      this.#options.monitor.logEvent('warn', 'tail.unread', message, { path, stream: stream.stream, bytes: unread });
    } else if (why === 'rewritten') {
      const message = `${path} was cut; what it holds now is read from its beginning.`;
      this.#options.monitor.logEvent('info', 'tail.rewritten', message, { path, stream: stream.stream });
    }
    this.#streams.endIfLeft(stream);
    this.#saving.due();
  }

  failed(error: unknown): void {
    this.#lifecycle.fail(error);
  }

  // What is read.

  get mayEmit(): boolean {
    return this.isTaking && !this.#sources.isPaused && !this.#isReplayFull;
  }

  /** Too much would be redelivered after a crash. */
  get #isReplayFull(): boolean {
    return this.#streams.unacked >= this.#options.maxUnacked;
  }

  taken(file: TailedFile, line: Line): Delivery<Buffer> | undefined {
    if (line.kind === 'overlong' && this.#longLines.areErrors) {
      this.#lifecycle.fail(this.#longLines.error(file, line));
      return undefined;
    }
    const delivery = file.stream.take(line, file.position, file.path);
    file.passed(line.size);
    this.#streams.unacked += 1;
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

  #acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#saving.due();
    this.#released();
    this.#settling.look();
  }

  #nacked(file: TailedFile | undefined, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
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
    this.#streams.end(file.stream);
  }

  #beginAgain(file: TailedFile, resumePoint: ResumePoint | undefined): void {
    const { stream, epoch, watermark } = file.stream;
    const start = resumePoint?.start ?? watermark.offset;
    const fresh = this.#streams.create({ stream, epoch: epoch + 1, start }, resumePoint);
    this.#streams.add(fresh, file);
    file.begin(fresh);
    this.#reading.wake(file);
  }

  get #flush$(): FlushSignal | null {
    if (this.#lifecycle.isDraining) return this.#streams.areSettled ? null : 'settle';
    if (!this.isTaking) return null;
    if (this.#isReplayFull) return 'settle';
    if (this.#streams.areAwaited) return 'catchUp';
    return this.#window.isFull ? 'release' : null;
  }

  #save(arrivals: readonly FileEntry[]): Observable<unknown> {
    const followed = function* (files: Iterable<TailedFile>): Generator<FileEntry> {
      for (const file of files) yield file.entry;
      yield* arrivals;
    };
    return this.#positions.save(followed(this.#following.files));
  }

  #state(): TailState {
    const { count: files } = this.#following;
    const { taken } = this.#window;
    return { ...this.#streams.state, files, openFiles: this.openFiles, waiting: this.#reading.waiting, taken };
  }

  // What the lifecycle calls.

  drain(): Observable<unknown>[] {
    this.#lifecycle.note(this.#rereading.waiting);
    this.#following.end();
    this.#reading.end();
    this.#flushRequester.look();
    const { drainTimeoutMs } = this.#options;
    const late = () => {
      const what = this.#streams.unsettledText;
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
    this.#streams.endAll();
    this.#flushRequester.end();
    this.#rereading.end();
    this.#saving.end();
    this.#longLines.end();
    this.#gauges.end();
    this.#metrics.end();
    // Last: nothing of this session writes any more.
    this.#claim.unsubscribe();
  }
}

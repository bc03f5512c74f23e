import { defer, type Observable, type Subscriber, Subscription, timer } from 'rxjs';
import { FlushRequester } from '../../backpressure/flush-requester.js';
import { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { type ConnectError, describeError, type SourceError, shortName } from '../../core/errors.js';
import { flowLabels, flowSources } from '../../core/flow-scope.js';
import type { Delivery } from '../../delivery/delivery.js';
import { drainTimeoutError, Settling } from '../../lifecycle/settling.js';
import { type SourceEnding, SourceLifecycle } from '../../lifecycle/source-lifecycle.js';
import { NackCounter } from '../../offsets/nack-counter.js';
import { redeliverAfterMs } from '../../offsets/nack-policy.js';
import type { FoundFile } from '../../ports/file-input.js';
import { nackedError, shorterError, unreadableError } from './file-errors.js';
import { FileFinder, type FileFinderListener } from './file-finder.js';
import { FileFinisher, type FileFinisherListener } from './file-finisher.js';
import { FileQueue } from './file-queue.js';
import { FileReader } from './file-reader.js';
import { FileStream, type FileStreamListener } from './file-stream.js';
import type { FileTask } from './file-task.js';
import { FileGauges, metricsOf } from './gauges.js';
import { OpenFiles, type Pressure } from './open-files.js';
import type { CheckedReading, FileSessionParts } from './options.js';
import { recordInputOf } from './record-input.js';
import { resumePointOf } from './resume.js';

/**
 * One subscription of a source of files: reads one after the other, and finishes each when all of it is durable.
 *
 * Bounds: records out are within the window, plus one; one chunk, or batch, of the file that is being read; `maxOpenFiles` files begun and not
 * finished; the names of all files found.
 */
export class FileSession<T> implements SourceEnding, FileStreamListener, FileFinderListener, FileFinisherListener<T> {
  readonly #parts: FileSessionParts<T>;
  readonly #options: CheckedReading<T>;
  readonly #out: Subscriber<Delivery<T>>;
  readonly #window: InFlightWindow;
  readonly #lifecycle: SourceLifecycle;
  readonly #life = new Subscription();
  readonly #settling = new Settling(() => this.#open.isSettled);
  readonly #flushRequester: FlushRequester;
  readonly #metrics;
  readonly #gauges: FileGauges;
  readonly #nacks = new NackCounter();
  readonly #finder: FileFinder;
  readonly #finisher: FileFinisher<T>;
  readonly #open = new OpenFiles<T>();
  readonly #queue: FileQueue<T>;
  readonly #sources = flowSources();
  #current: FileTask<T> | undefined;
  #isStepping = false;
  /** Less than `maxUnacked` allows, where something was acked since it was looked up. */
  #replayRoom = 0;
  #handedOver = 0;

  constructor(parts: FileSessionParts<T>, out: Subscriber<Delivery<T>>) {
    const { kind, options } = parts;
    const labels = { ...flowLabels(), source: kind, name: options.name };
    this.#parts = parts;
    this.#options = options;
    this.#out = out;
    this.#window = new InFlightWindow(options.window);
    this.#lifecycle = new SourceLifecycle(out, this);
    this.#flushRequester = new FlushRequester(
      () => this.#open.wanted(this.#pressure),
      () => this.#open.ask(this.#pressure),
    );
    this.#queue = new FileQueue(this.#open, options.maxOpenFiles, `${kind}:${options.name}/`);
    this.#finder = new FileFinder(parts.catalogue, parts.input.name, options.monitor, this);
    this.#finisher = new FileFinisher<T>({
      catalogue: parts.catalogue,
      redeliver: options.redeliver,
      monitor: options.monitor,
      life: this.#life,
      isRunning: () => this.#lifecycle.isRunning,
      listener: this,
    });
    this.#metrics = metricsOf(options.monitor, labels);
    this.#gauges = new FileGauges(this.#window, options.monitor, labels, () => ({
      ...this.#open.state(this.#queue.found),
      handedOver: this.#handedOver,
    }));
  }

  start(stop$: Observable<unknown>): Subscription {
    return this.#lifecycle.start(stop$, () => {
      this.#life.add(this.#sources.add(this.#open.steered(() => this.#step())));
      this.#finder.look();
      return this.#life;
    });
  }

  // What the finder calls.

  found(files: readonly FoundFile[]): void {
    this.#queue.set(files);
    this.#step();
  }

  failed(error: ConnectError): void {
    this.#lifecycle.fail(error);
  }

  // Reading.

  #step(): void {
    if (this.#isStepping) return;
    this.#isStepping = true;
    this.#replayRoom = this.#options.maxUnacked - this.#open.unsettled;
    while (this.#lifecycle.isRunning && !this.#sources.isPaused && this.#stepOnce());
    this.#isStepping = false;
    this.#gauges.windowChanged();
    this.#flushRequester.look();
    this.#settling.look();
    if (this.#finder.isDone && this.#queue.found.length === 0 && this.#open.size === 0) this.#lifecycle.drain();
  }

  /** Whether something was done, so that there may be more to do. */
  #stepOnce(): boolean {
    this.#current ??= this.#queue.next();
    const task = this.#current;
    if (task === undefined) return false;
    const { reader, out } = task;
    if (reader === undefined || out === undefined) return this.#begin(task);
    if (this.#window.isFull || !this.#hasReplayRoom) return false;
    const record = reader.take();
    if (record !== undefined) {
      this.#metrics.records.add(1);
      this.#metrics.bytes.add(record.byteLength);
      this.#replayRoom -= 1;
      this.#out.next(out.take(record, reader.index - 1));
      return true;
    }
    if (reader.error === undefined && !reader.isAtEnd) return false;
    this.#current = undefined;
    task.endReader();
    if (reader.error !== undefined) this.#unreadable(task, reader.index, reader.error);
    else if (out.watermark.readEnd > reader.index)
      this.#stop(task, shorterError(task.file, out.watermark.readEnd, reader.index));
    else {
      task.failures = 0;
      out.isRead = true;
      this.#finisher.finishIfDone(task);
    }
    return true;
  }

  get #hasReplayRoom(): boolean {
    if (this.#replayRoom <= 0) this.#replayRoom = this.#options.maxUnacked - this.#open.unsettled;
    return this.#replayRoom > 0;
  }

  /** Asks where it resumes; whether the answer is here already. */
  #begin(task: FileTask<T>): boolean {
    if (task.isAsking) return false;
    task.isAsking = true;
    const { options } = this.#parts;
    this.#life.add(
      resumePointOf(task.stream, options).subscribe({
        next: (resumePoint) => {
          task.isAsking = false;
          if (!this.#lifecycle.isRunning) return;
          task.epoch += 1;
          const { stream, epoch, headers, file } = task;
          const start = resumePoint?.start ?? task.start;
          const facts = { stream, epoch, start, resumePoint, headers, modifiedMs: file.modifiedMs };
          const ready = () => this.#step();
          task.out = new FileStream(facts, this.#window, this, this.#metrics);
          task.reader = new FileReader(recordInputOf(options.records, this.#parts, file, start), start, { ready });
          this.#step();
        },
        error: (error: unknown) => this.#lifecycle.fail(error),
      }),
    );
    return task.out !== undefined;
  }

  #unreadable(task: FileTask<T>, index: number, cause: unknown): void {
    task.failures += 1;
    const error = unreadableError(task.file, index, cause);
    const delayMs = redeliverAfterMs(cause, task.failures, this.#options.redeliver);
    if (delayMs === null) this.#stop(task, error);
    else {
      const message = `${error.message} It is read again in ${delayMs} ms.`;
      this.#options.monitor.report({ what: error.code, about: task.file.path, message, cause });
      this.#readAgain(task, delayMs);
    }
  }

  #readAgain(task: FileTask<T>, delayMs: number): void {
    task.end();
    if (this.#current === task) this.#current = undefined;
    this.#life.add(
      timer(delayMs).subscribe(() => {
        this.#queue.readAgain(task);
        this.#step();
      }),
    );
  }

  /** Leaves a file behind: it is not read on, and stays where it is. */
  #stop(task: FileTask<T>, error: SourceError): void {
    const { path } = task.file;
    this.#queue.leaveBehind(task.file);
    this.#metrics.stopped.add(1);
    this.#options.monitor.report({
      level: 'error',
      what: error.code,
      about: path,
      message: error.message,
      cause: error,
    });
    task.isStopped = true;
    task.isFinishing = false;
    this.#forgetIfSettled(task);
    if (this.#parts.badFile === 'fail') this.#lifecycle.drain(error);
  }

  #forgetIfSettled(task: FileTask<T>): void {
    if (!task.isStopped || !task.isSettled) return;
    task.end();
    this.#open.remove(task);
  }

  // What the finisher calls.

  finished(task: FileTask<T>): void {
    this.#metrics.files.add(1);
    this.#open.remove(task);
    this.#step();
  }

  notFinished(task: FileTask<T>, cause: unknown): void {
    this.#stop(task, unreadableError(task.file, task.out?.watermark.readEnd ?? 0, cause));
    this.#step();
  }

  // What a stream calls.

  acked(count: number): void {
    this.#metrics.acked.add(count);
    this.#handedOver += count;
    this.released();
  }

  advanced({ stream }: FileStream): void {
    const task = this.#open.get(stream);
    if (task === undefined) return;
    this.#finisher.finishIfDone(task);
    this.#forgetIfSettled(task);
  }

  nacked(out: FileStream, offset: number, cause: unknown): void {
    this.#metrics.nacked.add(1);
    const task = this.#open.get(out.stream);
    if (task === undefined) return;
    const { attempt } = this.#nacks.add(out, offset, cause);
    const { path } = task.file;
    const error = nackedError(path, offset, attempt, cause);
    const delayMs = redeliverAfterMs(cause, attempt, this.#options.redeliver);
    if (delayMs === null || !this.#lifecycle.isRunning || task.isStopped) {
      this.#lifecycle.drain(error);
    } else {
      const message = `Record ${offset} of ${path} was nacked (${describeError(cause)}); it is read again in ${delayMs} ms.`;
      const addition = `Record ${offset} of ${path} is read again, because of ${shortName(cause)}.`;
      this.#options.monitor.report({ what: 'RXF_SOURCE_NACKED', about: path, message, addition, cause });
      this.#readAgain(task, delayMs);
    }
    this.released();
  }

  released(): void {
    this.#flushRequester.released();
    this.#step();
  }

  awaited(): void {
    this.#flushRequester.look();
  }

  get #pressure(): Pressure {
    return {
      isRunning: this.#lifecycle.isRunning,
      isReplayFull: this.#replayRoom <= 0,
      isWindowFull: this.#window.isFull,
    };
  }

  // What the lifecycle calls.

  /** Reads no more, awaits what is out, and finishes the files of which all is durable. */
  drain(): Observable<never>[] {
    const { drainTimeoutMs } = this.#options;
    this.#current = undefined;
    this.#finder.end();
    for (const task of this.#open.all) task.endReader();
    this.#flushRequester.look();
    const late = () => {
      const what = `${this.#open.unsettled} records of ${this.#open.size} files`;
      return drainTimeoutError(what, drainTimeoutMs, 'They are read again at the next start.');
    };
    return [this.#settling.within(drainTimeoutMs, late)];
  }

  close(): Observable<unknown> {
    return defer(() => []);
  }

  end(): void {
    this.#life.unsubscribe();
    this.#flushRequester.end();
    this.#current = undefined;
    this.#finder.end();
    for (const task of this.#open.all) task.end();
    this.#gauges.end();
  }
}

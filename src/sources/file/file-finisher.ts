import { defer, finalize, type Subscription, timer } from 'rxjs';
import { doublingMs } from '../../backpressure/backoff.js';
import { describeError, isRetryable } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import type { RedeliverOptions } from '../../offsets/nack-policy.js';
import type { Catalogue } from './catalogue.js';
import type { FileTask } from './file-task.js';

/** A sink that has acked the last record may still have to tell of it. */
const END_AFTER_MS = 1_000;

/** What a finisher tells the session it belongs to. */
export interface FileFinisherListener<T> {
  finished(task: FileTask<T>): void;
  /** It cannot be finished, or not while it is tried again. */
  notFinished(task: FileTask<T>, cause: unknown): void;
}

export interface FileFinisherParts<T> {
  readonly catalogue: Catalogue;
  readonly redeliver: RedeliverOptions;
  readonly monitor: Monitor;
  /** All that it waits for ends with it. */
  readonly life: Subscription;
  /** Whether it may try again. */
  readonly isRunning: () => boolean;
  readonly listener: FileFinisherListener<T>;
}

/** Finishes files of which all is durable. Nothing depends on it but that they are not found again, so it tries again as long as it may. */
export class FileFinisher<T> {
  readonly #parts: FileFinisherParts<T>;

  constructor(parts: FileFinisherParts<T>) {
    this.#parts = parts;
  }

  finishIfDone(task: FileTask<T>): void {
    if (task.out?.isDone !== true || task.isFinishing || task.isStopped) return;
    task.isFinishing = true;
    this.#finish(task);
  }

  #finish(task: FileTask<T>): void {
    const { catalogue, life, listener } = this.#parts;
    life.add(
      defer(() => catalogue.finish(task.file)).subscribe({
        error: (error: unknown) => this.#failed(task, error),
        complete: () => {
          listener.finished(task);
          life.add(
            timer(END_AFTER_MS)
              .pipe(finalize(() => task.end()))
              .subscribe(),
          );
        },
      }),
    );
  }

  #failed(task: FileTask<T>, cause: unknown): void {
    const { redeliver, monitor, life, listener, isRunning } = this.#parts;
    if (!isRetryable(cause) || !isRunning()) {
      listener.notFinished(task, cause);
      return;
    }
    task.failures += 1;
    const delayMs = doublingMs(task.failures, redeliver.firstDelayMs, redeliver.maxDelayMs);
    const { path } = task.file;
    const message = `All of ${path} is stored, but it cannot be finished: ${describeError(cause)}. It is tried again in ${delayMs} ms.`;
    monitor.report({ what: 'RXF_SOURCE_FILE', about: path, message, cause });
    life.add(timer(delayMs).subscribe(() => this.#finish(task)));
  }
}

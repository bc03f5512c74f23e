import { defer, type Observable, Subscription, timer } from 'rxjs';
import { ConnectError, describeError, isRetryable } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FoundFile } from '../../ports/file-input.js';
import type { Catalogue } from './catalogue.js';

/** What a finder tells the session it belongs to. */
export interface FileFinderListener {
  found(files: readonly FoundFile[]): void;
  /** The first look failed: it is as if it could not connect. */
  failed(error: ConnectError): void;
}

/** Asks a catalogue for files: once, or again and again. Where a look fails that is not the first, it looks again. */
export class FileFinder {
  readonly #catalogue: Catalogue;
  readonly #where: string;
  readonly #monitor: Monitor;
  readonly #listener: FileFinderListener;
  #life = Subscription.EMPTY;
  #hasFound = false;
  #isOver = false;

  /** `where`: for messages. */
  constructor(catalogue: Catalogue, where: string, monitor: Monitor, listener: FileFinderListener) {
    this.#catalogue = catalogue;
    this.#where = where;
    this.#monitor = monitor;
    this.#listener = listener;
  }

  /** Whether it has looked, and does not look again. */
  get isDone(): boolean {
    return this.#hasFound && this.#catalogue.againAfterMs === undefined;
  }

  look(): void {
    const found$: Observable<readonly FoundFile[]> = defer(() => this.#catalogue.find());
    this.#life = found$.subscribe({
      next: (files) => {
        this.#hasFound = true;
        this.#listener.found(files);
      },
      error: (error: unknown) => this.#failed(error),
      complete: () => this.#lookLater(),
    });
  }

  end(): void {
    this.#isOver = true;
    this.#life.unsubscribe();
  }

  #failed(cause: unknown): void {
    const message = sentence(`Cannot look for files on ${this.#where}: ${describeError(cause)}`);
    if (this.#hasFound) {
      this.#monitor.report({ what: 'RXF_SOURCE_FILES', about: this.#where, message, cause });
      this.#lookLater();
    } else {
      this.#listener.failed(new ConnectError('RXF_SOURCE_FILES', message, { cause, retryable: isRetryable(cause) }));
    }
  }

  #lookLater(): void {
    const { againAfterMs } = this.#catalogue;
    if (againAfterMs !== undefined && !this.#isOver) this.#life = timer(againAfterMs).subscribe(() => this.look());
  }
}

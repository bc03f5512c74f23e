import { catchError, concat, defer, EMPTY, ignoreElements, map, type Observable, of, switchMap, tap } from 'rxjs';
import { ConnectError, describeError, isRetryable } from '../../core/errors.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { OffsetStore } from '../../offsets/offset-store.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';
import type { CheckedStreamOptions, StreamStart } from './stream-options.js';
import { type FoundStart, startOffset } from './stream-start.js';

/** Longer than a storage takes to start anew. */
const NOTED_WITHIN_MS = 600_000;

/** What it needs of the reader that it looks for. */
export interface ResumesFor {
  readonly queue: string;
  readonly stream: string;
  /** Where the stream begins is known, and stays so. */
  startFound(start: number): void;
}

/** Where a channel begins to read, and what the ledger said about it, where there is one. */
export interface Beginning {
  readonly resumePoint: ResumePoint | undefined;
  readonly begins: StreamStart;
  /** It begins at 0 because the stream was empty a moment ago, so the offset of its next message was not known. */
  readonly wasEmpty: boolean;
}

/** Finds where each channel of a stream is to begin: the ledger's place, else what is known here, else what `startAt` says. */
export class Resuming {
  readonly #driver: AmqpConsumerDriver;
  readonly #reader: ResumesFor;
  readonly #options: CheckedStreamOptions;

  constructor(driver: AmqpConsumerDriver, reader: ResumesFor, options: CheckedStreamOptions) {
    this.#driver = driver;
    this.#reader = reader;
    this.#options = options;
  }

  /**
   * A start that is a moment is looked up once, kept for later channels, and noted in the ledger before anything is read:
   * what is published before the first commit must not be skipped.
   *
   * Fails: `RXF_AMQP_RESUME`; as the driver does.
   */
  whereToBegin(position: number | undefined): Observable<Beginning> {
    const { startAt, declare } = this.#options;
    return this.#resumePoint().pipe(
      switchMap((resumePoint) => {
        const known = resumePoint?.start ?? position;
        if (known !== undefined) return of({ resumePoint, begins: known, wasEmpty: false });
        if (startAt !== 'last' && startAt !== 'next') return of({ resumePoint, begins: startAt, wasEmpty: false });
        return startOffset(this.#driver, startAt, { queue: this.#reader.queue, declare }).pipe(
          tap(({ start }) => this.#reader.startFound(start)),
          switchMap((found) => this.#noted(resumePoint, found)),
        );
      }),
    );
  }

  /** Where another has noted a start meanwhile, that one stands: so the ledger is asked again. */
  #noted(resumePoint: ResumePoint | undefined, { start, isEmpty }: FoundStart): Observable<Beginning> {
    const { resumeFrom } = this.#options;
    if (resumeFrom?.begin === undefined) return of({ resumePoint, begins: start, wasEmpty: isEmpty });
    return concat(
      this.#noteStart(resumeFrom, start),
      defer(() => this.#resumePoint()).pipe(
        map((again) => ({ resumePoint: again, begins: again?.start ?? start, wasEmpty: isEmpty })),
      ),
    );
  }

  #noteStart(resumeFrom: OffsetStore, start: number): Observable<never> {
    const call = () => resumeFrom.begin?.(this.#reader.stream, start) ?? EMPTY;
    const late = () => this.#error(`no answer within ${NOTED_WITHIN_MS / 1_000} s`, true);
    return guarded(call, NOTED_WITHIN_MS, late).pipe(
      ignoreElements(),
      catchError((cause: unknown) => {
        throw this.#error(cause, isRetryable(cause));
      }),
    );
  }

  #resumePoint(): Observable<ResumePoint | undefined> {
    const { resumeFrom, monitor } = this.#options;
    if (resumeFrom === undefined) return of(undefined);
    const { stream } = this.#reader;
    const reported = (message: string) => monitor.logEvent('warn', 'RXF_AMQP_RESUME', message);
    return lookUpOffsets(() => resumeFrom([stream]), [stream], 'RXF_AMQP_RESUME', reported).pipe(
      map((lookup) => ({ resumeFrom, lookup, start: lookup.get(stream) })),
      catchError((cause: unknown) => {
        throw this.#error(cause, isRetryable(cause));
      }),
    );
  }

  #error(cause: unknown, retryable: boolean): ConnectError {
    return new ConnectError(
      'RXF_AMQP_RESUME',
      `Cannot learn where to resume ${this.#reader.stream}: ${describeError(cause)}. Nothing was read; it can be tried again.`,
      { cause, retryable },
    );
  }
}

import {
  catchError,
  concat,
  defer,
  EMPTY,
  ignoreElements,
  map,
  type Observable,
  of,
  switchMap,
  tap,
  throwError,
} from 'rxjs';
import { ConnectError, describeError, isRetryable } from '../../core/errors.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { AmqpConsumerDriver } from '../../ports/amqp-consumer.js';
import type { CheckedStreamOptions, StreamStart } from './stream-options.js';
import { type FoundStart, startOffset } from './stream-start.js';

/** Longer than a storage takes to start anew. */
const NOTED_WITHIN_MS = 600_000;

/** Where a channel begins to read, and what the ledger said about it, where there is one. */
export interface Beginning {
  readonly resumePoint: ResumePoint | undefined;
  readonly begins: StreamStart;
  /** It begins at 0 because the stream was empty a moment ago, so the offset of its next message was not known. */
  readonly wasEmpty: boolean;
}

/**
 * Where the next channel of a stream is to begin: where the ledger says, else at the position that is known here, else where
 * `startAt` says. A start that is a moment is looked up once, given to `found`, which keeps it for later channels, and noted in
 * the ledger before anything is read: what is published before the first commit must not be skipped.
 *
 * Fails: `RXF_AMQP_RESUME`; as the driver does.
 */
export function whereToBegin(
  driver: AmqpConsumerDriver,
  { queue, stream }: { readonly queue: string; readonly stream: string },
  options: CheckedStreamOptions,
  position: number | undefined,
  found: (start: number) => void,
): Observable<Beginning> {
  const { startAt, declare, resumeFrom, monitor } = options;
  const failed = (cause: unknown, retryable = isRetryable(cause)) =>
    new ConnectError(
      'RXF_AMQP_RESUME',
      `Cannot learn where to resume ${stream}: ${describeError(cause)}. Nothing was read; it can be tried again.`,
      { cause, retryable },
    );
  const lookUp = (): Observable<ResumePoint | undefined> => {
    if (resumeFrom === undefined) return of(undefined);
    const reported = (message: string) => monitor.logEvent('warn', 'RXF_AMQP_RESUME', message);
    return lookUpOffsets(() => resumeFrom([stream]), [stream], 'RXF_AMQP_RESUME', reported).pipe(
      map((lookup) => ({ resumeFrom, lookup, start: lookup.get(stream) })),
      catchError((cause: unknown) => throwError(() => failed(cause))),
    );
  };
  const note = (start: number): Observable<never> => {
    const late = () => failed(`no answer within ${NOTED_WITHIN_MS / 1_000} s`, true);
    return guarded(() => resumeFrom?.begin?.(stream, start) ?? EMPTY, NOTED_WITHIN_MS, late).pipe(
      ignoreElements(),
      catchError((cause: unknown) => throwError(() => failed(cause))),
    );
  };
  /** Where another has noted a start meanwhile, that one counts: so the ledger is asked again. */
  const noted = (resumePoint: ResumePoint | undefined, { start, isEmpty: wasEmpty }: FoundStart) => {
    if (resumeFrom?.begin === undefined) return of({ resumePoint, begins: start, wasEmpty });
    const again$ = defer(lookUp).pipe(
      map((again) => ({ resumePoint: again, begins: again?.start ?? start, wasEmpty })),
    );
    return concat(note(start), again$);
  };
  return lookUp().pipe(
    switchMap((resumePoint): Observable<Beginning> => {
      const known = resumePoint?.start ?? position;
      if (known !== undefined) return of({ resumePoint, begins: known, wasEmpty: false });
      if (startAt !== 'last' && startAt !== 'next') return of({ resumePoint, begins: startAt, wasEmpty: false });
      return startOffset(driver, startAt, { queue, declare }).pipe(
        tap(({ start }) => found(start)),
        switchMap((moment) => noted(resumePoint, moment)),
      );
    }),
  );
}

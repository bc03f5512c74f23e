import { catchError, map, type Observable, of, throwError } from 'rxjs';
import { ConnectError, describeError, isRetryable } from '../../core/errors.js';
import type { ResumePoint } from '../../offsets/commit-horizon.js';
import { lookUpOffsets } from '../../offsets/look-up-offsets.js';
import type { CheckedReading } from './options.js';

/** What a ledger says of the stream of a file, where there is one. Fails: `RXF_SOURCE_RESUME`. */
export function resumePointOf(
  stream: string,
  { resumeFrom, monitor }: Pick<CheckedReading<unknown>, 'resumeFrom' | 'monitor'>,
): Observable<ResumePoint | undefined> {
  if (resumeFrom === undefined) return of(undefined);
  const tell = (message: string) => monitor.logEvent('warn', 'RXF_SOURCE_RESUME', message);
  return lookUpOffsets(() => resumeFrom([stream]), [stream], 'RXF_SOURCE_RESUME', tell).pipe(
    map((lookup) => ({ resumeFrom, lookup, start: lookup.get(stream) })),
    catchError((cause: unknown) =>
      throwError(
        () =>
          new ConnectError(
            'RXF_SOURCE_RESUME',
            `Cannot learn where to resume ${stream}: ${describeError(cause)}. Nothing of it was read; the subscription can be tried again.`,
            { cause, retryable: isRetryable(cause) },
          ),
      ),
    ),
  );
}

import { catchError, type MonoTypeOperatorFunction, throwError } from 'rxjs';
import { describeError, SinkError } from '../../core/errors.js';

/**
 * A file of our own that is gone while it is written was removed under us: by the clean-up of another writer, when this
 * one was asleep and its commit can no longer be made, or by hand. Either way the values can be written again, so the
 * error may be retried; the ledger then tells where.
 */
export function removedError(path: string, cause: unknown): unknown {
  if (!(cause instanceof SinkError) || cause.code !== 'RXF_FILES_MISSING') return cause;
  return new SinkError(
    'RXF_FILES_MISSING',
    `${path} was removed while it was written (${describeError(cause)}): by another writer that has taken the stream over, or ` +
      'by hand. Its values are redelivered.',
    { details: { path }, retryable: true, cause },
  );
}

/** The same for an Observable. */
export function retryWhereRemoved<T>(path: string): MonoTypeOperatorFunction<T> {
  return catchError((cause: unknown) => throwError(() => removedError(path, cause)));
}

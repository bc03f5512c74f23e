import { describeError, isRetryable, SourceError } from '../../core/errors.js';
import { sentence } from '../../core/sentence.js';
import type { FoundFile } from '../../ports/file-input.js';

/** A file is not what it was when it was found. */
export function changedError({ path, bytes }: FoundFile, how: string): SourceError {
  return new SourceError(
    'RXF_SOURCE_FILE_CHANGED',
    `${path} was changed after it was found with ${bytes} bytes: ${how}. It stays where it is, and is not read on; what was stored of it ` +
      'stays stored. Write a file under another name, such as one that ends in `.tmp`, and rename it when it is whole.',
    { details: { path, bytes } },
  );
}

/** A ledger knows of more records than a file has: its records were made in another way. */
export function shorterError({ path }: FoundFile, start: number, records: number): SourceError {
  return new SourceError(
    'RXF_SOURCE_FILE_CHANGED',
    `${path} has ${records} records, but the ledger says that ${start} of them are stored. Read it with the same \`records\` as before.`,
    { details: { path, start, records } },
  );
}

/** A file cannot be read, or not to its end. */
export function unreadableError({ path }: FoundFile, index: number, cause: unknown): SourceError {
  if (cause instanceof SourceError) return cause;
  return new SourceError(
    'RXF_SOURCE_FILE',
    sentence(`Cannot read ${path} behind record ${index}: ${describeError(cause)}`),
    { cause, details: { path, index } },
  );
}

/** Why a source stops at a nacked record, and what to do. */
export function nackedError(path: string, offset: number, attempt: number, cause: unknown): SourceError {
  const tries = attempt > 1 ? ` after ${attempt} attempts` : '';
  const next = isRetryable(cause)
    ? 'It is read again at the next start.'
    : 'The flow stops, since a nacked record is never skipped; it is read again at the next start. Correct the cause, or set ' +
      'such values aside with `decode(…, { deadLetter })`, and start again.';
  const what = `Record ${offset} of ${path} was nacked${tries}`;
  return new SourceError('RXF_SOURCE_NACKED', sentence(`${what}: ${describeError(cause)}`, next), {
    cause,
    details: { path, offset, attempts: attempt },
  });
}

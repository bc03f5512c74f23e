import { SourceError } from '../../core/errors.js';

/** What is raised where the log's files are not what the log wrote. */
export function damaged(file: string, what: string, details: Readonly<Record<string, unknown>> = {}): SourceError {
  return new SourceError(
    'RXF_KAFKA_PROTOCOL',
    `${file} is damaged: ${what}. Nothing was changed. Restore the file from a copy, or move the log's folder away to ` +
      'start with an empty one.',
    { details: { file, ...details } },
  );
}

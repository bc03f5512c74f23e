import { DecodeError, describeError, RxflumeError } from '../../../core/errors.js';

/** What is wrong with a file: where, and why. */
export function parquetFault(where: string, cause: unknown): RxflumeError {
  if (cause instanceof RxflumeError) return cause;
  const why = typeof cause === 'string' ? cause : describeError(cause);
  const extras = typeof cause === 'string' ? {} : { cause };
  return new DecodeError('RXF_DECODE_SYNTAX', `Not a Parquet file that can be read: ${where}: ${why}.`, {
    ...extras,
    details: { where },
  });
}

/** What would take more memory than `maxRowGroupBytes`. */
export function tooLarge(where: string, bytes: number, maxRowGroupBytes: number): DecodeError {
  return new DecodeError(
    'RXF_DECODE_TOO_LARGE',
    `${where} has ${bytes} bytes or values, more than \`maxRowGroupBytes\`, which is ${maxRowGroupBytes}. Raise it, or write smaller row groups.`,
    { details: { bytes, maxRowGroupBytes } },
  );
}

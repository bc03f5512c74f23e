/** The one error for a batch that would not fit. */
export function tooLarge(codec: string, most: number): Error {
  return new RangeError(`a ${codec} batch decompresses to more than ${most} bytes; raise \`maxBatchBytes\` to read it`);
}

/** What Node's own decompression failed with: `tooLarge` where it was stopped at the limit. */
export function inflateError(codec: string, error: unknown, most: number): unknown {
  return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(codec, most) : error;
}

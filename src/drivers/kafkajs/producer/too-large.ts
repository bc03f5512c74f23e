/** The one error for a batch that would not fit. */
export function tooLarge(codec: string, most: number): Error {
  return new RangeError(`a ${codec} batch decompresses to more than ${most} bytes; raise \`maxBatchBytes\` to read it`);
}

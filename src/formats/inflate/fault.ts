/** What is decompressed, by the names of options. */
export type InflatedCodec = 'gzip' | 'deflate' | 'snappy' | 'lz4' | 'zstd';

/** Bytes that are not what the codec writes, or that decompress to more than the limit. What sets the limit names its option. */
export class InflateFault extends Error {
  readonly codec: InflatedCodec;
  readonly isTooLarge: boolean;

  constructor(codec: InflatedCodec, problem: 'too large' | 'corrupt' | (string & {}), cause?: unknown) {
    super(`the ${codec} data is ${problem}`, cause === undefined ? undefined : { cause });
    this.codec = codec;
    this.isTooLarge = problem === 'too large';
  }
}

/** No payload has more members, streams or frames: each takes time of its own, and empty ones stand for nothing. */
export const MAX_PARTS = 1_000;

/** What a library failed with, as a fault. */
export function faultOf(codec: InflatedCodec, error: unknown): InflateFault {
  if (error instanceof InflateFault) return error;
  const { code } = error as { readonly code?: unknown };
  return new InflateFault(codec, code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : 'corrupt', error);
}

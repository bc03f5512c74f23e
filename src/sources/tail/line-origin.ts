import type { Origin } from '../../delivery/delivery.js';

/** The origin of a line, or of lines that are one value: its bytes in the file, from `offset` to `lastOffset`, its end included. */
export interface TailOrigin extends Origin {
  readonly lastOffset: number;
  /** Where the file was when the line was read. */
  readonly path: string;
}

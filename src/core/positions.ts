import type { ObservableInput } from 'rxjs';

/**
 * Where to take up each of these streams: the next offset by stream name. A stream it leaves out starts where the source
 * would start it by itself.
 */
export interface Positions {
  (streams: readonly string[]): ObservableInput<ReadonlyMap<string, number>>;
  /** What a person can do where a stream no longer holds its position, as the end of an error's message. */
  readonly wayOut?: (stream: string) => string;
}

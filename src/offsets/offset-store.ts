import type { ObservableInput } from 'rxjs';

/** Who asks where to resume. */
export interface OffsetStoreReader {
  /** The consumer group that the source reads as. */
  readonly groupId: string;
}

/** How far a stream is acked. */
export interface AckedUpTo {
  readonly stream: string;
  /** The next offset to read. */
  readonly offset: number;
  /** What was answered when the stream was resumed, that very object. */
  readonly lookup: ReadonlyMap<string, number>;
}

/**
 * Where to resume each of these streams: the next offset by stream name. A stream it leaves out starts where the source
 * would start it by itself.
 */
export interface OffsetStore {
  (streams: readonly string[], reader?: OffsetStoreReader): ObservableInput<ReadonlyMap<string, number>>;
  /**
   * What a person can do where a stream no longer holds its position, as the end of an error's message. `first` is the first
   * offset that exists, where those before it were deleted; undefined where the stream ends before its position.
   */
  readonly recoveryHint?: (stream: string, first?: number) => string;
  /**
   * Present where the positions are the group's own offsets, which the sink commits with what it writes: called instead of the
   * broker's commit with how far streams are acked, so that one hand moves them. A commit of the source's own, late on its way, would set
   * them back.
   */
  readonly commit?: (acked: readonly AckedUpTo[]) => ObservableInput<unknown>;
  /**
   * Present where the positions can hold where a stream begins before anything of it is stored. Called for a stream without a
   * position whose start is a moment, such as the end of its log; done when the start is durable. Where another has begun the
   * stream meanwhile, that start counts: ask again.
   */
  readonly begin?: (stream: string, start: number) => ObservableInput<unknown>;
}

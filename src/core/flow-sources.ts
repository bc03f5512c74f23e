import type { Observable } from 'rxjs';

/** How far a source is in one stream, as offsets. What is not known is left out. */
export interface StreamPositions {
  /** Such as `kafka:chat/3`. */
  readonly stream: string;
  /** The first offset that the log still has. */
  readonly logStart?: number;
  /** The offset after the last record of the log. */
  readonly logEnd?: number;
  /** Everything before it was given to the operators. */
  readonly read?: number;
  /** Everything before it has left memory: a sink has handed it over. */
  readonly released?: number;
  /** Everything before it is settled. */
  readonly acked?: number;
  /** Everything before it is committed. */
  readonly committed?: number;
}

/** Where one record is, as far as its source knows. */
export interface RecordPosition {
  /**
   * `not read`: it was not given to the operators yet. `in flight`: it was, and is not settled. `settled`: it waits for those before
   * it, or for the next commit. `gone`: its stream is read, and holds no record there.
   */
  readonly state: 'not read' | 'in flight' | 'settled' | 'committed' | 'gone';
  /** When it was given to the operators, by the monotonic clock, in milliseconds; of some sources up to 64 records too early. */
  readonly sentAt?: number;
  /** How often its stream was read again up to it, this time included. */
  readonly attempt?: number;
  /** Whether a sink has taken its bytes, so that it only waits to be made durable. */
  readonly isReleased?: boolean;
  /** How many settled records behind it cannot be committed before it. */
  readonly holdsUp?: number;
}

/** One subscription of a source, as the flow that it belongs to may steer it and ask it. */
export interface FlowSource {
  /** The flow was paused, or resumed: `FlowSources.isPaused` says which. */
  pauseChanged(): void;
  /** Has all that hold its deliveries make them durable now. */
  settle(): void;
  positions(): Iterable<StreamPositions>;
  /** Undefined where the stream is none of those that it reads. */
  locate(stream: string, offset: number): RecordPosition | undefined;
  /** What to run so that a stream resumes at the offset, while no flow reads it; left out where that cannot be. */
  howToReset?(stream: string, offset: number): string | undefined;
  /** Whether `reset` can be done at all; where this is left out, it cannot. */
  readonly canReset?: boolean;
  /**
   * Has a stream that it reads be read on from the offset, and commits that. Completes once it is committed. Only while paused: what is in
   * flight of it is settled first. Fails: `RXF_FLOW_COMMAND` where it cannot be done now.
   */
  reset?(stream: string, offset: number): Observable<never>;
  /** By stream, the offset of the first record of this time or later, in milliseconds since 1970; the end of the log where there is none. */
  offsetsAt?(timeMs: number): Observable<ReadonlyMap<string, number>>;
}

/**
 * The sources of one subscription of a flow. Each adds itself when it is subscribed to, also when it is connected again, so that a pause
 * outlasts the connection.
 *
 * Bounds: one entry for each source that is subscribed to.
 */
export class FlowSources {
  readonly #sources = new Set<FlowSource>();
  #isPaused = false;
  #hasBegun = false;

  /** Whether nothing more is to be read for now. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether any source has ever added itself: one that does not cannot be paused. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  get all(): readonly FlowSource[] {
    return [...this.#sources];
  }

  /** Returns what takes it away. */
  add(source: FlowSource): () => void {
    this.#sources.add(source);
    this.#hasBegun = true;
    return () => {
      this.#sources.delete(source);
    };
  }

  setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused) return;
    this.#isPaused = isPaused;
    for (const source of this.all) source.pauseChanged();
  }
}

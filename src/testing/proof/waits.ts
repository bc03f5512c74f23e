/** How long a partition has had a record that was not committed. */
export interface Wait {
  /** `topic/partition`. */
  readonly stream: string;
  /** Up to where it is committed: the offset of the record that waits. */
  readonly offset: number;
  /** Up to where there are records. */
  readonly end: number;
  /** From when on it counts, in virtual milliseconds. */
  readonly fromMs: number;
  readonly ms: number;
  /** How far other partitions were committed meanwhile, in offsets; those that were not are left out. */
  readonly moved: ReadonlyMap<string, number>;
}

interface Stream {
  committed: number;
  end: number;
  /** When it was last committed further, or had nothing to wait. */
  sinceMs: number;
  /** Up to where each partition was committed at that time. */
  before: ReadonlyMap<string, number>;
}

/**
 * How long each partition waits to be committed further while nothing is wrong: what is lost and stored twice shows neither
 * that one partition gets nothing as long as others have something, nor that something waits forever. A partition that
 * moves on is not waiting, however slow it is.
 */
export class Waits {
  /** The longest wait so far. */
  longest: Wait | undefined;
  readonly #streams = new Map<string, Stream>();
  #isPaused = false;
  /** What is waited before counts for nothing. */
  #calmFromMs = 0;
  #beforeCalm: ReadonlyMap<string, number> = new Map();

  /** There are records up to `end`. */
  produced(name: string, end: number, nowMs: number): void {
    const stream = this.#streamOf(name, nowMs);
    if (stream.committed >= stream.end) this.#restart(stream, nowMs);
    stream.end = Math.max(stream.end, end);
  }

  /** What a group forgets, or commits once more, is not waiting again. */
  committed(name: string, offset: number, nowMs: number): void {
    const stream = this.#streamOf(name, nowMs);
    if (offset <= stream.committed) return;
    this.#count(name, stream, nowMs);
    stream.committed = offset;
    this.#restart(stream, nowMs);
  }

  /** Something is wrong until then: waiting counts from there on, for all. */
  disturbed(untilMs: number, nowMs: number): void {
    this.look(nowMs);
    this.#calmFromMs = Math.max(this.#calmFromMs, untilMs);
    this.#beforeCalm = this.#positions();
  }

  /** Nobody is there to work, on purpose: waiting does not count until `resume`. */
  pause(nowMs: number): void {
    this.look(nowMs);
    this.#isPaused = true;
  }

  resume(nowMs: number): void {
    this.disturbed(nowMs, nowMs);
    this.#isPaused = false;
  }

  /** Takes into account how long all have waited until now. */
  look(nowMs: number): void {
    for (const [name, stream] of this.#streams) this.#count(name, stream, nowMs);
  }

  /** The longest wait that goes on, also while it does not count yet; undefined while paused, or where none waits. */
  current(nowMs: number): Wait | undefined {
    if (this.#isPaused) return undefined;
    return this.waiting(nowMs).reduce<Wait | undefined>(longer, undefined);
  }

  /** All that wait now, whether it counts or not. */
  waiting(nowMs: number): readonly Wait[] {
    return [...this.#streams].flatMap(([name, stream]) =>
      stream.committed < stream.end ? [this.#waitOf(name, stream, nowMs)] : [],
    );
  }

  #count(name: string, stream: Stream, nowMs: number): void {
    const isWaiting = !this.#isPaused && stream.committed < stream.end;
    if (isWaiting && nowMs > this.#fromMs(stream))
      this.longest = longer(this.longest, this.#waitOf(name, stream, nowMs));
  }

  #waitOf(name: string, stream: Stream, nowMs: number): Wait {
    const fromMs = this.#fromMs(stream);
    const before = fromMs > stream.sinceMs ? this.#beforeCalm : stream.before;
    const moved = [...this.#streams]
      .map(([other, { committed }]) => [other, committed - (before.get(other) ?? 0)] as const)
      .filter(([other, count]) => other !== name && count > 0);
    const { committed: offset, end } = stream;
    return { stream: name, offset, end, fromMs, ms: Math.max(0, nowMs - fromMs), moved: new Map(moved) };
  }

  #fromMs({ sinceMs }: Stream): number {
    return Math.max(sinceMs, this.#calmFromMs);
  }

  #restart(stream: Stream, nowMs: number): void {
    stream.sinceMs = nowMs;
    stream.before = this.#positions();
  }

  #positions(): ReadonlyMap<string, number> {
    return new Map([...this.#streams].map(([name, { committed }]) => [name, committed]));
  }

  #streamOf(name: string, nowMs: number): Stream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = { committed: 0, end: 0, sinceMs: nowMs, before: new Map() };
      this.#streams.set(name, stream);
    }
    return stream;
  }
}

function longer(one: Wait | undefined, other: Wait): Wait {
  return one === undefined || other.ms > one.ms ? other : one;
}

/** The wait in words: where, since when, and what else was done meanwhile. */
export function waitInWords({ stream, offset, end, fromMs, ms, moved }: Wait): string {
  const others = [...moved].map(([other, count]) => `${other} by ${count}`).join(', ');
  return (
    `${stream} offset ${offset} (of ${end}) was not committed for ${ms} ms, from ${fromMs} ms on; meanwhile ` +
    `${others === '' ? 'no other partition moved on' : `others moved on: ${others}`}`
  );
}

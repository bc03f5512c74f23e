/** What can fail: a partition, the lookup of start offsets, the group's heartbeats, or its commits. */
type Troubled = object | 'start' | 'group' | 'commit';

/** Beyond `maxWaitMs`, until an answer counts as missing. */
export const LATE_MS = 1_000;
/** An answer that came while our own loop was held up is not late: it gets this long to be seen. */
const SEEN_WITHIN_MS = 200;

/**
 * Whether what one assignment owns can be read and committed now: troubles and recoveries in, each change of the whole
 * out. It begins as readable, and tells nothing before `start` and after `end`.
 */
export class Reading {
  readonly #tell: (isReading: boolean) => void;
  readonly #troubled = new Set<Troubled>();
  #isTelling = false;

  constructor(tell: (isReading: boolean) => void) {
    this.#tell = tell;
  }

  start(): void {
    this.#isTelling = true;
    if (this.#troubled.size > 0) this.#tell(false);
  }

  end(): void {
    this.#isTelling = false;
  }

  failing(what: Troubled): void {
    if (this.#troubled.has(what)) return;
    this.#troubled.add(what);
    if (this.#isTelling && this.#troubled.size === 1) this.#tell(false);
  }

  works(what: Troubled): void {
    if (this.#troubled.delete(what) && this.#isTelling && this.#troubled.size === 0) this.#tell(true);
  }
}

/** Calls `late` where there is no answer after so many milliseconds. */
export function whenLate(answer: Promise<unknown>, afterMs: number, late: () => void): void {
  let timer = setTimeout(() => {
    timer = setTimeout(late, SEEN_WITHIN_MS).unref();
  }, afterMs - SEEN_WITHIN_MS).unref();
  const stop = () => clearTimeout(timer);
  answer.then(stop, stop);
}

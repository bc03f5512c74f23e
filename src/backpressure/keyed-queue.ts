import { Queue } from '../core/queue.js';

/** An entry of the queue; pass it to `done` when it has finished. */
export interface KeyedEntry<out T> {
  readonly one: T;
  readonly key: unknown;
}

/**
 * Schedules entries: at most `maxInFlight` at once, in order of arrival; those of one key sequentially, those of different keys
 * concurrently. Pure.
 *
 * Bounds: the waiting entries, and a queue for each key that is waiting or running.
 */
export class KeyedQueue<T> {
  readonly #maxInFlight: number;
  readonly #ready = new Queue<KeyedEntry<T>>();
  /** Entries that wait for an earlier one of their key. */
  readonly #behind = new Map<unknown, Queue<KeyedEntry<T>>>();
  #underWay = 0;
  #waiting = 0;

  constructor(maxInFlight: number) {
    this.#maxInFlight = maxInFlight;
  }

  /** How many are waiting. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many are waiting or running. */
  get size(): number {
    return this.#waiting + this.#underWay;
  }

  /** Whether it holds for one that waits. */
  hasWaiting(holds: (one: T) => boolean): boolean {
    return [this.#ready, ...this.#behind.values()].some((queue) => queue.some(({ one }) => holds(one)));
  }

  /** Adds an entry; without a key (undefined or null) it waits for no other. */
  add(one: T, key?: unknown): void {
    this.#waiting += 1;
    const turn = { one, key };
    if (key === undefined || key === null) {
      this.#ready.add(turn);
      return;
    }
    const behind = this.#behind.get(key);
    if (behind !== undefined) behind.add(turn);
    else {
      this.#behind.set(key, new Queue());
      this.#ready.add(turn);
    }
  }

  /** Starts the next entry and returns it; undefined if `maxInFlight` are running. */
  take(): KeyedEntry<T> | undefined {
    if (this.#underWay >= this.#maxInFlight) return undefined;
    const turn = this.#ready.take();
    if (turn === undefined) return undefined;
    this.#underWay += 1;
    this.#waiting -= 1;
    return turn;
  }

  done({ key }: KeyedEntry<T>): void {
    this.#underWay -= 1;
    const behind = this.#behind.get(key);
    const next = behind?.take();
    if (next !== undefined) this.#ready.add(next);
    else this.#behind.delete(key);
  }

  /** Removes all waiting entries. */
  takeAll(): T[] {
    const all = [...this.#ready.takeAll(), ...[...this.#behind.values()].flatMap((behind) => behind.takeAll())];
    this.#waiting = 0;
    return all.map(({ one }) => one);
  }
}

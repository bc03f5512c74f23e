import { Queue } from '../core/queue.js';

/** One whose turn has come: `done` is to be told when it is over. */
export interface KeyedEntry<out T> {
  readonly one: T;
  readonly key: unknown;
}

/**
 * Whose turn it is: at most `concurrency` at once, in order of arrival; those of one key one after the other, while others
 * go on. Pure.
 *
 * Bounds: holds what waits, and a queue for each key that waits or has its turn.
 */
export class KeyedQueue<T> {
  readonly #concurrency: number;
  readonly #ready = new Queue<KeyedEntry<T>>();
  /** What waits behind another of its key. */
  readonly #behind = new Map<unknown, Queue<KeyedEntry<T>>>();
  #underWay = 0;
  #waiting = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Takes one in; without a key (undefined or null) it waits for no other. */
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

  /** The next whose turn it is, under way from here on; none while enough are. */
  take(): KeyedEntry<T> | undefined {
    if (this.#underWay >= this.#concurrency) return undefined;
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

  /** Takes out all that waits. */
  takeAll(): T[] {
    const all = [...this.#ready.takeAll(), ...[...this.#behind.values()].flatMap((behind) => behind.takeAll())];
    this.#waiting = 0;
    return all.map(({ one }) => one);
  }
}

import { Subscription, timer } from 'rxjs';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { CallbackConnection, CallbackListener } from '../from/callback-connection.js';
import type { CheckedOptions, Generated, GenerateRecord } from './options.js';
import { recordRandom } from './record-random.js';

/** So many records are generated before other work of the process has its turn. */
const SLICE = 1_000;

/**
 * Generates records as they are due, each when its turn comes and the window has room. One that is held back is not skipped: the rate is
 * caught up with, so that it is that of the load, not of what the flow can take.
 */
export class RecordGenerator<T> implements CallbackConnection {
  readonly #record: GenerateRecord<T>;
  readonly #options: CheckedOptions<T>;
  readonly #listener: CallbackListener<Generated<T>>;
  readonly #startedAt = monotonicMs();
  readonly #startDate = timeOfDayMs();
  #seq = 0;
  #sleeping = Subscription.EMPTY;
  #isPaused = false;
  #isOver = false;

  constructor(record: GenerateRecord<T>, options: CheckedOptions<T>, listener: CallbackListener<Generated<T>>) {
    this.#record = record;
    this.#options = options;
    this.#listener = listener;
    this.#sleeping = timer(0).subscribe(() => this.#generate());
  }

  pause(): void {
    this.#isPaused = true;
    this.#sleeping.unsubscribe();
  }

  resume(): void {
    this.#isPaused = false;
    this.#sleep(0);
  }

  stop(): void {
    this.#isOver = true;
    this.#sleeping.unsubscribe();
  }

  close(): void {
    this.stop();
  }

  #generate(): void {
    const { count, seed } = this.#options;
    for (let made = 0; !this.#isPaused && !this.#isOver; made += 1) {
      if (this.#seq >= count) {
        this.stop();
        this.#listener.complete();
        return;
      }
      const waitMs = made < SLICE ? this.#waitMs : 0;
      if (waitMs > 0 || made >= SLICE) {
        this.#sleep(waitMs);
        return;
      }
      const seq = this.#seq;
      const dueAt = Math.round(this.#startDate + (this.#hasRate ? this.#dueMs : monotonicMs() - this.#startedAt));
      this.#seq += 1;
      let record: T;
      try {
        record = this.#record(seq, recordRandom(seed, seq));
      } catch (error) {
        this.stop();
        this.#listener.error(error);
        return;
      }
      this.#listener.next({ record, dueAt });
    }
  }

  get #hasRate(): boolean {
    return this.#options.perSecond !== Number.POSITIVE_INFINITY;
  }

  /** How long after the start the next record is due. */
  get #dueMs(): number {
    const { perSecond, burst } = this.#options;
    return (Math.floor(this.#seq / burst) * burst * 1_000) / perSecond;
  }

  get #waitMs(): number {
    return Math.max(0, Math.ceil(this.#dueMs - (monotonicMs() - this.#startedAt)));
  }

  #sleep(ms: number): void {
    this.#sleeping.unsubscribe();
    if (!this.#isOver && !this.#isPaused) this.#sleeping = timer(ms).subscribe(() => this.#generate());
  }
}

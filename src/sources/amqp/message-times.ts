import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { type AgeHistograms, TimeIndex } from '../../offsets/time-index.js';
import type { AmqpMessage } from '../../ports/amqp-consumer.js';

/** Messages that arrive within so long of each other may share an entry. */
const SHARED_MS = 100;

/**
 * When the unsettled messages of one channel were made: by their timestamps, or else when they arrived.
 *
 * Bounds: those of `TimeIndex`. A message costs one look at the time of day.
 */
export class MessageTimes {
  readonly #index = new TimeIndex();
  readonly #ages: AgeHistograms;
  #lastAt = 0;

  constructor(ages: AgeHistograms) {
    this.#ages = ages;
  }

  /** To be called with each message, in order. */
  arrived(seq: number, message: AmqpMessage): void {
    const now = timeOfDayMs();
    const isApart = Math.abs(now - this.#lastAt) >= SHARED_MS;
    if (!this.#index.wants(seq, isApart)) return;
    this.#lastAt = now;
    const { timestamp } = message.properties;
    // No message is younger than the moment it arrives, whatever its producer wrote.
    const time = timestamp === undefined || timestamp <= 0 ? now : Math.min(timestamp, now);
    this.#index.add(seq, time, monotonicMs());
  }

  /** All below `end` are settled, of `count` that arrived. */
  settledUpTo(end: number, count: number): void {
    if (!this.#index.isPassedBy(end, count)) return;
    this.#index.ackedUpTo(end, count, { ms: monotonicMs(), date: timeOfDayMs() }, this.#ages);
  }

  /** When an unsettled message arrived, or one shortly before it. */
  sentAtOf(seq: number): number | undefined {
    return this.#index.sentAtOf(seq);
  }

  /** When the oldest was made, in milliseconds since 1970; undefined where none is out. */
  get oldestTime(): number | undefined {
    return this.#index.oldestTime;
  }
}

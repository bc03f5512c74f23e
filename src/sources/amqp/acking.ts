import { ContiguousPrefix } from '../../offsets/contiguous-prefix.js';
import { SeqSet } from '../../offsets/seq-set.js';

/** What is sent to the broker to ack: one message, or all up to it that are not settled. */
export interface AckFrame {
  readonly deliveryTag: number;
  readonly isMultiple: boolean;
}

/**
 * Which acks are owed to one channel, and how they are said with the fewest frames: `multiple` up to the highest of the
 * unbroken run, singly behind it. The sequence number of a message is its delivery tag less one.
 *
 * Pure. Bounds: two bits for each message from the end of the run to the highest, and an entry for each that is nacked
 * and waits.
 */
export class Acking {
  /** What is acked, or was nacked at the broker: what an ack of all may go over. */
  readonly #closed = new ContiguousPrefix();
  /** Nacked, and not yet reported to the broker. */
  readonly #waiting = new Set<number>();
  #owed = new SeqSet();
  #count = 0;

  /** How many sequence numbers from the lowest on are settled without a gap. */
  get end(): number {
    return this.#closed.end;
  }

  /** How many are settled, whether the broker knows or not. */
  get settled(): number {
    return this.#count;
  }

  /** Whether it is acked, or was nacked, whether the broker knows or not. */
  isSettled(seq: number): boolean {
    return this.#closed.has(seq) || this.#waiting.has(seq);
  }

  /** How many acks were not sent to the broker yet. */
  get owed(): number {
    return this.#owed.size;
  }

  /** Acks the sequence numbers of the run that are not settled; tells how many. */
  ack(first: number, next: number): number {
    let fresh = 0;
    for (let seq = first; seq < next; seq += 1) {
      if (this.#waiting.has(seq) || this.#closed.mark(seq, seq + 1) === 0) continue;
      this.#owed.add(seq);
      fresh += 1;
    }
    this.#count += fresh;
    return fresh;
  }

  /** Nacks the sequence numbers of the run that are not settled; returns those. They wait for `reported`. */
  markNacked(first: number, next: number): number[] {
    const fresh: number[] = [];
    for (let seq = first; seq < next; seq += 1) {
      if (this.#waiting.has(seq) || this.#closed.has(seq)) continue;
      this.#waiting.add(seq);
      fresh.push(seq);
    }
    this.#count += fresh.length;
    return fresh;
  }

  /** The nack of the sequence number was sent to the broker; false where it was not waiting for that. */
  reported(seq: number): boolean {
    if (!this.#waiting.delete(seq)) return false;
    this.#closed.mark(seq, seq + 1);
    return true;
  }

  /** The frames that say all that is owed, lowest first. */
  take(): AckFrame[] {
    const { end } = this.#closed;
    const singly: AckFrame[] = [];
    let last = -1;
    let inRun = 0;
    this.#owed.forEachRun((first, next) => {
      if (next <= end) {
        last = next - 1;
        inRun += next - first;
        return;
      }
      for (let seq = first; seq < next; seq += 1) singly.push({ deliveryTag: seq + 1, isMultiple: false });
    });
    this.#owed = new SeqSet();
    return last < 0 ? singly : [{ deliveryTag: last + 1, isMultiple: inRun > 1 }, ...singly];
  }
}

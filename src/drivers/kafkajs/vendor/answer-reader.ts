import { AnswerMemory } from '../records/answer-lease.js';

const SIZE_BYTES = 4;
const SCRATCH_BYTES = 64 * 1024;
/** A fetch asks for 16 MiB at most, or `maxPartitionBytes`; the first batch of a partition may be larger than asked for. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

/**
 * Puts what a socket reads together to whole answers, each with its size in front as it was sent. The bulk of an answer is
 * read to where it stays: nothing is copied, and no chunk is kept until the rest has come. Memory of large answers is used
 * again, see `AnswerLease`.
 *
 * Bounds: 64 KiB, the one answer that is being read, of 256 MiB at most, and two that wait to be read into again.
 * Fails: throws for an answer that says it is larger, before memory is taken: another protocol is spoken there.
 */
export class AnswerReader {
  readonly #take: (answer: Buffer) => void;
  readonly #memory = new AnswerMemory();
  readonly #scratch = Buffer.allocUnsafe(SCRATCH_BYTES);
  /** What of the scratch is not taken yet: the size of the next answer, in part. */
  #held = 0;
  #answer: Buffer | undefined;
  #filled = 0;

  constructor(take: (answer: Buffer) => void) {
    this.#take = take;
  }

  /** Where the next bytes are to be read to. */
  room(): Buffer {
    if (this.#answer !== undefined) return this.#answer.subarray(this.#filled);
    return this.#scratch.subarray(this.#held);
  }

  /** So many bytes were read to there. */
  read(bytes: number): void {
    if (this.#answer === undefined) this.#fromScratch(this.#held + bytes);
    else {
      this.#filled += bytes;
      this.#passOn();
    }
  }

  #fromScratch(end: number): void {
    let at = 0;
    while (end - at >= SIZE_BYTES) {
      const size = this.#scratch.readInt32BE(at);
      if (size < 0 || size > MAX_ANSWER_BYTES) {
        throw new Error(
          `a response claims ${size} bytes; at most ${MAX_ANSWER_BYTES} are accepted, so this may be no port of a Kafka broker without TLS`,
        );
      }
      const whole =
        size > SCRATCH_BYTES ? this.#memory.take(SIZE_BYTES + size) : Buffer.allocUnsafeSlow(SIZE_BYTES + size);
      this.#answer = whole;
      this.#filled = this.#scratch.copy(whole, 0, at, Math.min(end, at + whole.length));
      at += this.#filled;
      if (!this.#passOn()) break;
    }
    this.#scratch.copyWithin(0, at, end);
    this.#held = end - at;
  }

  /** Whether the answer was whole. */
  #passOn(): boolean {
    const answer = this.#answer;
    if (answer === undefined || this.#filled < answer.length) return false;
    this.#answer = undefined;
    this.#take(answer);
    return true;
  }
}

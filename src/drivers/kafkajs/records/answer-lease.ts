const leases = new WeakMap<ArrayBufferLike, AnswerLease>();

/** Answers kept to be read into again, of one socket. */
const MAX_SPARE = 2;
/** Sizes differ a little from answer to answer. */
const ROUND_BYTES = 256 * 1024;

/**
 * Who still reads an answer where it was received. When nobody does, its memory is read into again: fresh memory for
 * every answer costs page faults, and V8 collects its whole heap for each few of them that have grown old. A reader that
 * says nothing here keeps the memory from being used again, and so does one that forgets to let go.
 */
export class AnswerLease {
  #users = 0;
  #isSealed = false;
  #isKept = false;
  #giveBack: (() => void) | undefined;

  constructor(giveBack: () => void) {
    this.#giveBack = giveBack;
  }

  /** One more reads it. */
  hold(): void {
    this.#users += 1;
  }

  /** One of those reads it no more. */
  release(): void {
    this.#users -= 1;
    this.#look();
  }

  /** Views of it went to somebody who does not let go: it is never used again. */
  keep(): void {
    this.#isKept = true;
  }

  /** All who are to read it hold it now. */
  seal(): void {
    this.#isSealed = true;
    this.#look();
  }

  #look(): void {
    if (!this.#isSealed || this.#isKept || this.#users > 0) return;
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }
}

/** The lease of the answer that these bytes are a part of; none where its memory is not used again. */
export function leaseOf(bytes: Buffer): AnswerLease | undefined {
  return leases.get(bytes.buffer);
}

/**
 * Memory for the large answers of one socket.
 *
 * Bounds: two answers, of the sizes that came.
 */
export class AnswerMemory {
  #spare: Buffer[] = [];

  /** So many bytes, leased. */
  take(bytes: number): Buffer {
    const found = this.#spare.findIndex(({ length }) => length >= bytes && length <= bytes * 2 + ROUND_BYTES);
    const [whole] = found < 0 ? [] : this.#spare.splice(found, 1);
    const memory = whole ?? Buffer.allocUnsafeSlow(Math.ceil(bytes / ROUND_BYTES) * ROUND_BYTES);
    leases.set(memory.buffer, new AnswerLease(() => this.#giveBack(memory)));
    return memory.subarray(0, bytes);
  }

  #giveBack(memory: Buffer): void {
    leases.delete(memory.buffer);
    this.#spare = [memory, ...this.#spare].slice(0, MAX_SPARE);
  }
}

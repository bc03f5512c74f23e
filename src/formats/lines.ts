/** How a line ends: a line feed, or that of UTF-16, two bytes at an even distance from the beginning. */
export type LineEnd = 'lf' | 'utf-16le' | 'utf-16be';

/**
 * Of a line longer than `maxBytes`: `stop` gives what there is of it as `overlong` and then nothing more; `cut` gives it in pieces
 * of `maxBytes`; `shorten` gives its first `maxBytes` once its end has come, and keeps no more of it.
 */
export type TooLong = 'stop' | 'cut' | 'shorten';

export interface LineLimits {
  readonly lineEnd: LineEnd;
  /** The most bytes of one line, its end not counted. */
  readonly maxBytes: number;
  readonly tooLong: TooLong;
}

export interface Line {
  /** Without its end: a line feed, with a carriage return before it where there is one. A view of the bytes it came in. */
  readonly bytes: Buffer;
  /** How many bytes of the input it is, its end included: the next line begins so much further. */
  readonly size: number;
  /** `piece`: more of the same line follows; `overlong`: `bytes` is not all of it; `rest`: the input ended before the line did. */
  readonly kind: 'whole' | 'piece' | 'overlong' | 'rest';
}

const EMPTY = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;

/**
 * Splits bytes into lines as they arrive: `push` a chunk, then call `next` until it gives nothing.
 *
 * Bounds: keeps views of the chunks that hold a line whose end has not come, at most `maxBytes` and one chunk; each byte is
 * looked at once.
 */
export class LineSplitter {
  readonly #limits: LineLimits;
  readonly #width: number;
  /** What is not given yet; `#at` is where the next line begins in it. */
  #chunk: Buffer = EMPTY;
  #at = 0;
  /** Up to where the chunk was searched for a line end. */
  #searched = 0;
  /** Whole chunks that the line which is under way began in. */
  #before: Buffer[] = [];
  #beforeBytes = 0;
  /** Of a line that is shortened: its first bytes, and how many more were passed over. */
  #head: Buffer | undefined;
  #passed = 0;
  #isStopped = false;

  constructor(limits: LineLimits) {
    this.#limits = limits;
    this.#width = limits.lineEnd === 'lf' ? 1 : 2;
  }

  /** How many bytes were pushed and are of no line yet. */
  get pending(): number {
    return this.#passed + (this.#head?.length ?? 0) + this.#beforeBytes + this.#chunk.length - this.#at;
  }

  /** To be called when `next` gives nothing; the chunk is not copied, so it must not be changed. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) {
      const rest = this.#chunk.subarray(this.#at);
      this.#before.push(rest);
      this.#beforeBytes += rest.length;
    }
    this.#chunk = Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#at = 0;
    this.#searched = 0;
  }

  next(): Line | undefined {
    if (this.#isStopped) return undefined;
    const end = this.#lineEnd();
    const { maxBytes, tooLong } = this.#limits;
    if (end >= 0) return this.#ended(end);
    // The end of a line, with its carriage return, may be what is beyond the most.
    const room = maxBytes + 2 * this.#width - 1;
    if (this.pending - this.#passed <= room) return undefined;
    if (tooLong === 'cut') return this.#piece();
    if (tooLong === 'shorten') {
      this.#shorten();
      return undefined;
    }
    this.#isStopped = true;
    return { bytes: this.#joined(this.#chunk.length).subarray(0, maxBytes), size: 0, kind: 'overlong' };
  }

  /** What is there of a line without an end, when no more comes; nothing where the input ended with a line. */
  end(): Line | undefined {
    const size = this.pending;
    if (size === 0 || this.#isStopped) return undefined;
    const isOverlong = this.#head !== undefined;
    const bytes = this.#head ?? this.#joined(this.#chunk.length);
    this.reset();
    if (!isOverlong && bytes.length > this.#limits.maxBytes && this.#limits.tooLong !== 'cut') {
      return { bytes: bytes.subarray(0, this.#limits.maxBytes), size, kind: 'overlong' };
    }
    return { bytes, size, kind: isOverlong ? 'overlong' : 'rest' };
  }

  /** Forgets what is pending. */
  reset(): void {
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#searched = 0;
    this.#before = [];
    this.#beforeBytes = 0;
    this.#head = undefined;
    this.#passed = 0;
    this.#isStopped = false;
  }

  /** Where the next line end begins in the chunk, or -1. */
  #lineEnd(): number {
    const chunk = this.#chunk;
    if (this.#width === 1) {
      const found = chunk.indexOf(LF, Math.max(this.#at, this.#searched));
      this.#searched = found < 0 ? chunk.length : found;
      return found;
    }
    return this.#wideLineEnd();
  }

  /** A line end of UTF-16 lies at an even distance from the beginning of its line, and may lie across two chunks. */
  #wideLineEnd(): number {
    if (this.#before.length > 0 && (this.#beforeBytes + this.#passed + (this.#head?.length ?? 0)) % 2 === 1) {
      // Half a character hangs over: made whole, so that the search knows only whole ones.
      this.#chunk = this.#joined(this.#chunk.length);
      this.#at = 0;
      this.#searched = 0;
      this.#before = [];
      this.#beforeBytes = 0;
    }
    const [first, second] = this.#limits.lineEnd === 'utf-16le' ? [LF, 0] : [0, LF];
    const chunk = this.#chunk;
    let at = Math.max(this.#at, this.#searched);
    at += (at - this.#at) % 2;
    for (; at + 1 < chunk.length; at += 2) {
      if (chunk[at] === first && chunk[at + 1] === second) {
        this.#searched = at;
        return at;
      }
    }
    this.#searched = at;
    return -1;
  }

  #ended(end: number): Line {
    const isOverlong = this.#head !== undefined;
    const size = this.#passed + (this.#head?.length ?? 0) + this.#beforeBytes + end - this.#at + this.#width;
    const { maxBytes, tooLong } = this.#limits;
    let bytes = this.#withoutReturn(this.#head ?? this.#joined(end), isOverlong);
    if (!isOverlong && bytes.length > maxBytes) {
      if (tooLong === 'cut') return this.#piece();
      bytes = bytes.subarray(0, maxBytes);
      if (tooLong === 'stop') {
        this.#isStopped = true;
        return { bytes, size: 0, kind: 'overlong' };
      }
      this.#begin(end + this.#width);
      return { bytes, size, kind: 'overlong' };
    }
    this.#begin(end + this.#width);
    return { bytes, size, kind: isOverlong ? 'overlong' : 'whole' };
  }

  #begin(at: number): void {
    this.#at = at;
    this.#searched = at;
    if (this.#before.length > 0) this.#before = [];
    this.#beforeBytes = 0;
    this.#head = undefined;
    this.#passed = 0;
  }

  /** The next `maxBytes` of the line that is under way. */
  #piece(): Line {
    const whole = this.#joined(this.#chunk.length);
    const searched = this.#beforeBytes + this.#searched - this.#at;
    // Half a character of UTF-16 is no piece.
    const size = Math.max(this.#width, this.#limits.maxBytes - (this.#limits.maxBytes % this.#width));
    this.#chunk = whole;
    this.#before = [];
    this.#beforeBytes = 0;
    this.#at = size;
    this.#searched = Math.max(size, searched);
    return { bytes: whole.subarray(0, size), size, kind: 'piece' };
  }

  /** Keeps the first bytes of the line, and counts the rest, but for half a character. */
  #shorten(): void {
    const hangs = this.#width === 2 && this.pending % 2 === 1 ? 1 : 0;
    const end = this.#chunk.length - hangs;
    if (this.#head === undefined) {
      const whole = this.#joined(end);
      this.#head = Buffer.from(whole.subarray(0, this.#limits.maxBytes));
      this.#passed = whole.length - this.#head.length;
    } else {
      this.#passed += this.#beforeBytes + end - this.#at;
    }
    this.#before = [];
    this.#beforeBytes = 0;
    this.#at = end;
    this.#searched = end;
  }

  /** The line that is under way, up to there in the chunk. */
  #joined(end: number): Buffer {
    const last = this.#chunk.subarray(this.#at, end);
    return this.#before.length === 0 ? last : Buffer.concat([...this.#before, last]);
  }

  #withoutReturn(bytes: Buffer, isOverlong: boolean): Buffer {
    if (isOverlong) return bytes;
    const { length } = bytes;
    if (this.#width === 1) return length > 0 && bytes[length - 1] === CR ? bytes.subarray(0, length - 1) : bytes;
    const [first, second] = this.#limits.lineEnd === 'utf-16le' ? [CR, 0] : [0, CR];
    const isReturn = length > 1 && bytes[length - 2] === first && bytes[length - 1] === second;
    return isReturn ? bytes.subarray(0, length - 2) : bytes;
  }
}

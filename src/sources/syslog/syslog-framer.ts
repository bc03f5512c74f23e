import { ByteQueue, CountedFramer, type Frame, type Framer, LineFramer } from '../listening/frames.js';

/** How messages are divided: by a length before each, by line feeds, or as the first of a connection is. */
export type SyslogFraming = 'auto' | 'octet-counting' | 'lf';

const SPACE = 0x20;
const LESS_THAN = 0x3c;
const MAX_DIGITS = 10;

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** CR, LF or NUL, which some senders write between counted frames. */
function isFiller(byte: number): boolean {
  return byte === 0x0a || byte === 0x0d || byte === 0x00;
}

/**
 * `123 <13>1 …`: a length in digits, a space, the message; of one that is longer than `maxBytes`, so much.
 *
 * Source: RFC 6587, section 3.4.1.
 * Bounds: `maxBytes`, and one chunk.
 */
class OctetFramer extends CountedFramer {
  protected lengthOf(queue: ByteQueue): number | undefined {
    while (isFiller(queue.peek(0))) queue.skip(1);
    let length = 0;
    for (let at = 0; ; at += 1) {
      const byte = queue.peek(at);
      if (byte < 0) return undefined;
      if (byte === SPACE && at > 0) {
        queue.skip(at + 1);
        return length;
      }
      if (!isDigit(byte) || at === MAX_DIGITS) throw new Error('a frame does not begin with its length and a space');
      length = length * 10 + byte - 0x30;
    }
  }
}

/** Decides by the first message of a connection, since a line of a text may begin with a number too. */
class AutoFramer implements Framer {
  readonly #maxBytes: number;
  readonly #queue = new ByteQueue();
  #decided: Framer | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get pending(): number {
    return this.#decided?.pending ?? this.#queue.length;
  }

  push(chunk: Uint8Array): void {
    if (this.#decided !== undefined) this.#decided.push(chunk);
    else this.#queue.push(chunk);
  }

  next(): Frame | undefined {
    if (this.#decided === undefined) {
      const isCounted = this.#isCounted();
      if (isCounted === undefined) return undefined;
      this.#decide(isCounted);
    }
    return this.#decided?.next();
  }

  end(): Frame | undefined {
    if (this.#decided === undefined) this.#decide(false);
    return this.#decided?.next() ?? this.#decided?.end();
  }

  #decide(isCounted: boolean): void {
    this.#decided = isCounted ? new OctetFramer(this.#maxBytes) : new LineFramer(this.#maxBytes);
    this.#decided.push(this.#queue.take(this.#queue.length));
  }

  #isCounted(): boolean | undefined {
    let at = 0;
    while (at < MAX_DIGITS && isDigit(this.#queue.peek(at))) at += 1;
    const next = this.#queue.peek(at);
    if (next < 0) return undefined;
    if (at === 0 || next !== SPACE) return false;
    const first = this.#queue.peek(at + 1);
    return first < 0 ? undefined : first === LESS_THAN;
  }
}

/** A framer for one connection. */
export function syslogFramer(framing: SyslogFraming, maxBytes: number): Framer {
  if (framing === 'lf') return new LineFramer(maxBytes);
  return framing === 'octet-counting' ? new OctetFramer(maxBytes) : new AutoFramer(maxBytes);
}

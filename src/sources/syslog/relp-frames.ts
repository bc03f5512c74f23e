import { ByteQueue, CountedBody } from '../listening/frames.js';

/** One frame of RELP. */
export interface RelpFrame {
  /** The number of the transaction, which the answer has too. */
  readonly transaction: number;
  readonly command: string;
  readonly data: Uint8Array;
  readonly isCut: boolean;
}

/** A transaction, a command and a length are no longer than this together, with the spaces between. */
const MAX_HEADER_BYTES = 9 + 1 + 32 + 1 + 9 + 1;

const HEADER = /^(\d{1,9}) ([a-zA-Z]{1,32}) (\d{1,9})([ \n])$/;
const LF = 0x0a;
const SPACE = 0x20;
const ascii = new TextDecoder('latin1');

/**
 * Takes the frames of RELP out of bytes as they arrive: `TXNR SP COMMAND SP DATALEN [SP DATA] LF`.
 *
 * Bounds: `maxBytes` of data, of a frame that is longer only so much; and one chunk.
 * Fails: an Error where the bytes are no RELP; what follows cannot be read.
 * Source: rsyslog, "RELP - The Reliable Event Logging Protocol (Specification)".
 */
export class RelpFrames {
  readonly #queue = new ByteQueue();
  readonly #body: CountedBody;
  #header: { readonly transaction: number; readonly command: string } | undefined;
  #data: { readonly bytes: Uint8Array; readonly isCut: boolean } | undefined;

  constructor(maxBytes: number) {
    this.#body = new CountedBody(maxBytes);
  }

  /** How many bytes are there of a frame that has not ended. */
  get pending(): number {
    return this.#queue.length + this.#body.pending + (this.#header === undefined ? 0 : 1);
  }

  push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
  }

  next(): RelpFrame | undefined {
    if (this.#header === undefined && !this.#readHeader()) return undefined;
    this.#data ??= this.#body.isOpen ? this.#body.take(this.#queue) : { bytes: new Uint8Array(0), isCut: false };
    if (this.#data === undefined || this.#header === undefined) return undefined;
    const end = this.#queue.peek(0);
    if (end < 0) return undefined;
    if (end !== LF) throw new Error('a frame does not end where its length says');
    this.#queue.skip(1);
    const frame = { ...this.#header, data: this.#data.bytes, isCut: this.#data.isCut };
    this.#header = undefined;
    this.#data = undefined;
    return frame;
  }

  /** Up to the data, or to the line feed where there is none. */
  #readHeader(): boolean {
    let spaces = 0;
    let length = 0;
    for (; ; length += 1) {
      const byte = this.#queue.peek(length);
      if (byte < 0 && length < MAX_HEADER_BYTES) return false;
      if (byte < 0 || length >= MAX_HEADER_BYTES) throw new Error('a frame does not begin as RELP has it');
      if (byte === SPACE) spaces += 1;
      if (byte === LF || spaces === 3) break;
    }
    const text = ascii.decode(this.#queue.take(length));
    const after = String.fromCharCode(this.#queue.peek(0));
    const found = HEADER.exec(text + after);
    if (found === null) throw new Error('a frame does not begin as RELP has it');
    const [, transaction, command = '', dataLength] = found;
    this.#header = { transaction: Number(transaction), command };
    if (after === ' ') {
      this.#queue.skip(1);
      this.#body.begin(Number(dataLength));
    } else if (Number(dataLength) > 0) throw new Error('a frame has a length and no data');
    return true;
  }
}

/** A frame as it is sent. Its text is ASCII. */
export function relpFrame(transaction: number, command: string, data = ''): Buffer {
  return Buffer.from(`${transaction} ${command} ${data.length}${data === '' ? '' : ` ${data}`}\n`, 'latin1');
}

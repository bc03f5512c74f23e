import type { Origin } from './delivery.js';
import { derivedOrigin } from './derived-origin.js';
import { Digest } from './digest.js';
import { isWhole, positionOf } from './origin-position.js';

/**
 * The origin of what is joined: the first one's, with the size of all, the highest offset of its stream, and a digest where
 * that is not an unbroken run of whole values of one stream.
 *
 * Bounds: the first origin and some numbers, however many are joined.
 */
export class JoinedOrigin {
  readonly #first: Origin;
  #lastOffset: number;
  #byteLength: number;
  /** The stream and offset of the one that came last. */
  #stream: string;
  #offset: number;
  #run: string | undefined;
  #isRun: boolean;
  #count = 1;
  readonly #digest = new Digest();

  constructor(first: Origin) {
    this.#first = first;
    this.#lastOffset = first.lastOffset ?? first.offset;
    this.#byteLength = first.byteLength;
    this.#stream = first.stream;
    this.#offset = first.offset;
    this.#run = first.run;
    this.#isRun = isWhole(first);
    this.#digest.addText(this.#stream);
    if (this.#run !== undefined) this.#digest.addText(this.#run);
    this.#mark(first);
  }

  add(origin: Origin): void {
    const { stream, offset, lastOffset = offset, byteLength, run } = origin;
    this.#count += 1;
    this.#byteLength += byteLength;
    if (lastOffset > this.#lastOffset && stream === this.#first.stream) this.#lastOffset = lastOffset;
    this.#isRun &&= offset === this.#offset + 1 && stream === this.#stream && run === this.#run && isWhole(origin);
    if (stream !== this.#stream) this.#digest.addText(stream);
    if (run !== this.#run) this.#digest.addText(run ?? '');
    this.#mark(origin);
    this.#stream = stream;
    this.#offset = offset;
    this.#run = run;
  }

  /** As it is now; what is added later does not change it. */
  get origin(): Origin {
    const changes = { byteLength: this.#byteLength, lastOffset: this.#lastOffset };
    const isNamedByRange = this.#isRun || this.#count === 1;
    return derivedOrigin(this.#first, isNamedByRange ? changes : { ...changes, digest: this.#digest.toString() });
  }

  #mark(origin: Origin): void {
    if (isWhole(origin)) this.#digest.addNumber(origin.offset);
    else this.#digest.addText(positionOf(origin));
  }
}

import { defer, map, Observable, of, Subscription } from 'rxjs';
import { DecodeError, describeError, RxflumeError } from '../../core/errors.js';
import { Bunzip2 } from '../../formats/inflate/bunzip2.js';
import { codecOfName, type FileCodec, inflateStream } from '../../formats/inflate/file-codec.js';
import type { FileInput, FoundFile } from '../../ports/file-input.js';
import { type ByteInput, StoredBytes } from './byte-input.js';

/**
 * The bytes of a file, decompressed where the extension of its name says so.
 *
 * Bounds: what one chunk of 1 MiB decompresses to is taken as it is read, except that a block of bzip2, of up to 46 MB, is whole.
 * Fails: `RXF_DECODE_TOO_LARGE` beyond `maxBytes`, `RXF_DECODE_SYNTAX` for what the codec did not write.
 */
export function bytesOf(input: FileInput, file: FoundFile, maxBytes: number): ByteInput {
  const stored = new StoredBytes(input, file);
  const codec = codecOfName(file.path);
  if (codec === undefined) return stored;
  const inflated = codec === 'bzip2' ? new Bunzipped(stored) : new Inflated(stored, codec);
  return new Limited(inflated, codec, maxBytes);
}

/** What a stream of Node makes of bytes, which are written to it as it reads them. */
class Inflated implements ByteInput {
  readonly #stored: ByteInput;
  readonly #stream;
  #feeding = Subscription.EMPTY;
  #isFed = false;
  #isOver = false;
  #error: unknown;
  /** What the last one that asked does when there is something new; nothing once it was answered. */
  #look: () => void = () => undefined;

  constructor(stored: ByteInput, codec: Exclude<FileCodec, 'bzip2'>) {
    this.#stored = stored;
    this.#stream = inflateStream(codec);
    // Also one that comes while nothing is asked for.
    this.#stream.on('error', (error) => this.#fail(error));
  }

  next(): Observable<Buffer | null> {
    return new Observable((subscriber) => {
      const stream = this.#stream;
      const done = (answer: Buffer | null) => {
        subscriber.next(answer);
        subscriber.complete();
      };
      const look = () => {
        if (subscriber.closed) return;
        const bytes = stream.read() as Buffer | null;
        if (bytes !== null) done(bytes);
        else if (this.#error !== undefined) subscriber.error(this.#error);
        else if (stream.readableEnded) done(null);
      };
      this.#look = look;
      stream.on('readable', look).on('end', look);
      subscriber.add(() => stream.off('readable', look).off('end', look));
      if (!this.#isFed) this.#feed();
      look();
    });
  }

  close(): void {
    this.#isOver = true;
    this.#feeding.unsubscribe();
    this.#stored.close();
    this.#stream.destroy();
  }

  #feed(): void {
    this.#isFed = true;
    if (this.#isOver) return;
    this.#feeding = this.#stored.next().subscribe({
      next: (chunk) => {
        if (chunk === null) this.#stream.end();
        // It calls back once all that came of it was read.
        else this.#stream.write(chunk, (error) => (error ? undefined : this.#feed()));
      },
      error: (error: unknown) => this.#fail(error),
    });
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#look();
  }
}

class Bunzipped implements ByteInput {
  readonly #stored: ByteInput;
  readonly #decoder = new Bunzip2();

  constructor(stored: ByteInput) {
    this.#stored = stored;
  }

  next(): Observable<Buffer | null> {
    return defer(() => {
      const block = this.#decoder.next();
      return block === undefined ? this.#more() : of(block);
    });
  }

  close(): void {
    this.#stored.close();
  }

  #more(): Observable<Buffer | null> {
    return new Observable((subscriber) => {
      const ask = (): void => {
        subscriber.add(
          this.#stored
            .next()
            .pipe(map((chunk) => this.#blockOf(chunk)))
            .subscribe({
              next: (block) => {
                if (block === undefined) return ask();
                subscriber.next(block);
                subscriber.complete();
              },
              error: (error: unknown) => subscriber.error(error),
            }),
        );
      };
      ask();
    });
  }

  #blockOf(chunk: Buffer | null): Buffer | null | undefined {
    if (chunk === null) {
      this.#decoder.end();
      return null;
    }
    this.#decoder.push(chunk);
    return this.#decoder.next();
  }
}

/** No more than so many bytes, and errors that say what is wrong. */
class Limited implements ByteInput {
  readonly #bytes: ByteInput;
  readonly #codec: FileCodec;
  readonly #most: number;
  #count = 0;

  constructor(bytes: ByteInput, codec: FileCodec, most: number) {
    this.#bytes = bytes;
    this.#codec = codec;
    this.#most = most;
  }

  next(): Observable<Buffer | null> {
    return new Observable((subscriber) =>
      this.#bytes.next().subscribe({
        next: (chunk) => {
          this.#count += chunk?.length ?? 0;
          if (this.#count > this.#most) subscriber.error(this.#tooLarge());
          else subscriber.next(chunk);
        },
        error: (error: unknown) => subscriber.error(error instanceof RxflumeError ? error : this.#damaged(error)),
        complete: () => subscriber.complete(),
      }),
    );
  }

  close(): void {
    this.#bytes.close();
  }

  #tooLarge(): DecodeError {
    const message = `The ${this.#codec} data decompresses to more than \`maxFileBytes\`, which is ${this.#most}. Raise it to read the file.`;
    return new DecodeError('RXF_DECODE_TOO_LARGE', message, {
      details: { codec: this.#codec, maxFileBytes: this.#most },
    });
  }

  #damaged(cause: unknown): DecodeError {
    const message = `The ${this.#codec} data is damaged behind byte ${this.#count} of what it decompresses to: ${describeError(cause)}.`;
    return new DecodeError('RXF_DECODE_SYNTAX', message, { cause, details: { codec: this.#codec } });
  }
}

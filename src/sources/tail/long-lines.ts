import { Subscription } from 'rxjs';
import { DecodeError, SourceError } from '../../core/errors.js';
import { DeadLetters } from '../../delivery/dead-letter.js';
import type { Delivery } from '../../delivery/delivery.js';
import { unlessRehearsed } from '../../delivery/rehearsal.js';
import type { Line } from '../../formats/lines.js';
import type { CheckedOptions } from './options.js';
import type { TailedFile } from './tailed-file.js';

/** What becomes of a line that is longer than it may be: the end of the source, or a dead letter with its beginning. */
export class LongLines {
  readonly #options: CheckedOptions;
  readonly #failed: (error: unknown) => void;
  readonly #life = new Subscription();
  #letters: DeadLetters | undefined;

  constructor(options: CheckedOptions, failed: (error: unknown) => void) {
    this.#options = options;
    this.#failed = failed;
  }

  get areErrors(): boolean {
    return this.#options.tooLong !== 'deadLetter';
  }

  /** Subscribes to the sink of dead letters, where there is one. */
  start(): void {
    const { deadLetter } = this.#options;
    if (deadLetter === undefined) return;
    this.#letters = new DeadLetters('tailSource');
    const letters$ = this.#letters.letters$;
    this.#life.add(unlessRehearsed(deadLetter)(letters$).subscribe({ error: this.#failed }));
  }

  setAside(delivery: Delivery<Buffer>): void {
    const { maxRecordBytes } = this.#options;
    const { stream, offset, byteLength } = delivery.origin;
    const cause = new DecodeError(
      'RXF_DECODE_TOO_LARGE',
      `The line of ${byteLength} bytes at byte ${offset} of ${stream} is longer than \`maxRecordBytes\`, ${maxRecordBytes}; this is its beginning.`,
      { details: { stream, offset, bytes: byteLength, maxRecordBytes } },
    );
    if (this.#letters?.areTaken) this.#letters.send(delivery, cause, 1);
    else delivery.nack(cause);
  }

  /** Why the source ends. */
  error({ path, position, stream: { stream } }: TailedFile, { bytes }: Line): SourceError {
    const { maxRecordBytes } = this.#options;
    return new SourceError(
      'RXF_TAIL_TOO_LONG',
      `The line at byte ${position} of ${path} is longer than \`maxRecordBytes\`, ${maxRecordBytes}. Nothing was skipped. Raise it, or set ` +
        "`tooLong` to 'cut' or 'deadLetter'.",
      { details: { path, stream, offset: position, maxRecordBytes, read: bytes.length } },
    );
  }

  /** No more come. */
  end(): void {
    this.#letters?.complete();
    this.#life.unsubscribe();
  }
}

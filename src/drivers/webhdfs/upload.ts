import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import type { FileWriter } from '../../ports/file-system.js';
import { answerUnless, backOff } from './answer.js';
import { lost } from './data-nodes.js';
import { lookAt } from './look.js';
import type { Asks } from './name-nodes.js';
import type { RetryOptions } from './options.js';
import { expectHoldable } from './path-problem.js';
import { type Attempt, errorOf, notUnderstood, rejected, remoteExceptionOf } from './remote-exception.js';
import { type Answer, WireFault } from './request.js';
import { folderOf } from './url.js';

/** How often a file is looked at whose last answer was lost. */
const LOOKS = 5;

/** What ends an upload: an answer, silence, or a failure that is certain. */
export type End = Answer | WireFault | SinkError;

/**
 * One new file, for either driver: it is opened at the first write, or at the close of an empty file, takes one step at a time,
 * and is whole only if the NameNode shows the length that was sent. `W` is what takes the bytes.
 *
 * Fails: `RXF_FILES_EXISTS`, `_DENIED`, `_FULL`, `_UNREACHABLE`, `_TIMEOUT`, `_LENGTH`, `_ABORTED`; after that, always alike.
 * Source: a DataNode whose client goes away closes the file as it is: only a checked length says that it is whole.
 */
export abstract class Upload<W> implements FileWriter {
  protected readonly path: string;
  protected readonly doing: string;
  readonly #asks: Asks;
  readonly #retry: RetryOptions;
  /** Ends what is in progress when the file is given up. */
  readonly #abandon = new AbortController();
  #writer: W | undefined;
  #sent = 0;
  #isBusy = false;
  #isClosed = false;
  #failure: Error | undefined;

  constructor(asks: Asks, retry: RetryOptions, path: string) {
    this.#asks = asks;
    this.#retry = retry;
    this.path = path;
    this.doing = `write ${path}`;
  }

  write(chunk: Uint8Array): Observable<void> {
    return this.#one(async (signal) => {
      this.#writer ??= await this.#open(signal);
      await this.send(this.#writer, chunk, signal);
      this.#sent += chunk.byteLength;
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one(async (signal) => {
      this.#writer ??= await this.#open(signal);
      const bytes = await this.#wholeAfter(await this.finish(this.#writer, signal), signal);
      this.#isClosed = true;
      return { bytes };
    });
  }

  abort(): void {
    if (this.#isClosed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.path} after ${this.#sent} bytes.`, {
      details: { path: this.path, bytes: this.#sent },
    });
    this.#abandon.abort(this.#failure);
    this.cut();
  }

  /** The server that took part last. */
  protected abstract readonly attempt: Attempt;

  protected abstract makeFolder(folder: string, signal: AbortSignal): Promise<void>;

  /** Begins the file, which does not exist. */
  protected abstract create(signal: AbortSignal): Promise<W>;

  /** Resolves when the chunk is on its way. */
  protected abstract send(writer: W, chunk: Uint8Array, signal: AbortSignal): Promise<void>;

  /** Ends the file's bytes. */
  protected abstract finish(writer: W, signal: AbortSignal): Promise<End>;

  /** Ends the connections. */
  protected abstract cut(): void;

  /** Whether nothing writes the file any more, as far as the server says. */
  protected isFinal(_signal: AbortSignal): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** What the file fails with after this error. */
  protected explain(error: unknown, _signal: AbortSignal): Promise<Error> {
    return Promise.resolve(error as Error);
  }

  /** The failure that an end is before all bytes were sent: even a success is none then. */
  protected failureOf(end: End): SinkError {
    return this.#reasonOf(end) ?? notUnderstood(end as Answer, this.attempt);
  }

  /** One step at a time; unsubscribing from a step in progress gives the file up, for what the server has of it is unknown. */
  #one<T>(work: (signal: AbortSignal) => Promise<T>): Observable<T> {
    return answerUnless(
      () => this.#step(work),
      () => this.abort(),
    );
  }

  async #step<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    if (this.#isClosed || this.#isBusy) {
      const why = this.#isClosed ? 'it is closed' : 'the last write has not answered';
      throw new Error(`Cannot ${this.doing}: ${why}. This is a bug of the caller`);
    }
    this.#isBusy = true;
    const { signal } = this.#abandon;
    try {
      return await work(signal);
    } catch (error) {
      this.cut();
      this.#failure ??= await this.explain(error, signal);
      throw this.#failure;
    } finally {
      this.#isBusy = false;
    }
  }

  async #open(signal: AbortSignal): Promise<W> {
    expectHoldable(this.path);
    // A DataNode's rejection may be lost when it closes on bytes in flight, so what can be rejected is asked beforehand: MKDIRS
    // also waits for safe mode, and a file that exists now is not ours when an answer is lost later.
    const [found] = await Promise.all([
      lookAt(this.#asks, this.path, this.doing, signal),
      this.makeFolder(folderOf(this.path), signal),
    ]);
    if (found) {
      throw rejected({ name: 'FileAlreadyExistsException', message: `${this.path} already exists` }, this.attempt);
    }
    signal.throwIfAborted();
    return this.create(signal);
  }

  /** Why an end is not that of a whole file; null where it may be one. */
  #reasonOf(end: End): SinkError | null {
    if (end instanceof SinkError) return end;
    if (end instanceof WireFault) return lost(end, this.attempt);
    if (end.status === 200 || end.status === 201) return null;
    return errorOf(end, this.attempt);
  }

  /**
   * The length, where it is what was sent: Hadoop before 3 answers 201 also where closing the file failed. An answer that was
   * lost, or a proxy's, is resolved by looking.
   */
  async #wholeAfter(end: End, signal: AbortSignal): Promise<number> {
    const reason = this.#reasonOf(end);
    if (reason && !isUnknown(end)) throw reason;
    for (let look = 1; ; look++) {
      const held = (await lookAt(this.#asks, this.path, this.doing, signal))?.bytes ?? null;
      if (held === this.#sent && (reason === null || (await this.isFinal(signal)))) return held;
      if (reason === null) throw this.#wrongLength(held);
      if (look >= LOOKS) throw reason;
      await backOff(this.#retry, look, signal);
    }
  }

  #wrongLength(held: number | null): SinkError {
    const found = held === null ? 'no file' : `${held} bytes`;
    const message = `Could not ${this.doing}: ${this.#sent} bytes were sent, and ${this.attempt.at} holds ${found}`;
    return new SinkError('RXF_FILES_LENGTH', `${message}. Write the file again under another name.`, {
      details: { path: this.path, sent: this.#sent, held },
    });
  }
}

/** Whether the file may be whole all the same. */
function isUnknown(end: End): boolean {
  if (end instanceof SinkError) return false;
  return end instanceof WireFault ? !end.isTls : end.status >= 500 && remoteExceptionOf(end) === null;
}

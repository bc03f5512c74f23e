import { dirname } from 'node:path';
import type { Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { shownPath } from '../../core/text.js';
import type { DiskFile } from '../../ports/disk-system.js';
import type { FileWriter } from '../../ports/file-system.js';
import { systemCode, translated } from './disk-error.js';
import type { Ground } from './move.js';
import type { Root } from './root.js';
import { carryOut, type Steps, wait } from './steps.js';

/** One new file. Bounds: the chunk being written, not copied. Fails: `RXF_FILES_*`; after that, always alike. */
export class DiskWriter implements FileWriter {
  readonly #ground: Ground;
  readonly #root: Root;
  readonly #path: string;
  readonly #check: () => void;
  #file: { readonly handle: DiskFile; readonly real: string } | undefined;
  #sent = 0;
  #busy = false;
  #closed = false;
  #failure: Error | undefined;

  /** `check` throws for a path at which nothing can be. */
  constructor(ground: Ground, root: Root, path: string, check: () => void) {
    this.#ground = ground;
    this.#root = root;
    this.#check = check;
    this.#path = path;
  }

  write(chunk: Uint8Array): Observable<void> {
    return this.#one(() => this.#write(chunk));
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one(() => this.#close());
  }

  abort(): void {
    if (this.#closed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.#path} after ${this.#sent} bytes.`, {
      details: { path: this.#path, bytes: this.#sent },
    });
    if (!this.#busy) this.#release();
  }

  *#write(chunk: Uint8Array): Steps<void> {
    this.#file ??= yield* this.#open();
    for (let done = 0; done < chunk.byteLength; ) done += yield* wait(this.#file.handle.write(chunk, done));
    this.#sent += chunk.byteLength;
  }

  *#close(): Steps<{ readonly bytes: number }> {
    this.#file ??= yield* this.#open();
    const { handle, real } = this.#file;
    const { durability, unmoved } = this.#ground;
    yield* durability.file(handle, real);
    const { size } = yield* wait(handle.stat());
    if (size !== BigInt(this.#sent)) throw this.#wrongLength(Number(size));
    yield* wait(handle.close());
    this.#closed = true;
    yield* durability.folder(dirname(real));
    unmoved.add(real);
    return { bytes: this.#sent };
  }

  #one<T>(work: () => Steps<T>): Observable<T> {
    return carryOut(() => this.#step(work));
  }

  *#step<T>(work: () => Steps<T>): Steps<T> {
    if (this.#failure) throw this.#failure;
    if (this.#closed) throw this.#misuse('it is closed');
    if (this.#busy) throw this.#misuse('the last write has not answered');
    this.#busy = true;
    try {
      const result = yield* translated(`write ${shownPath(this.#path)}`, this.#path, work());
      this.#throwIfGivenUp();
      return result;
    } catch (error) {
      this.#failure ??= error as Error;
      this.#release();
      throw this.#failure;
    } finally {
      this.#busy = false;
    }
  }

  /** Given up while the work was under way. */
  #throwIfGivenUp(): void {
    if (this.#failure && !this.#closed) throw this.#failure;
  }

  *#open(): Steps<{ readonly handle: DiskFile; readonly real: string }> {
    this.#check();
    const { system, durability } = this.#ground;
    const real = yield* this.#root.entry(this.#path);
    for (let tries = 1; ; tries += 1) {
      yield* durability.makeFolder(dirname(real));
      try {
        return { handle: yield* wait(system.open(real, 'wx')), real };
      } catch (error) {
        // Somebody tidied the empty folder away in between.
        if (systemCode(error) !== 'ENOENT' || tries === 2) throw error;
      }
    }
  }

  #release(): void {
    const handle = this.#file?.handle;
    if (handle === undefined) return;
    carryOut(() => wait(handle.close())).subscribe({ error: () => undefined });
  }

  #wrongLength(size: number): SinkError {
    const message = `Could not write ${this.#path}: ${this.#sent} bytes were sent, and the disk holds ${size}. Write the file again under another name.`;
    return new SinkError('RXF_FILES_LENGTH', message, { details: { path: this.#path, sent: this.#sent, held: size } });
  }

  #misuse(why: string): Error {
    return new Error(`Cannot write ${this.#path}: ${why}. This is a bug of the caller`);
  }
}

import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defer, type Observable } from 'rxjs';
import { SinkError } from '../../core/errors.js';
import { shownPath } from '../../core/path-name.js';
import type { FileWriter } from '../../ports/file-system.js';
import { systemCode, translated } from './disk-error.js';
import type { Root } from './root.js';
import { makeFolder, syncFolder } from './sync.js';

/** One new file. Bounds: the chunk being written, not copied. Fails: `RXF_FILES_*`; after that, always alike. */
export class DiskWriter implements FileWriter {
  readonly #root: Root;
  readonly #path: string;
  readonly #sync: boolean;
  readonly #check: () => void;
  #file: { readonly handle: FileHandle; readonly real: string } | undefined;
  #sent = 0;
  #busy = false;
  #closed = false;
  #failure: Error | undefined;

  /** `check` throws for a path at which nothing can stand. */
  constructor(root: Root, path: string, sync: boolean, check: () => void) {
    this.#root = root;
    this.#check = check;
    this.#path = path;
    this.#sync = sync;
  }

  write(chunk: Uint8Array): Observable<void> {
    return this.#one(async () => {
      this.#file ??= await this.#open();
      for (let done = 0; done < chunk.byteLength; ) {
        done += (await this.#file.handle.write(chunk, done)).bytesWritten;
      }
      this.#sent += chunk.byteLength;
    });
  }

  close(): Observable<{ readonly bytes: number }> {
    return this.#one(async () => {
      this.#file ??= await this.#open();
      const { handle, real } = this.#file;
      if (this.#sync) await handle.sync();
      const { size } = await handle.stat();
      if (size !== this.#sent) throw this.#wrongLength(size);
      await handle.close();
      this.#closed = true;
      if (this.#sync) await syncFolder(dirname(real));
      return { bytes: size };
    });
  }

  abort(): void {
    if (this.#closed) return;
    this.#failure ??= new SinkError('RXF_FILES_ABORTED', `Gave up ${this.#path} after ${this.#sent} bytes`, {
      details: { path: this.#path, bytes: this.#sent },
    });
    if (!this.#busy) this.#release();
  }

  #one<T>(work: () => Promise<T>): Observable<T> {
    return defer(async () => {
      if (this.#failure) throw this.#failure;
      if (this.#closed) throw this.#misuse('it is closed');
      if (this.#busy) throw this.#misuse('the last write has not answered');
      this.#busy = true;
      try {
        const result = await translated(`write ${shownPath(this.#path)}`, this.#path, work());
        this.#throwIfGivenUp();
        return result;
      } catch (error) {
        this.#failure ??= error as Error;
        this.#release();
        throw this.#failure;
      } finally {
        this.#busy = false;
      }
    });
  }

  /** Given up while the work was under way. */
  #throwIfGivenUp(): void {
    if (this.#failure && !this.#closed) throw this.#failure;
  }

  async #open() {
    this.#check();
    const real = await this.#root.entry(this.#path);
    await makeFolder(dirname(real), this.#sync);
    const handle = await open(real, 'wx').catch(async (error: unknown) => {
      if (systemCode(error) !== 'ENOENT') throw error;
      // Somebody tidied the empty folder away in between.
      await makeFolder(dirname(real), this.#sync);
      return open(real, 'wx');
    });
    return { handle, real };
  }

  #release(): void {
    void this.#file?.handle.close().catch(() => {});
  }

  #wrongLength(size: number): SinkError {
    const message = `Could not write ${this.#path}: ${this.#sent} bytes were sent, and the disk holds ${size}. Write the file again under another name`;
    return new SinkError('RXF_FILES_LENGTH', message, { details: { path: this.#path, sent: this.#sent, held: size } });
  }

  #misuse(why: string): Error {
    return new Error(`Cannot write ${this.#path}: ${why}. This is a bug of the caller`);
  }
}

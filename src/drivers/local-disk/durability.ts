import { dirname } from 'node:path';
import type { CodeOf } from '../../core/error-codes.js';
import { describeError, SinkError } from '../../core/errors.js';
import type { DiskFile, DiskStats, DiskSystem } from '../../ports/disk-system.js';
import { absentAs, codeOfSystem, systemCode } from './disk-error.js';
import { type Steps, wait } from './steps.js';
import { isNotOursToSync } from './system.js';

/** Folders whose names are known to be durable; of further ones the oldest is forgotten, and synced again when it is used. */
const MAX_KNOWN = 10_000;
/** Paths that are not believed any more; with more of them nothing is. */
const MAX_DOUBTED = 1_000;
/** How often a folder is made that somebody removes meanwhile. */
const TRIES = 5;

/**
 * What outlasts a power cut. A file is durable with its bytes, its name and the names of all folders above it synced;
 * that others see it says nothing. After a sync that failed no later one of the same path is believed: Linux reports a
 * lost write once, and then takes the page for clean.
 *
 * Bounds: 10,000 known folders, 1,000 doubted paths.
 * Fails: a sync that fails is an error that stays, until the driver is made anew.
 * Source: fsync(2); "PostgreSQL's fsync() surprise", https://lwn.net/Articles/752063/.
 */
export class Durability {
  readonly #system: DiskSystem;
  readonly #sync: boolean;
  readonly #known = new Map<string, string>();
  readonly #doubted = new Map<string, SinkError>();
  #doubtsAll: SinkError | undefined;

  /** Without `sync`, all that the system has counts as durable. */
  constructor(system: DiskSystem, sync: boolean) {
    this.#system = system;
    this.#sync = sync;
  }

  /** Makes the bytes of a file durable. */
  *file(file: DiskFile, path: string): Steps<void> {
    if (this.#sync) yield* this.#once(path, () => file.sync());
  }

  /** Makes the names in a folder durable. */
  *folder(path: string): Steps<void> {
    if (this.#sync) yield* this.#once(path, () => this.#system.syncFolder(path));
  }

  /**
   * Makes a folder with those above it. A folder that exists may have been made a moment ago, by another who has not
   * synced its name yet or died before: so names are synced by each who relies on them, and then known.
   */
  *makeFolder(path: string): Steps<void> {
    for (let tries = 1; tries <= TRIES; tries += 1) {
      if (yield* this.#makeAll(yield* this.#unsure(path))) return;
    }
    throw vanishing(path);
  }

  /** The folder and those above it that are not known to be durable, the highest first, with what was found at each. */
  *#unsure(path: string): Steps<readonly { readonly path: string; readonly found: DiskStats | null }[]> {
    const unsure: { readonly path: string; readonly found: DiskStats | null }[] = [];
    for (let at = path; at !== dirname(at); at = dirname(at)) {
      const found = yield* statsOrNull(this.#system.stat(at));
      if (found !== null && !found.isDirectory()) throw notFolder(at);
      if (found !== null && (!this.#sync || this.#known.get(at) === identityOf(found))) break;
      unsure.unshift({ path: at, found });
    }
    return unsure;
  }

  /** False where somebody removed one of them meanwhile. */
  *#makeAll(unsure: readonly { readonly path: string; readonly found: DiskStats | null }[]): Steps<boolean> {
    for (const { path, found } of unsure) {
      const isMade = found === null && (yield* this.#make(path));
      const made = found ?? (yield* statsOrNull(this.#system.stat(path)));
      if (isMade === null || made === null) return false;
      if (!this.#sync) continue;
      yield* this.#keepName(dirname(path), isMade);
      // As it was before the sync: one that was made anew since has a name that is not synced.
      this.#know(path, identityOf(made));
    }
    return true;
  }

  /** Forgets a path: what was removed says nothing about what is made there later. */
  forget(path: string): void {
    for (const paths of [this.#known, this.#doubted]) {
      for (const one of paths.keys()) if (`${one}/`.startsWith(`${path}/`)) paths.delete(one);
    }
  }

  /** True: made; false: another was faster; null: the folder above is gone again. */
  *#make(path: string): Steps<boolean | null> {
    try {
      yield* wait(this.#system.mkdir(path));
      return true;
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** The name of a folder that was there before us may be where we may not sync it. */
  *#keepName(above: string, isMade: boolean): Steps<void> {
    try {
      yield* this.folder(above);
    } catch (error) {
      if (isMade || !isNotOursToSync(error instanceof SinkError ? error.cause : error)) throw error;
      this.#doubted.delete(above);
    }
  }

  *#once(path: string, sync: () => ReturnType<DiskSystem['syncFolder']>): Steps<void> {
    const doubt = this.#doubtsAll ?? this.#doubted.get(path);
    if (doubt !== undefined) throw doubt;
    try {
      yield* wait(sync());
    } catch (error) {
      // Where the folder could not even be opened, nothing was asked yet.
      if ((error as { readonly syscall?: unknown }).syscall === 'open') throw error;
      throw this.#doubt(path, error);
    }
  }

  #doubt(path: string, error: unknown): SinkError {
    const code: CodeOf<'SinkError'> = codeOfSystem(error) === 'RXF_FILES_FULL' ? 'RXF_FILES_FULL' : 'RXF_FILES_REMOTE';
    const message = `Could not make ${path} outlast a power cut: ${describeError(error)}. What was written last may be lost, and a later sync would not report it, so nothing there counts as stored. Check the system log, check the disk, and start again; on a disk that cannot sync set \`fsync: 'never'\`.`;
    const doubt = new SinkError(code, message, {
      details: { path },
      cause: error,
      retryable: code === 'RXF_FILES_FULL',
    });
    if (this.#doubted.size >= MAX_DOUBTED) this.#doubtsAll = doubt;
    this.#doubted.set(path, doubt);
    return doubt;
  }

  #know(path: string, identity: string): void {
    this.#known.delete(path);
    this.#known.set(path, identity);
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.keys().next().value as string);
  }
}

/** What is there, or null where nothing is. */
export function statsOrNull(look: ReturnType<DiskSystem['stat']>): Steps<DiskStats | null> {
  return absentAs(null, wait(look));
}

/** A folder that was removed and made again is another, also where it got the same number. */
function identityOf({ dev, ino, birthtimeNs }: DiskStats): string {
  return `${dev} ${ino} ${birthtimeNs}`;
}

function notFolder(path: string): SinkError {
  const message = `Could not make the folder ${path}: a file has that path. Nothing was changed; choose another name, or remove the file.`;
  return new SinkError('RXF_FILES_EXISTS', message, { details: { path } });
}

function vanishing(path: string): SinkError {
  const message = `Could not make the folder ${path}: what is above it was removed ${TRIES} times meanwhile. Check that nothing else removes folders there.`;
  return new SinkError('RXF_FILES_MISSING', message, { details: { path }, retryable: true });
}

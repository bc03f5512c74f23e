import { catchError, concat, concatMap, EMPTY, map, type Observable, of, throwError } from 'rxjs';
import { describeError, SinkError } from '../../../core/errors.js';
import type { Monitor } from '../../../core/monitor.js';
import type { FileSystem } from '../../../ports/file-system.js';
import { one, writeWhole } from '../file-calls.js';
import { quarantinePath, reasonPath } from '../names.js';
import type { StoredFile } from './entry.js';
import type { Published, SetAside } from './publish.js';

/** What is written beside a file in quarantine; its final path is from the sink's root. */
export interface QuarantineReason extends Omit<StoredFile, 'temporary'> {
  readonly stream: string;
  readonly code: string;
  readonly reason: string;
}

/**
 * Keeps the whole files of one stream that can never be at their final paths, in `_rxflume/quarantine/<stream>`, so that the
 * stream can go on: its values are durable there, and are never read again. The reason is written first, then the file
 * is moved in one step: it is either where it was or here, whichever process dies, and two that try both find it here.
 *
 * Fails: as the file system does; then it is tried again when the stream is resumed.
 */
export class Quarantine implements SetAside {
  readonly #fs: FileSystem;
  readonly #root: string;
  readonly #stream: string;
  readonly #monitor: Monitor;

  constructor(fs: FileSystem, root: string, stream: string, monitor: Monitor) {
    this.#fs = fs;
    this.#root = root;
    this.#stream = stream;
    this.#monitor = monitor;
  }

  take(file: StoredFile, cause: SinkError): Observable<Published> {
    const place = this.#placeOf(file);
    return concat(
      writeWhole(this.#fs, reasonPath(place), reasonBytes(this.#reasonOf(file, cause))).pipe(
        // It was begun by an earlier try, or another does the same.
        catchError((error: unknown) => (isTaken(error) ? EMPTY : throwError(() => error))),
      ),
      one(() => this.#fs.publish(file.temporary, place)).pipe(
        concatMap((answer) => {
          if (answer !== 'renamed') return this.#whereIs(file);
          this.#tell(file, place, cause);
          return of<Published>('quarantined');
        }),
      ),
    );
  }

  has(file: StoredFile): Observable<boolean> {
    return this.#exists(this.#placeOf(file), file);
  }

  /** Another has moved it meanwhile, to whichever place. */
  #whereIs(file: StoredFile): Observable<Published> {
    return this.has(file).pipe(
      concatMap((isHere) => {
        if (isHere) return of<Published>('quarantined');
        return this.#exists(file.final, file).pipe(map((isThere): Published => (isThere ? 'published' : 'gone')));
      }),
    );
  }

  #exists(path: string, { bytes }: StoredFile): Observable<boolean> {
    return one(() => this.#fs.status(path)).pipe(map((found) => found?.kind === 'file' && found.bytes === bytes));
  }

  #placeOf({ temporary }: StoredFile): string {
    return quarantinePath(this.#root, this.#stream, temporary);
  }

  #reasonOf({ final, bytes, values, first, last }: StoredFile, cause: SinkError): QuarantineReason {
    const below = final.slice(this.#root.length + 1);
    const reason = describeError(cause);
    return { stream: this.#stream, final: below, bytes, values, first, last, code: cause.code, reason };
  }

  #tell({ final, values, first, last }: StoredFile, place: string, cause: SinkError): void {
    this.#monitor.metric('rxflume_sink_quarantined_files_total', { sink: 'files', to: this.#root }).add(1);
    this.#monitor.logEvent(
      'error',
      'files.quarantined',
      `${this.#fs.name}: ${values} value${values === 1 ? '' : 's'} of ${this.#stream}, offsets ${first} to ${last}, cannot be made ` +
        `visible: ${describeError(cause)}. Their file is kept at ${place}, with the reason beside it, and the stream goes on. ` +
        'No reader sees them until you move the file; `rxflume ledger` lists it.',
      { stream: this.#stream, place, final, values, first, last, code: cause.code },
    );
  }
}

const VERSION = 1;

function reasonBytes(reason: QuarantineReason): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify({ version: VERSION, ...reason })}\n`);
}

/** The reason that was written beside a file; null where it cannot be read, as of one whose writing was cut off. */
export function readReason(bytes: Uint8Array): QuarantineReason | null {
  try {
    const { version, ...reason } = JSON.parse(new TextDecoder().decode(bytes)) as QuarantineReason & {
      version: number;
    };
    const isWhole = typeof reason.stream === 'string' && typeof reason.final === 'string';
    return version === VERSION && isWhole && typeof reason.reason === 'string' ? reason : null;
  } catch {
    return null;
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof SinkError && error.code === 'RXF_FILES_EXISTS';
}

import type { Observable } from 'rxjs';
import { Digest } from '../../delivery/digest.js';
import type { FoundFile } from '../../ports/file-input.js';

/** Which files a source reads, and what becomes of them. */
export interface Catalogue {
  /** The files that are there, in the order in which they are read. */
  find(): Observable<readonly FoundFile[]>;
  /** After how long it is asked again; undefined where once is enough. */
  readonly againAfterMs: number | undefined;
  /** Everything of a file is durable. */
  finish(file: FoundFile): Observable<unknown>;
}

/**
 * What the stream of a file is called behind its kind and name: the file's own id, its length and its time. So it is the same after
 * a rename, and another for a file of the same name that is placed later; a file that was changed is another one too.
 */
export function identityOf({ id, path, bytes, modifiedMs }: FoundFile): string {
  return `${id ?? digestOf(path)}-${bytes.toString(36)}-${Math.trunc(modifiedMs).toString(36)}`;
}

function digestOf(path: string): string {
  const digest = new Digest();
  digest.addText(path);
  return digest.toString();
}

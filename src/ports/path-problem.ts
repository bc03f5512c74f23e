import { SinkError } from '../core/errors.js';
import { isWellFormed, shownPath } from '../core/text.js';

/** The most bytes of a name that HDFS and local file systems take. */
export const MAX_NAME_BYTES = 255;

/** What is wrong with a path in every file system: no store can hold its names, or they lead elsewhere. Null if nothing is. */
export function commonPathProblem(path: string): string | null {
  if (!isWellFormed(path)) return 'it has an unpaired surrogate, which no file system can store';
  if (path.includes('\0')) return 'it has a NUL character';
  if (!path.startsWith('/')) return 'it is not absolute';
  const names = path.slice(1).split('/');
  if (names.some((name) => name === '.' || name === '..')) return 'it has a name `.` or `..`';
  const long = names.map((name) => Buffer.byteLength(name)).find((bytes) => bytes > MAX_NAME_BYTES);
  return long === undefined ? null : `a name of it has ${long} bytes, and ${MAX_NAME_BYTES} are the most`;
}

/** Fails with `RXF_FILES_NAME` where a store has a problem with the path. */
export function expectPossible(path: string, problem: string | null): void {
  if (problem === null) return;
  throw new SinkError('RXF_FILES_NAME', `Nothing can exist at ${shownPath(path)}: ${problem}. Choose another name.`, {
    details: { path, problem },
  });
}

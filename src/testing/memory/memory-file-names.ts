import { SinkError } from '../../core/errors.js';
import { commonPathProblem, shownPath } from '../../core/path-name.js';

const MOST_NAME_BYTES = 255;
const MOST_PATH_BYTES = 4_000;
const MOST_LEVELS = 1_000;

/** What HDFS and local disks together do not hold. */
export function pathProblem(path: string): string | null {
  const common = commonPathProblem(path);
  if (common !== null) return common;
  const names = path.split('/').filter((name) => name !== '');
  if (names.includes('.snapshot')) return '`.snapshot` is a reserved name';
  if (path.includes(':')) return 'it has a `:`';
  if (names.some((name) => Buffer.byteLength(name) > MOST_NAME_BYTES))
    return `a name of it is over ${MOST_NAME_BYTES} bytes`;
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) return `it is over ${MOST_PATH_BYTES} bytes`;
  return names.length > MOST_LEVELS ? `it has over ${MOST_LEVELS} levels` : null;
}

/** Fails as a store does that is asked for such a name. */
export function expectHoldable(path: string): void {
  const problem = pathProblem(path);
  if (problem !== null) throw new SinkError('RXF_FILES_NAME', `Nothing can stand at ${shownPath(path)}: ${problem}`);
}

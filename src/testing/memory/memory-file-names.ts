import { commonPathProblem, expectPossible } from '../../ports/path-problem.js';

const MAX_PATH_BYTES = 4_000;
const MAX_LEVELS = 1_000;

/** What HDFS and local disks together do not hold. */
export function pathProblem(path: string): string | null {
  const common = commonPathProblem(path);
  if (common !== null) return common;
  const names = path.split('/').filter((name) => name !== '');
  if (names.includes('.snapshot')) return '`.snapshot` is a reserved name';
  if (path.includes(':')) return 'it has a `:`';
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return `it is over ${MAX_PATH_BYTES} bytes`;
  return names.length > MAX_LEVELS ? `it has over ${MAX_LEVELS} levels` : null;
}

/** Fails as a store does that is asked for such a name. */
export function expectHoldable(path: string): void {
  expectPossible(path, pathProblem(path));
}

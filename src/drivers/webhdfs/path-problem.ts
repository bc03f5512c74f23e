import { commonPathProblem, expectPossible } from '../../ports/path-problem.js';

const MAX_PATH_CHARACTERS = 8_000;
const MAX_LEVELS = 1_000;

/**
 * Why HDFS can never hold a file or a folder at this path; null where it can, by its name alone.
 * Source: Hadoop 3's DFSUtil.isValidName, FSDirectory.verifyINodeName (`.snapshot` anywhere, `.reserved` at the top) and
 * HdfsServerConstants (8,000 characters, 1,000 levels); `dfs.namenode.fs-limits.max-component-length` is 255 bytes by default.
 */
export function pathProblem(path: string): string | null {
  const common = commonPathProblem(path);
  if (common !== null) return common;
  const names = path.split('/').filter((name) => name !== '');
  if (names[0] === '.reserved') return "`/.reserved` is HDFS's own";
  if (names.includes('.snapshot')) return '`.snapshot` is a reserved name of HDFS';
  if (path.includes(':')) return 'it has a `:`, which HDFS does not take';
  if (path.length > MAX_PATH_CHARACTERS)
    return `it has ${path.length} characters, and HDFS takes ${MAX_PATH_CHARACTERS}`;
  if (names.length > MAX_LEVELS) return `it has ${names.length} levels, and HDFS takes ${MAX_LEVELS}`;
  return null;
}

/** Fails with `RXF_FILES_NAME` where HDFS can hold nothing at the path. */
export function expectHoldable(path: string): void {
  expectPossible(path, pathProblem(path));
}

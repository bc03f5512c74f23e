import { commonPathProblem, expectPossible } from '../../ports/path-problem.js';

/** PATH_MAX without its NUL. */
const MAX_PATH_BYTES: Partial<Record<NodeJS.Platform, number>> = { darwin: 1_023, win32: 32_000 };
const MAX_PATH_BYTES_ELSEWHERE = 4_095;
/** What Windows rejects in a name, and a name that it keeps for devices or cuts the end of. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const NOT_ON_WINDOWS = /[<>:"|?*\\\u0000-\u001f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Why a local disk can never hold a file or a folder at this path below its root; null where it can, by its name alone. What a
 * file system takes less of (eCryptfs has 143 bytes a name) shows when a folder is made.
 * Source: path_resolution(7), NAME_MAX and PATH_MAX; Microsoft's "Naming Files, Paths, and Namespaces".
 */
export function pathProblem(path: string, root: string, platform: NodeJS.Platform = process.platform): string | null {
  const common = commonPathProblem(path);
  if (common !== null) return common;
  const names = path.split('/').filter((name) => name !== '');
  const bytes = Buffer.byteLength(root) + Buffer.byteLength(path);
  const most = MAX_PATH_BYTES[platform] ?? MAX_PATH_BYTES_ELSEWHERE;
  if (bytes > most) return `with the driver's \`root\` it has ${bytes} bytes, and this system takes ${most}`;
  if (platform === 'win32' && names.some((name) => NOT_ON_WINDOWS.test(name)))
    return 'it has a name that Windows does not allow';
  return null;
}

/** Fails with `RXF_FILES_NAME` where the disk can hold nothing at the path. */
export function expectHoldable(path: string, root: string): void {
  expectPossible(path, pathProblem(path, root));
}

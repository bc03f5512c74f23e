/** What no store can hold as text: an unpaired surrogate has no UTF-8 form. */
const UNPAIRED = /\p{Surrogate}/u;

/** Whether a text has an unpaired surrogate, such as JSON's `"\\ud800"` gives. */
export function hasUnpairedSurrogate(text: string): boolean {
  return UNPAIRED.test(text);
}

/** What is wrong with a path in every file system: it has no names, or names that lead elsewhere. Null if nothing is. */
export function commonPathProblem(path: string): string | null {
  if (hasUnpairedSurrogate(path)) return 'it has an unpaired surrogate, which no file system can store';
  if (path.includes('\0')) return 'it has a NUL character';
  if (!path.startsWith('/')) return 'it is not absolute';
  const names = path.slice(1).split('/');
  if (names.some((name) => name === '.' || name === '..')) return 'it has a name `.` or `..`';
  return null;
}

const MOST_SHOWN = 200;

/** A path as messages show it: of a long one both ends, so that what follows in the message is not cut off. */
export function shownPath(path: string): string {
  if (path.length <= MOST_SHOWN) return path;
  return `${path.slice(0, MOST_SHOWN / 2)}…${path.slice(-MOST_SHOWN / 2 + 1)}`;
}

/** What no store can hold as text: half of a surrogate pair has no UTF-8 form. */
const UNPAIRED = /\p{Surrogate}/u;

/** Whether a text has half of a surrogate pair, such as JSON's `"\\ud800"` gives. */
export function hasUnpairedSurrogate(text: string): boolean {
  return UNPAIRED.test(text);
}

/** What is wrong with a path in every store: it has no names, or names that lead elsewhere. Null where nothing is. */
export function commonPathProblem(path: string): string | null {
  if (hasUnpairedSurrogate(path)) return 'it has half of a surrogate pair, which no store can hold';
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

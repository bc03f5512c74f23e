/** Stands for `**`; no name of a file. */
export const ANY_FOLDERS = '\0**';

/** What is wrong with a pattern, as what it must be instead; null where nothing is. `mustBeAbsolute`: not only an ending. */
export function globProblem(pattern: unknown, mustBeAbsolute: boolean): string | null {
  if (typeof pattern !== 'string' || pattern === '') return 'a path or pattern';
  if (pattern.includes('\0')) return 'a path or pattern without NUL';
  if (mustBeAbsolute && !pattern.startsWith('/')) return 'an absolute path or pattern';
  if (!mustBeAbsolute && !/^(\/|\*\*\/)/.test(pattern)) return 'an absolute pattern, or one that begins with `**/`';
  if (pattern.endsWith('/')) return 'a path or pattern of files, not of a folder';
  const names = pattern.split('/');
  if (names.some((name) => name === '.' || name === '..')) return 'a path or pattern without `.` and `..`';
  if (names.some((name) => name !== '**' && name.includes('**'))) return 'a pattern in which `**` is a whole name';
  try {
    stepsOf(pattern);
  } catch {
    return 'a pattern whose brackets and braces are closed';
  }
  return null;
}

/** The names of a pattern from the root on. Throws for brackets and braces that are not closed. */
export function stepsOf(pattern: string): readonly (string | RegExp)[] {
  const names = pattern.split('/').filter((name) => name !== '');
  return names.map((name) => {
    if (name === '**') return ANY_FOLDERS;
    return /[*?[{\\]/.test(name) ? new RegExp(`^${source(name)}$`, 's') : name;
  });
}

/** Whether a path fits one of the patterns. */
export function matcherOf(patterns: readonly string[]): (path: string) => boolean {
  const all = patterns.map((pattern) => {
    const names = pattern.split('/').filter((name) => name !== '');
    const parts = names.map((name, at) => {
      const isLast = at === names.length - 1;
      if (name === '**') return isLast ? '(?:[^/]+/)*[^/]+' : '(?:[^/]+/)*';
      return source(name) + (isLast ? '' : '/');
    });
    return new RegExp(`^/${parts.join('')}$`, 's');
  });
  return (path) => all.some((one) => one.test(path));
}

/** The source of a regular expression for one name. */
function source(name: string): string {
  let text = '';
  let isInBraces = false;
  for (let at = 0; at < name.length; at += 1) {
    const char = name[at] as string;
    if (char === '*') text += '[^/]*';
    else if (char === '?') text += '[^/]';
    else if (char === '\\' && at + 1 < name.length) {
      at += 1;
      text += escaped(name[at] as string);
    } else if (char === '[') {
      const end = name.indexOf(']', at + 2);
      if (end < 0) throw new Error('not closed');
      const set = name
        .slice(at + 1, end)
        .replaceAll('\\', '\\\\')
        .replaceAll('[', '\\[');
      text += `[${set.replace(/^[!^]/, '^/')}]`;
      at = end;
    } else if (char === '{') {
      if (isInBraces || !name.includes('}', at)) throw new Error('not closed');
      isInBraces = true;
      text += '(?:';
    } else if (char === '}' && isInBraces) {
      isInBraces = false;
      text += ')';
    } else if (char === ',' && isInBraces) text += '|';
    else text += escaped(char);
  }
  return text;
}

function escaped(char: string): string {
  return /[\w]/.test(char) ? char : char.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

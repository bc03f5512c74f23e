/** POSIX and Java classes, which JavaScript writes otherwise. Source: Java 17, `java.util.regex.Pattern`. */
const CLASSES: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  Alpha: 'A-Za-z',
  Digit: '0-9',
  Alnum: 'A-Za-z0-9',
  Punct: '!-\\/:-@\\[-`{-~',
  Space: ' \\t\\n\\x0B\\f\\r',
  XDigit: '0-9A-Fa-f',
  Blank: ' \\t',
};

/** What Java has and JavaScript has not. */
const LACKING: readonly (readonly [RegExp, string])[] = [
  [/[*+?}]\+/, 'a possessive quantifier'],
  [/\(\?>/, 'an atomic group'],
  [/\[[^\]]*&&/, 'an intersection of classes'],
  [/\\G/, '`\\G`'],
  [/\(\?[a-z]*[-:]?[a-z]*x/, 'the flag `x`'],
];

/** A regular expression of Java as a literal of JavaScript, or why it has none. */
export function jsRegex(java: string): { readonly literal: string } | { readonly problem: string } {
  const quoted = java.replace(/\\Q(.*?)(?:\\E|$)/gs, (_, text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'));
  const [, flags = '', body = quoted] = /^\(\?([ims]+)\)(.*)$/s.exec(quoted) ?? [];
  const bare = body.replace(/\\p\{\w+\}|\\[^G]/g, 'x');
  const lacking = LACKING.find(([has]) => has.test(bare));
  if (lacking !== undefined) return { problem: `JavaScript has no ${lacking[1]}` };
  const source = body
    .replace(/\\p\{(\w+)\}/g, (whole, name: string) =>
      Object.hasOwn(CLASSES, name) ? inClass(body, whole, CLASSES[name] as string) : whole,
    )
    .replace(/\\A/g, '^')
    .replace(/\\[zZ]/g, '$')
    .replace(/\\h/g, '[ \\t]')
    .replace(/(^|[^\\])\//g, '$1\\/');
  try {
    // Java's `.` and `$` differ by line ends only.
    return { literal: String(new RegExp(source, flags + (/\\p\{/.test(source) ? 'u' : ''))) };
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

/** Within brackets a class stands for itself. */
function inClass(body: string, whole: string, characters: string): string {
  const before = body.slice(0, body.indexOf(whole)).replace(/\\./g, '');
  return before.lastIndexOf('[') > before.lastIndexOf(']') ? characters : `[${characters}]`;
}

/**
 * Whether a text has no unpaired surrogate, such as JSON's `"\\ud800"` gives: UTF-8 has no form of it, so it would be written as
 * U+FFFD, without a word.
 */
export function isWellFormed(text: string): boolean {
  // Node has it since 20; the library that the compiler knows is older.
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/**
 * What a terminal, or a reader of a log, would take for something else than text: control characters but the tab and the
 * line feed (C0, DEL, C1: cursors, colours, titles, the clipboard), what turns the direction of writing, what ends a line
 * without showing it, and halves of surrogate pairs.
 */
const NOT_SHOWN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\p{Surrogate}/gu;

/**
 * Text from outside, safe to be printed: what a terminal would obey instead of show is written as `\x1b` or `\u202e`. All
 * other text is left as it is, line feeds too.
 *
 * Source: ECMA-48; Unicode Standard Annex #9; CVE-2021-42574.
 */
export function shownText(text: string): string {
  return text.replace(NOT_SHOWN, (one) => {
    const code = one.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

const MAX_SHOWN = 200;

/** A path as messages show it: of a long one both ends, so that what follows in the message is not cut off. */
export function shownPath(path: string): string {
  if (path.length <= MAX_SHOWN) return path;
  return `${path.slice(0, MAX_SHOWN / 2)}…${path.slice(-MAX_SHOWN / 2 + 1)}`;
}

/** A URL as messages show it: without user information, query and fragment, where secrets are. Never throws. */
export function shownUrl(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return 'a URL that cannot be read';
  }
}

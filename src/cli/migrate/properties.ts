/** One entry of a properties file, as it was last set. */
export interface Property {
  readonly key: string;
  readonly value: string;
  /** Where it begins, from 1. */
  readonly line: number;
}

export interface Properties {
  readonly entries: readonly Property[];
  /** Keys that were set more than once: the last one counts, as in Java. */
  readonly repeated: readonly Property[];
}

/**
 * Reads a Java properties file: comments, continued lines, escapes, and values trimmed as Flume trims them.
 *
 * Source: Java 17, `Properties.load`.
 */
export function readProperties(text: string): Properties {
  const byKey = new Map<string, Property>();
  const repeated: Property[] = [];
  for (const { text: line, at } of logicalLines(text)) {
    const { key, value } = split(line);
    const earlier = byKey.get(key);
    if (earlier !== undefined) repeated.push(earlier);
    byKey.delete(key);
    byKey.set(key, { key, value, line: at });
  }
  return { entries: [...byKey.values()], repeated };
}

function* logicalLines(text: string): Iterable<{ text: string; at: number }> {
  let held: { text: string; at: number } | undefined;
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const start = natural.replace(/^[ \t\f]+/, '');
    if (held === undefined && (start === '' || start.startsWith('#') || start.startsWith('!'))) continue;
    const line: { text: string; at: number } = { text: (held?.text ?? '') + start, at: held?.at ?? index + 1 };
    const [slashes = ''] = /\\*$/.exec(line.text) ?? [];
    if (slashes.length % 2 === 1) {
      held = { ...line, text: line.text.slice(0, -1) };
      continue;
    }
    held = undefined;
    yield line;
  }
  if (held !== undefined) yield held;
}

/** The key ends at the first `=`, `:` or blank that is not escaped. */
function split(line: string): { key: string; value: string } {
  const [, key = '', value = ''] = /^((?:\\.|[^\\=: \t\f])*)(?:[ \t\f]*[=:]?[ \t\f]*)(.*)$/s.exec(line) ?? [];
  return { key: unescaped(key), value: unescaped(value).trim() };
}

const LETTERS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.))/gs, (_, code: string | undefined, letter: string) =>
    code === undefined ? (LETTERS[letter] ?? letter) : String.fromCharCode(Number.parseInt(code, 16)),
  );
}

import type { DeadLetter } from '../../dead-letters/index.js';

const HIDDEN = '***';

/**
 * The letter as it may be printed: the fields of these names are hidden, in a value that is JSON at any depth, and of headers. A value that
 * is no JSON is hidden as a whole where anything is to be: its fields are not known. `*` hides key, value and headers.
 */
export function redacted(letter: DeadLetter, fields: readonly string[]): DeadLetter {
  if (fields.length === 0) return letter;
  const isAll = fields.includes('*');
  const hides = (name: string) => isAll || fields.includes(name);
  return {
    ...letter,
    // A message may quote what was wrong.
    message: isAll ? HIDDEN : letter.message,
    causes: isAll ? letter.causes.map(({ code }) => ({ code, message: HIDDEN })) : letter.causes,
    key: hides('key') && letter.key !== null ? HIDDEN : letter.key,
    value: letter.value === null ? null : isAll ? HIDDEN : redactedValue(letter.value, hides),
    headers: letter.headers.map((header) => (hides(header.name) ? { ...header, value: HIDDEN } : header)),
  };
}

function redactedValue(text: string, hides: (name: string) => boolean): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return HIDDEN;
  }
  // Written back as it came where nothing is hidden: a long number is not rounded.
  let isChanged = false;
  const shown = JSON.stringify(value, (name, of: unknown) => {
    if (name === '' || !hides(name)) return of;
    isChanged = true;
    return HIDDEN;
  });
  return isChanged ? shown : text;
}

import { endOfString } from '../core/json-tokens.js';

/** What is shown in the place of a value that is not. */
export const REDACTED = '"[redacted]"';

/**
 * A JSON text without the values of these fields, at any depth. All else is as it came, byte for byte. `names` are in lower case, and
 * match in any. Undefined for what is not JSON: where its fields are is not known then.
 */
export function redactedJson(json: string, names: ReadonlySet<string>): string | undefined {
  if (!isJson(json)) return undefined;
  let shown = '';
  let from = 0;
  for (let at = 0; at < json.length; at += 1) {
    if (json[at] !== '"') continue;
    const end = endOfString(json, at);
    const colon = afterWhite(json, end);
    const isHidden = json[colon] === ':' && names.has((JSON.parse(json.slice(at, end)) as string).toLowerCase());
    at = end - 1;
    if (!isHidden) continue;
    const value = afterWhite(json, colon + 1);
    shown += json.slice(from, value) + REDACTED;
    from = endOfValue(json, value);
    at = from - 1;
  }
  return shown + json.slice(from);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function afterWhite(json: string, from: number): number {
  let at = from;
  while (/\s/.test(json[at] ?? '')) at += 1;
  return at;
}

/** Where the value that begins there ends, in a valid text. */
function endOfValue(json: string, start: number): number {
  if (json[start] === '"') return endOfString(json, start);
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const char = json[at] as string;
    if (char === '"') at = endOfString(json, at) - 1;
    else if (char === '{' || char === '[') depth += 1;
    else if (depth === 0 && /[\s,}\]]/.test(char)) return at;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return json.length;
}

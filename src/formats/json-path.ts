import { endOfString } from '../core/json-tokens.js';

/** No more of a path, and of one name in it, is shown. */
const [PATH_LENGTH, NAME_LENGTH] = [200, 60];

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/**
 * The path of what is at a character of a JSON text, as `$.order.items[3].id`. The text need not be valid, nor end. It
 * looks at all of the text before, so it is for messages only.
 */
export function pathAt(json: string, offset: number): string {
  // One step for each array or object that is open: an index, or a name in quotes, which is empty until it is read.
  const steps: (number | string)[] = [];
  for (let at = 0; at < offset; at += 1) {
    const last = steps.length - 1;
    const step = steps[last];
    const char = json[at];
    if (char === '"') {
      const end = endOfString(json, at);
      if (end > offset) break;
      if (step === '') steps[last] = json.slice(at, end);
      at = end - 1;
    } else if (char === '{') steps.push('');
    else if (char === '[') steps.push(0);
    else if (char === '}' || char === ']') steps.pop();
    else if (char === ',' && step !== undefined) steps[last] = typeof step === 'number' ? step + 1 : '';
  }
  return shownPath(steps);
}

/** The path of names and indexes, from the outside in, in the same form. */
export function pathOf(steps: readonly (string | number)[]): string {
  return shownPath(steps.map((step) => (typeof step === 'number' ? step : JSON.stringify(step))));
}

function shownPath(steps: readonly (number | string)[]): string {
  let path = '$';
  for (const step of steps) {
    if (path.length > PATH_LENGTH) return `${path.slice(0, PATH_LENGTH)}…`;
    if (step !== '') path += typeof step === 'number' ? `[${step}]` : shownName(step);
  }
  return path.length > PATH_LENGTH ? `${path.slice(0, PATH_LENGTH)}…` : path;
}

function shownName(quoted: string): string {
  const name = quoted.slice(1, -1);
  if (IDENTIFIER.test(name) && name.length <= NAME_LENGTH) return `.${name}`;
  return name.length <= NAME_LENGTH ? `[${quoted}]` : `["${name.slice(0, NAME_LENGTH)}…"]`;
}

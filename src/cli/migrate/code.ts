/** The width of the files that are written. */
const WIDTH = 110;

/** Code: a text, or something in brackets whose items are on one line where they fit. */
export type Code = string | { readonly open: string; readonly items: readonly Code[]; readonly close: string };

/** A text as a literal. */
export function quoted(text: string): string {
  if (/['\\\u2028\u2029]|\p{Cc}/u.test(text))
    return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
  return `'${text}'`;
}

/** A number as a literal with its thousands apart. */
export function numeral(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '_');
}

export function call(name: string, ...items: readonly Code[]): Code {
  return { open: `${name}(`, items, close: ')' };
}

export function list(items: readonly Code[]): Code {
  return { open: '[', items, close: ']' };
}

/** An object, without the entries that are undefined. */
export function object(entries: Readonly<Record<string, Code | undefined>>): Code {
  const items = Object.entries(entries).flatMap(([key, value]) =>
    value === undefined ? [] : [prefixed(`${nameText(key)}: `, value)],
  );
  return items.length === 0 ? '{}' : { open: '{ ', items, close: ' }' };
}

/** A name as it is written in an object. */
function nameText(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quoted(name);
}

/** The same with a text before it. */
export function prefixed(before: string, code: Code): Code {
  return typeof code === 'string' ? before + code : { ...code, open: before + code.open };
}

/** The same with a text behind it. */
export function suffixed(code: Code, after: string): Code {
  return typeof code === 'string' ? code + after : { ...code, close: code.close + after };
}

/** Code as text: on one line where that fits. */
export function printed(code: Code, indent = '', taken = 0): string {
  const flat = flatText(code);
  if (typeof code === 'string' || (indent.length + taken + flat.length <= WIDTH && !flat.includes('\n'))) return flat;
  const inner = `${indent}  `;
  const [only] = code.items;
  // An object that is the one argument stays with its brackets.
  if (code.items.length === 1 && only !== undefined && typeof only !== 'string' && code.open.endsWith('(')) {
    return `${code.open}${printed(only, indent, code.open.length + 1)}${code.close}`;
  }
  const items = code.items.map((item) => `${inner}${printed(item, inner, 1)},`);
  return `${code.open.trimEnd()}\n${items.join('\n')}\n${indent}${code.close.trimStart()}`;
}

function flatText(code: Code): string {
  return typeof code === 'string' ? code : `${code.open}${code.items.map(flatText).join(', ')}${code.close}`;
}

/** The imports of a file, by module. */
export class Imports {
  readonly #names = new Map<string, Set<string>>();

  /** Has a name imported, and returns it. A type is written `type Name`. */
  use(module: string, name: string): string {
    const names = this.#names.get(module) ?? new Set();
    this.#names.set(module, names.add(name));
    return name.replace(/^type /, '');
  }

  /** What is imported, as the file calls it. */
  get names(): string[] {
    return [...this.#names.values()].flatMap((names) => [...names].map(bare));
  }

  get text(): string {
    return [...this.#names]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([module, names]) => {
        const sorted = [...names].sort((one, other) => bare(one).localeCompare(bare(other)));
        const all = sorted.every((name) => name.startsWith('type '));
        return `import ${all ? 'type ' : ''}{ ${sorted.map((name) => (all ? bare(name) : name)).join(', ')} } from '${module}';\n`;
      })
      .join('');
  }
}

const bare = (name: string) => name.replace(/^type /, '');

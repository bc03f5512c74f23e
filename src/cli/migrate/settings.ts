import type { Property } from './properties.js';

/** What became of a setting of the agent. */
export type Outcome =
  /** It is in the flow. */
  | 'translated'
  /** The flow needs nothing for it. */
  | 'not needed'
  /** The flow does another thing, which is safer. */
  | 'replaced'
  /** The flow does not type-check until you write it. */
  | 'gap'
  /** Flume does not know it either, or it belongs to nothing. */
  | 'unknown';

export interface Finding {
  readonly line: number;
  readonly key: string;
  readonly value: string;
  readonly outcome: Outcome;
  readonly note: string;
}

/** What becomes of a key of a component; `{0}` in the note is the value. */
export interface Rule {
  readonly outcome: Outcome;
  readonly note: string;
}

export const to = (note: string): Rule => ({ outcome: 'translated', note });
export const no = (note: string): Rule => ({ outcome: 'not needed', note });
export const instead = (note: string): Rule => ({ outcome: 'replaced', note });
export const lacks = (note: string): Rule => ({ outcome: 'gap', note });

/** The keys that a type of component knows. A key that ends in `*` is the begin of keys. */
export type Rules = Readonly<Record<string, Rule>>;

/** The settings of one component; each is accounted for once. */
export class Settings {
  readonly #own: ReadonlyMap<string, Property>;
  readonly #account: Map<string, Finding>;
  readonly #secrets = /password|secret|token|jaas/i;

  /** `own` are the settings by what follows the component's name; `account` is the agent's. */
  constructor(own: ReadonlyMap<string, Property>, account: Map<string, Finding>) {
    this.#own = own;
    this.#account = account;
  }

  /** The settings whose keys begin with `prefix`, without it. */
  under(prefix: string): Settings {
    const own = [...this.#own].filter(([key]) => key.startsWith(prefix));
    return new Settings(new Map(own.map(([key, property]) => [key.slice(prefix.length), property])), this.#account);
  }

  get names(): readonly string[] {
    return [...this.#own.keys()];
  }

  text(key: string): string | undefined {
    return this.#own.get(key)?.value;
  }

  /** The names in a value, apart by blanks. */
  list(key: string): string[] {
    return (this.text(key) ?? '').split(/\s+/).filter(Boolean);
  }

  number(key: string, byDefault: number): number {
    const text = this.text(key);
    const value = Number(text);
    return text === undefined || !/^-?\d+$/.test(text) || !Number.isSafeInteger(value) ? byDefault : value;
  }

  flag(key: string, byDefault: boolean): boolean {
    const text = this.text(key);
    return text === undefined ? byDefault : text.toLowerCase() === 'true';
  }

  /** On which line a key is, for a text; 0 where it is not set. */
  line(key: string): number {
    return this.#own.get(key)?.line ?? 0;
  }

  /** Says what became of one key, where it is set. A later word replaces an earlier one. */
  say(key: string, { outcome, note }: Rule): void {
    const property = this.#own.get(key);
    if (property === undefined) return;
    const value = this.#secrets.test(property.key) ? '[secret]' : property.value;
    const finding = { line: property.line, key: property.key, value, outcome, note: note.replaceAll('{0}', value) };
    this.#account.set(property.key, finding);
  }

  /** Says of all keys what the rules have for them, and of others that the type does not know them. Returns the gaps. */
  accountFor(type: string, rules: Rules): string[] {
    const gaps: string[] = [];
    for (const [key, property] of this.#own) {
      if (this.#account.has(property.key)) continue;
      const rule = ruleFor(key, rules);
      this.say(key, rule ?? { outcome: 'unknown', note: `Flume's ${type} has no such setting and ignores it` });
      if (rule?.outcome === 'gap') gaps.push(`line ${property.line}: ${property.key}: ${rule.note}`);
    }
    return gaps;
  }
}

function ruleFor(key: string, rules: Rules): Rule | undefined {
  if (Object.hasOwn(rules, key)) return rules[key];
  const begins = Object.keys(rules).filter((rule) => rule.endsWith('*') && key.startsWith(rule.slice(0, -1)));
  const [longest] = begins.sort((one, other) => other.length - one.length);
  return longest === undefined ? undefined : rules[longest];
}

import type { Agent } from './agent.js';
import { type Code, call, Imports, list, quoted } from './code.js';

/** What you should know before you run the flow, with the line where it comes from; 0 for what the file does not say. */
export interface Warning {
  readonly line: number;
  readonly message: string;
}

/** A file that is being written. */
export class Writing {
  readonly imports = new Imports();
  readonly warnings: Warning[];
  /** Settings without a counterpart, each a statement that does not type-check. */
  readonly lacking: string[] = [];
  /** Constants above the flow: the sinks. */
  readonly constants: { readonly name: string; readonly code: Code; readonly type: string }[] = [];
  readonly agent: Agent;
  #gaps = 0;

  constructor(agent: Agent, warnings: Warning[]) {
    this.agent = agent;
    this.warnings = warnings;
  }

  /** Imports a name of the package and calls it. */
  call(entry: string, name: string, ...items: readonly Code[]): Code {
    return call(this.imports.use(moduleOf(entry), name), ...items);
  }

  use(entry: string, name: string): string {
    return this.imports.use(moduleOf(entry), name);
  }

  warn(line: number, message: string): void {
    if (!this.warnings.some((one) => one.line === line && one.message === message))
      this.warnings.push({ line, message });
  }

  /** A part that has to be written by hand: an expression that does not type-check. */
  gap(text: string): Code {
    this.#gaps += 1;
    return this.call('flume', 'gap', quoted(text));
  }

  /** Says that settings have no counterpart. */
  lack(texts: readonly string[]): void {
    this.lacking.push(...texts);
  }

  /** How many parts are to be written by hand. */
  get gaps(): number {
    return this.#gaps + this.lacking.length;
  }

  /** A text of the agent's file, whose variables are read when the flow starts. */
  text(value: string): string {
    if (!VARIABLE.test(value)) return quoted(value);
    const env = this.use('flume', 'env');
    const whole = new RegExp(`^${VARIABLE.source}$`).exec(value);
    if (whole !== null) return `${env}('${whole[1] ?? whole[2]}')`;
    const escaped = value.replace(/[`\\]/g, '\\$&');
    return `\`${escaped.replace(new RegExp(VARIABLE, 'g'), (_, name, other) => `\${${env}('${name ?? other}')}`)}\``;
  }

  /** A list with commas; a variable may hold several of its items. */
  texts(value: string): Code {
    const parts = value
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean)
      .map((one) => [this.text(one), isVariable(one)] as const);
    const [only] = parts;
    if (parts.length === 1 && only?.[1] === true) return `${only[0]}.split(',')`;
    return list(parts.map(([text, several]) => (several ? `...${text}.split(',')` : text)));
  }
}

/** Whether a text has variables of the environment. */
export function hasVariable(text: string): boolean {
  return VARIABLE.test(text);
}

function isVariable(text: string): boolean {
  return new RegExp(`^${VARIABLE.source}$`).test(text);
}

/** `${env:NAME}`, and `${filter['NAME']}` of a config filter, whose values must come from the environment. */
const VARIABLE = /\$\{(?:env:(\w+)|\w+\['?"?(\w+)"?'?\])\}/;

function moduleOf(entry: string): string {
  return entry === '' ? 'rxflume' : entry.startsWith('rxjs') ? entry : `rxflume/${entry}`;
}

import type { Properties, Property } from './properties.js';
import { type Finding, Settings, to } from './settings.js';

export type Kind = 'sources' | 'channels' | 'sinks' | 'sinkgroups' | 'configfilters';

const KINDS: readonly Kind[] = ['sources', 'channels', 'sinks', 'sinkgroups', 'configfilters'];

export interface Component {
  readonly kind: Kind;
  readonly name: string;
  /** In lower case; empty where it has none. */
  readonly type: string;
  readonly settings: Settings;
}

/** An agent of Flume, as its file has it. */
export interface Agent {
  readonly name: string;
  readonly components: Readonly<Record<Kind, readonly Component[]>>;
  /** What became of each key so far. */
  readonly account: Map<string, Finding>;
}

/** The agents of a file: the first part of each key. */
export function agentNames({ entries }: Properties): string[] {
  const names = entries.map(({ key }) => key.split('.')).filter(([, kind]) => KINDS.includes(kind as Kind));
  return [...new Set(names.map(([name = '']) => name))];
}

/** Puts the keys of an agent to its components. Keys of components that the agent does not list are accounted for as unknown. */
export function agentOf(properties: Properties, name: string): Agent {
  const account = new Map<string, Finding>();
  for (const { key, value, line } of properties.repeated) {
    // Under a key of its own: the last one is accounted for under the real one.
    account.set(`${key}\0${line}`, {
      line,
      key,
      value,
      outcome: 'unknown',
      note: 'set again below; the last one counts',
    });
  }
  const own = properties.entries.filter(({ key }) => key.startsWith(`${name}.`));
  const entries = KINDS.map((kind) => [kind, componentsOf(kind, name, own, account)] as const);
  const components = Object.fromEntries(entries) as Record<Kind, Component[]>;
  for (const { key, value, line } of own) {
    if (account.has(key) || isOfComponent(key, name, components)) continue;
    const note = `belongs to nothing that \`${name}.sources\`, \`.channels\`, \`.sinks\` or \`.sinkgroups\` lists; Flume ignores it`;
    account.set(key, { line, key, value, outcome: 'unknown', note });
  }
  return { name, components, account };
}

function componentsOf(kind: Kind, agent: string, own: readonly Property[], account: Map<string, Finding>): Component[] {
  const root = `${agent}.${kind}`;
  const listed = own.find(({ key }) => key === root);
  if (listed !== undefined) new Settings(new Map([[kind, listed]]), account).say(kind, to('the parts of the flows'));
  const names = (listed?.value ?? '').split(/[\s,]+/).filter(Boolean);
  return [...new Set(names)].map((name) => {
    const prefix = `${root}.${name}.`;
    const mine = own
      .filter(({ key }) => key.startsWith(prefix))
      .map((one) => [one.key.slice(prefix.length), one] as const);
    const settings = new Settings(new Map(mine), account);
    const type = (settings.text('type') ?? '').toLowerCase();
    settings.say('type', to('the part itself'));
    return { kind, name, type, settings };
  });
}

function isOfComponent(key: string, agent: string, components: Agent['components']): boolean {
  return KINDS.some((kind) => components[kind].some(({ name }) => key.startsWith(`${agent}.${kind}.${name}.`)));
}

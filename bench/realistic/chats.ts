import { readFileSync } from 'node:fs';
import type { Values } from '../lab/records.js';

/** What each message has, all of them texts. */
export const FIELDS = ['id', 'conversation', 'at', 'lang', 'channel', 'from', 'customer', 'text'] as const;

type Message = Readonly<Record<(typeof FIELDS)[number], string>>;

/** The channel whose messages the flow drops. */
export const DROPPED = 'email';

/** More than gzip looks back upon, in each day and language. */
const MESSAGES = 60_000;

/** Messages of days, languages and channels as the sample of chats has them, all different, again and again. */
export interface Chats extends Values {
  /** How many of the first so many are kept. */
  keptOf(records: number): number;
  /** The days and languages of those that are kept. */
  readonly groups: number;
  readonly meanBytes: number;
}

export function chats(): Chats {
  const file = new URL('../../examples/data/chat.jsonl', import.meta.url);
  const sample = readFileSync(file, 'utf8').split('\n').flatMap(messageOf);
  const random = randomOf(2_026);
  const pick = <T>(all: readonly T[]) => all[Math.floor(random() * all.length)] as T;
  const byLanguage = groupedByLanguage(sample);
  const messages = Array.from({ length: MESSAGES }, (_, n): Message => {
    const one = pick(sample);
    const other = pick(byLanguage.get(one.lang) ?? []);
    return {
      ...one,
      id: `m-${100_000 + n}`,
      conversation: pick(sample).conversation,
      customer: pick(sample).customer,
      at: `${one.at.slice(0, 11)}${pick(sample).at.slice(11)}`,
      text: one.text.slice(0, one.text.length / 2) + other.text.slice(other.text.length / 2),
    };
  });
  const bytes = messages.map((message) => Buffer.from(JSON.stringify(message)));
  const kept = messages.filter(({ channel }) => channel !== DROPPED);
  return {
    most: Math.max(...bytes.map(({ length }) => length)),
    meanBytes: bytes.reduce((sum, { length }) => sum + length, 0) / MESSAGES,
    groups: new Set(kept.map(({ at, lang }) => at.slice(0, 10) + lang)).size,
    write: (into, n) => (bytes[n % MESSAGES] as Buffer).copy(into),
    keptOf: (records) => {
      const rest = messages.slice(0, records % MESSAGES).filter(({ channel }) => channel !== DROPPED);
      return Math.floor(records / MESSAGES) * kept.length + rest.length;
    },
  };
}

/** The sample has lines that are no messages, for the flows that show dead letters. */
function messageOf(line: string): Message[] {
  try {
    const message = JSON.parse(line);
    return FIELDS.every((field) => typeof message[field] === 'string') ? [message] : [];
  } catch {
    return [];
  }
}

function groupedByLanguage(sample: readonly Message[]): Map<string, Message[]> {
  const groups = new Map<string, Message[]>();
  for (const message of sample) groups.set(message.lang, [...(groups.get(message.lang) ?? []), message]);
  return groups;
}

/** The same numbers in each run. Source: Park and Miller's generator. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

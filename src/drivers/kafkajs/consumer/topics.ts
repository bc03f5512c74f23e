import { ConnectError } from '../../../core/errors.js';
import { meaningOf, reasonOf } from '../errors.js';

/** A topic as a broker knows it. */
export interface KnownTopic {
  readonly topic: string;
  readonly isInternal?: boolean;
  /** Why it cannot be read. */
  readonly error?: unknown;
}

/** Asks for these topics, or for all of them. */
export type AskTopics = (names: readonly string[]) => Promise<readonly KnownTopic[]>;

/** A topic that matches the pattern and cannot be read: the others are. */
export type OnSkipped = (topic: string, error: unknown) => void;

const LOOKS = 3;
const LOOK_AGAIN_AFTER_MS = 250;

/**
 * The topics that exist of those subscribed to. A topic made a moment ago may not be known to every broker yet, nor may one
 * of `before`, so they are looked for a few times.
 *
 * Fails: `RXF_KAFKA_TOPIC_MISSING` names those that are not there, or the pattern that matches none; `RXF_KAFKA_AUTH` names
 * those that are not ours to read. A pattern leaves such topics out.
 */
export async function resolveTopics(
  wanted: readonly string[] | RegExp,
  ask: AskTopics,
  skipped: OnSkipped = () => undefined,
  before: readonly string[] = [],
): Promise<string[]> {
  for (let look = 1; ; look += 1) {
    const found = wanted instanceof RegExp ? await matching(wanted, ask, before) : await existing(wanted, ask);
    if (look < LOOKS && (found.missing.length > 0 || found.isUnsure)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_AFTER_MS));
      continue;
    }
    if (found.missing.length > 0) throw missingError(found.missing, wanted instanceof RegExp);
    if (wanted instanceof RegExp) for (const { topic, error } of found.unreadable) skipped(topic, error);
    else if (found.unreadable.length > 0) throw forbiddenError(found.unreadable);
    return found.names;
  }
}

interface Found {
  readonly names: string[];
  readonly missing: string[];
  readonly unreadable: readonly KnownTopic[];
  /** One that was there is not there now. */
  readonly isUnsure: boolean;
}

async function matching(pattern: RegExp, ask: AskTopics, before: readonly string[]): Promise<Found> {
  // With the flag g or y, a pattern remembers where it was.
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const known = (await ask([])).filter(({ topic, isInternal }) => !isInternal && fresh.test(topic));
  const names = known
    .filter(isThere)
    .map(({ topic }) => topic)
    .sort();
  return {
    names,
    missing: names.length === 0 ? [String(pattern)] : [],
    unreadable: known.filter((one) => !isThere(one)),
    isUnsure: before.some((name) => !names.includes(name)),
  };
}

async function existing(wanted: readonly string[], ask: AskTopics): Promise<Found> {
  const names = [...new Set(wanted)];
  const known = await ask(names);
  const of = (name: string) => known.find(({ topic }) => topic === name);
  const missing = names.filter((name) => {
    const one = of(name);
    return one === undefined || (one.error !== undefined && meaningOf(one.error) === 'missing');
  });
  const unreadable = known.filter(({ error }) => error !== undefined && meaningOf(error) === 'forbidden');
  return { names, missing, unreadable, isUnsure: false };
}

/** Also where it has no leader at the moment, or is just being made. */
function isThere({ error }: KnownTopic): boolean {
  const meaning = error === undefined ? undefined : meaningOf(error);
  return meaning !== 'missing' && meaning !== 'forbidden';
}

function missingError(missing: readonly string[], isPattern: boolean): ConnectError {
  const names = missing.join(', ');
  return new ConnectError(
    'RXF_KAFKA_TOPIC_MISSING',
    isPattern
      ? `No readable topic matches ${names}. Create one, grant \`Describe\` and \`Read\` on it, or change the pattern.`
      : `Topic ${names} does not exist. Create it, for example with \`kafka-topics.sh --bootstrap-server … --create --topic ${names}\`.`,
    { details: { topics: missing } },
  );
}

export function forbiddenError(unreadable: readonly KnownTopic[]): ConnectError {
  const names = unreadable.map(({ topic }) => topic);
  const cause = unreadable[0]?.error;
  return new ConnectError(
    'RXF_KAFKA_AUTH',
    `Kafka denies read access to ${names.join(', ')}: ${reasonOf(cause)}. Grant \`Describe\` and \`Read\` on it, or leave it out ` +
      'of `topics`.',
    { details: { topics: names }, cause },
  );
}

/** Of a topic that was there. */
export function goneError(topic: string, cause: unknown): ConnectError {
  return new ConnectError(
    'RXF_KAFKA_TOPIC_MISSING',
    `Topic ${topic} no longer exists. Recreate it, or stop the flow.`,
    {
      details: { topics: [topic] },
      cause,
    },
  );
}

import { ConnectError } from '../../core/errors.js';
import { typeOf } from './errors.js';

export interface KnownTopic {
  readonly topic: string;
  readonly isInternal?: boolean;
}

/** Asks for these topics, or for all of them; fails where one is not there. */
export type AskTopics = (names: readonly string[]) => Promise<readonly KnownTopic[]>;

const LOOKS = 3;
const LOOK_AGAIN_AFTER_MS = 250;
const MISSING = ['UNKNOWN_TOPIC_OR_PARTITION', 'INVALID_TOPIC_EXCEPTION'];

/**
 * The topics that exist of those subscribed to. A topic made a moment ago may not be known to every broker yet, so it is
 * looked for a few times.
 *
 * Fails: `RXF_KAFKA_TOPIC_MISSING` names those that are not there, or the pattern that matches none.
 */
export async function resolveTopics(wanted: readonly string[] | RegExp, ask: AskTopics): Promise<string[]> {
  for (let look = 1; ; look += 1) {
    const found = wanted instanceof RegExp ? await matching(wanted, ask) : await existing(wanted, ask);
    if (found.missing.length === 0) return found.names;
    if (look < LOOKS) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_AFTER_MS));
      continue;
    }
    const missing = found.missing.join(', ');
    throw new ConnectError(
      'RXF_KAFKA_TOPIC_MISSING',
      wanted instanceof RegExp
        ? `No topic matches ${missing}. Create one, or change the pattern.`
        : `There is no topic ${missing}. Create it, for example: kafka-topics.sh --bootstrap-server … --create --topic ${missing}`,
      { details: { topics: found.missing } },
    );
  }
}

interface Found {
  readonly names: string[];
  readonly missing: string[];
}

async function matching(pattern: RegExp, ask: AskTopics): Promise<Found> {
  // With the flag g or y, a pattern remembers where it was.
  const fresh = new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
  const names = (await ask([]))
    .filter(({ topic, isInternal }) => !isInternal && fresh.test(topic))
    .map(({ topic }) => topic);
  return { names: names.sort(), missing: names.length === 0 ? [String(pattern)] : [] };
}

async function existing(names: readonly string[], ask: AskTopics): Promise<Found> {
  const unique = [...new Set(names)];
  if (!(await isMissing(unique, ask))) return { names: unique, missing: [] };
  const missing: string[] = [];
  for (const name of unique) if (await isMissing([name], ask)) missing.push(name);
  return { names: unique, missing };
}

async function isMissing(names: readonly string[], ask: AskTopics): Promise<boolean> {
  try {
    await ask(names);
    return false;
  } catch (error) {
    if (MISSING.includes(typeOf(error))) return true;
    throw error;
  }
}

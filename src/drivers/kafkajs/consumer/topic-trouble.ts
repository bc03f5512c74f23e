import { reasonOf } from '../errors.js';
import type { OwnedPartition } from './assignment.js';
import type { Home } from './home.js';
import { forbiddenError, goneError } from './topics.js';

/** Tries of a partition that its broker does not know: new metadata takes a moment to spread. */
const UNKNOWN_TRIES = 6;

/**
 * What follows where a topic is gone, or is not ours to read. One that was named is an error with its name; of a pattern the
 * others are read: it is reported, and left out at the next join once it is gone.
 */
export function topicTrouble(
  home: Pick<Home, 'subscription' | 'driverLog' | 'failed'>,
  { topic, troubles }: OwnedPartition,
  meaning: 'missing' | 'forbidden',
  error: unknown,
  look: () => void,
): void {
  if (home.subscription.topics instanceof RegExp) {
    const what = meaning === 'missing' ? 'is gone' : `cannot be read: ${reasonOf(error)}`;
    const advice = meaning === 'missing' ? '' : 'Grant `Describe` and `Read` on it, or exclude it from the pattern. ';
    const next = `${advice}Other topics are read; it is checked again.`;
    home.driverLog.skipped(`Topic ${topic}, which matches the pattern, ${what}. ${next}`);
    if (meaning === 'missing') look();
  } else if (meaning === 'forbidden') home.failed(forbiddenError([{ topic, error }]));
  else if (troubles >= UNKNOWN_TRIES) home.failed(goneError(topic, error));
}

import { describeError, OptionError } from '../core/errors.js';
import type { DeadLetter } from '../delivery/dead-letter.js';
import { checkLetter } from './letter.js';

/** What may be changed of a letter before it is replayed: the record, not what is said of it. */
const EDITABLE = ['timestamp', 'key', 'keyEncoding', 'headers', 'value', 'encoding', 'type'] as const;

/**
 * Checks a letter that was edited against the one that is stored. What is now text and was something that could not be had back is text.
 *
 * Fails: `OptionError` where it is no letter any more, or something else of it was changed than its record.
 */
export function editedLetter(place: string, stored: DeadLetter, edited: unknown): DeadLetter {
  let letter: DeadLetter;
  try {
    letter = checkLetter(edited);
  } catch (error) {
    throw wrong(place, describeError(error));
  }
  for (const [name, value] of Object.entries(stored)) {
    if ((EDITABLE as readonly string[]).includes(name)) continue;
    if (JSON.stringify(letter[name as keyof DeadLetter]) !== JSON.stringify(value))
      throw wrong(
        place,
        `its \`${name}\` was changed, of which only ${EDITABLE.map((one) => `\`${one}\``).join(', ')} may be`,
      );
  }
  if (letter.type !== 'other' || letter.value === stored.value) return letter;
  return { ...letter, type: letter.encoding === 'json' ? 'json' : 'text' };
}

function wrong(place: string, why: string): OptionError {
  return new OptionError(
    'RXF_OPTION_INVALID',
    `The edited dead letter ${place} cannot be replayed: ${why}. Nothing was replayed.`,
    {
      details: { place },
    },
  );
}

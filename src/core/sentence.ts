const TRAILING = /[\s.:;,]+$/;
/** Already ended: by `?`, `!` or `…`, or by a full stop before a closing quote or bracket. */
const ENDED = /[?!…]["'”’)\]]*$|[^.]\.["'”’)\]]+$/;
/** A plain word begins it, not a name such as `kafka:chat/3` or `a.txt`. */
const PLAIN_WORD = /^\p{Ll}+(?=[ ,]|$)/u;

/**
 * Joins what failed, its reason and the advice into one message. Each part becomes a sentence: a capital first, one full
 * stop last, whatever the text of a foreign error ends with. Empty parts are left out.
 */
export function sentence(...parts: readonly string[]): string {
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(asSentence)
    .join(' ');
}

/** A reason for the middle of a sentence: without the full stop, colon or line end that it came with. */
export function withoutStop(text: string): string {
  return text.replace(TRAILING, '');
}

const MAX_NAMED = 8;

/** Names as a message has them: the first eight, and how many more. */
export function listed(names: readonly string[]): string {
  const more = names.length > MAX_NAMED ? ` and ${names.length - MAX_NAMED} more` : '';
  return `${names.slice(0, MAX_NAMED).join(', ')}${more}`;
}

function asSentence(text: string): string {
  const begun = text.replace(PLAIN_WORD, (word) => word.charAt(0).toUpperCase() + word.slice(1));
  return ENDED.test(begun) ? begun : `${withoutStop(begun)}.`;
}

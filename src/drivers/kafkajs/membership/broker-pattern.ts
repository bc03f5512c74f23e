/**
 * A text, `.`, a class, a group or one of two, each with how often. In these, JavaScript and RE2, which brokers use, mean the same.
 * Not in it: look-around, references, escapes but of a sign or of `d`, `w`, `D`, `W`, and classes within classes.
 *
 * `^` and `$` mean the ends of the name in both, also with what `brokerPattern` puts around them.
 */
const COMMON =
  /^(?:[\w.\-|^$*+?:, ]|\\[.\-_|()[\]{}*+?^$\\dwDW]|\((?!\?)|\(\?:|\)|\{\d{1,3}(?:,\d{0,3})?\}|\[\^?(?:[\w.\- ]|\\[.\-_\]\\dw])+\])+$/;

/**
 * The pattern as a broker reads it, which matches whole names; undefined where a broker might match other topics than
 * JavaScript does, so that the topics are to be named.
 *
 * Source: KIP-848, the subscription by a regular expression of RE2/J.
 */
export function brokerPattern({ source, flags }: RegExp): string | undefined {
  if (!COMMON.test(source)) return undefined;
  const mode = flags.includes('i') ? '(?i)' : '';
  return `${mode}.*(?:${source}).*`;
}

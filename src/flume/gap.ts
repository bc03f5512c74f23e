/**
 * What `rxflume migrate` writes where a part of an agent has no counterpart: a call that does not type-check, so that the flow does not run before
 * someone has written the part. The text says what is missing, and on which line of the agent's file it was.
 *
 * ```ts
 * import { gap } from 'rxflume/flume';
 *
 * export function jmsSource(): never {
 *   // @ts-expect-error: a gap takes nothing, so that it must be replaced.
 *   return gap('line 3: a source of type jms has no counterpart here');
 * }
 * ```
 *
 * Settles: nothing; the flow is never made.
 * Fails: always, with the text.
 * Source: TypeScript handbook, `never`: nothing can be given for it.
 */
export function gap(what: never): never {
  throw new Error(`This flow has a gap that \`rxflume migrate\` left: ${String(what)}`);
}

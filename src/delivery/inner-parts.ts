/** A registered symbol, since a flow and its command may load two copies of this package. */
const INNER = Symbol.for('rxflume.innerParts');

/** What an operator or a sink writes to or asks beside the main way: a branch, a dead-letter sink, a schema registry. */
export interface InnerPart {
  /** What its holder calls it, such as the name of a branch. */
  readonly name: string;
  readonly part: unknown;
}

/** The sinks of a list, `sink 1` and so on, or those of an object by their names. */
export function partsIn(held: Readonly<Record<string, unknown>> | readonly unknown[]): InnerPart[] {
  if (Array.isArray(held)) return held.map((part, at) => ({ name: `sink ${at + 1}`, part: part as unknown }));
  return Object.entries(held).map(([name, part]) => ({ name, part }));
}

/** Notes what a part holds, for what looks at a flow before it runs. */
export function withInnerParts<H extends object>(holder: H, parts: readonly InnerPart[]): H {
  return Object.defineProperty(holder, INNER, { value: parts, configurable: true });
}

/** What a part holds; empty where it holds nothing, or does not say. */
export function innerPartsOf(holder: unknown): readonly InnerPart[] {
  return (holder as { readonly [INNER]?: readonly InnerPart[] } | null | undefined)?.[INNER] ?? [];
}

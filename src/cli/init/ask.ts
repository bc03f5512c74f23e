import { SINK_KINDS, type SinkKind, SOURCE_KINDS, type SourceKind } from './parts.js';
import type { ProjectAsked } from './project.js';

/** Puts a question to the user; answers with a line, without its end. */
export type Question = (text: string) => Promise<string>;

/** What is given on the command line; undefined where it is to be asked. */
export type Given = { readonly [K in keyof ProjectAsked]: ProjectAsked[K] | undefined };

export const DEFAULT_SOURCE: SourceKind = 'kafka';
export const DEFAULT_SINK: SinkKind = 'hdfs';

/** What is not given, asked one by one until each answer is one; an empty answer is the default. */
export async function askFor(given: Given, name: string, question: Question): Promise<ProjectAsked> {
  const asked = async <T extends string>(what: string, otherwise: T, fits: (text: string) => text is T): Promise<T> => {
    for (;;) {
      const answer = (await question(`${what} [${otherwise}]: `)).trim() || otherwise;
      if (fits(answer)) return answer;
    }
  };
  const isOneOf =
    <T extends string>(all: readonly T[]) =>
    (text: string): text is T =>
      (all as readonly string[]).includes(text);
  return {
    name: given.name ?? (await asked('Name of the flow', name, (text): text is string => isName(text))),
    source: given.source ?? (await asked(`Source: ${SOURCE_KINDS.join(', ')}`, DEFAULT_SOURCE, isOneOf(SOURCE_KINDS))),
    sink: given.sink ?? (await asked(`Sink: ${SINK_KINDS.join(', ')}`, DEFAULT_SINK, isOneOf(SINK_KINDS))),
  };
}

/** Whether a flow, and a package, can have this name. */
export function isName(text: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,99}$/.test(text);
}

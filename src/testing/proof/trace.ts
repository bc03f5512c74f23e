import { type Difference, isSame, type Lines, repeated, together } from './comparison.js';
import { play } from './play.js';
import type { LinesOfRecords } from './recorder.js';
import type { Trial } from './trial.js';
import { feedOf } from './trial.js';

/** The most records that are traced one by one to their lines. */
const MAX_TRACED = 500;

/** What each record becomes, from a run with that record alone. */
export interface Trace {
  /** Undefined where these are not the lines of all together, since then a record's lines depend on others. */
  readonly linesOfRecords: LinesOfRecords | undefined;
  /** Lines of one record that are in more than one file. */
  readonly twice: readonly Difference[];
}

export function traceRecords(trial: Trial, seed: number, whole: Lines): Trace {
  const feed = feedOf(trial.input);
  const traced = new Map<string, Lines[]>();
  const twice: Difference[] = [];
  if (feed.length > MAX_TRACED) return { linesOfRecords: undefined, twice };
  for (const fed of feed) {
    const stream = `${fed.topic}/${fed.partition}`;
    const records = traced.get(stream) ?? [];
    traced.set(stream, records);
    const { lines } = play(trial, { seed, pace: 0, faults: [] }, [{ ...fed, skip: records.length }]);
    records.push(lines);
    twice.push(...repeated(lines, trial.roots));
  }
  const isWhole = isSame(together([...traced.values()].flat()), whole);
  return { linesOfRecords: isWhole ? traced : undefined, twice };
}

import type { FlumeEvent } from 'rxflume';
import type { Outcome } from './outcome.js';
import type { Side } from './side.js';

export interface Case {
  /** Of the agent's file: `compare-<name>.conf`. */
  readonly name: string;
  /** The flows that it becomes. */
  readonly flows: readonly string[];
  /** The channels of the agent, each with how many events come into it. */
  readonly puts: Readonly<Record<string, number>>;
  /** The same input to each side; returns what the sender hears. */
  feed(side: Side): Promise<readonly string[]>;
  outcome(side: Side): Promise<Outcome> | Outcome;
  /** What only one of them has: the row of docs/guides/from-flume.md that explains it. */
  readonly differences?: readonly Difference[];
}

export interface Difference {
  /** The bold words that begin the row. */
  readonly row: string;
  readonly flume: readonly string[];
  readonly rxflume: readonly string[];
}

/** The time of the first events. */
export const START = 1_700_000_000_000;
export const MINUTE = 60_000;

export const event = (body: string, headers: Record<string, string> = {}): FlumeEvent => ({
  headers,
  body: Buffer.from(body),
});

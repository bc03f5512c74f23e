import { FlowSources } from './flow-sources.js';

/** The flow that is being subscribed to, and which of its steps. */
export interface FlowScope {
  readonly flow: string;
  /** Where its sources add themselves; absent where nothing steers them. */
  readonly sources?: FlowSources;
  /** The step that is being applied to what is before it, such as `1 decode`; absent around the source and the whole. */
  readonly operator?: string;
  readonly step?: StepCounts;
  /** The flow is only measured: nothing of it may write where it is set to. */
  readonly isRehearsal?: true;
  /** Is shown what is handed to a branch, such as a dead letter, and its origin. */
  readonly beside?: (value: unknown, origin: unknown) => void;
}

/** What an operator of a flow counts of itself. */
export interface StepCounts {
  /** How many it took and passed on: those of the first and the last part that it is made of. */
  received?: { value: number };
  emitted?: { value: number };
  /** How many it nacked. */
  nacked?: { value: number };
  /** How many it holds now. */
  held?: () => number;
  /** Whether it holds the record now, undefined where it cannot tell; asked only when somebody looks for one. */
  holds?: (stream: string, offset: number) => boolean | undefined;
}

let current: FlowScope | undefined;

/** The flow that whatever is called now is made for; undefined outside of one, or later than its subscription. */
export function flowScope(): FlowScope | undefined {
  return current;
}

/** What the operator that is being subscribed to counts in; outside of a flow nobody reads it. */
export function stepCounts(): StepCounts {
  return current?.step ?? {};
}

/** Where that operator counts what it nacks: from 0, also where it never nacks any. */
export function countNacks(): { value: number } {
  const counts = stepCounts();
  counts.nacked ??= { value: 0 };
  return counts.nacked;
}

/** Where a source that is being subscribed to adds itself; outside of a flow nobody steers it. */
export function flowSources(): FlowSources {
  return current?.sources ?? new FlowSources();
}

/** The label that tells the metrics of flows apart. */
export function flowLabels(): Readonly<Record<string, string>> {
  return current === undefined ? {} : { flow: current.flow };
}

/** Runs something for the same flow, and none of its steps: what is in a branch of an operator is not the operator. */
export function inBranchScope<T>(run: () => T): T {
  if (current === undefined) return inFlowScope(undefined, run);
  const { flow, isRehearsal, beside } = current;
  return inFlowScope({ flow, ...(isRehearsal && { isRehearsal }), ...(beside && { beside }) }, run);
}

/**
 * Runs something for a flow. Subscribing is synchronous in RxJS, so all that a flow consists of is made within this call; what is
 * made later, such as a second connection, is to be called in the scope that was there at first.
 */
export function inFlowScope<T>(scope: FlowScope | undefined, run: () => T): T {
  const outer = current;
  current = scope;
  try {
    return run();
  } finally {
    current = outer;
  }
}

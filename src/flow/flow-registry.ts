/** One subscription of a flow that runs, and what can be done with it. */
export interface RegisteredRun {
  readonly flow: object;
  readonly control: object;
}

/** One for the process, even where a flow file and the command that runs it load two copies of this package. */
const RUNNING = Symbol.for('rxflume.runningFlows');

function registry(): Set<RegisteredRun> {
  const shared = globalThis as { [RUNNING]?: Set<RegisteredRun> };
  shared[RUNNING] ??= new Set();
  return shared[RUNNING];
}

/** Those that run now, in the order in which they were subscribed to. */
export function registeredRuns(): readonly RegisteredRun[] {
  return [...registry()];
}

/** Returns what takes it out again. */
export function registerRun(run: RegisteredRun): () => void {
  registry().add(run);
  return () => {
    registry().delete(run);
  };
}

import type { Flow } from './flow.js';
import type { FlowControl } from './flow-control.js';
import { registeredRuns } from './flow-registry.js';

/** A flow that runs in this process, with what can be done with this subscription of it. */
export interface RunningFlow {
  readonly flow: Flow<unknown>;
  readonly control: FlowControl;
}

/**
 * The flows that run in this process, oldest subscription first; of all copies of this package that it has loaded.
 */
export function runningFlows(): readonly RunningFlow[] {
  return registeredRuns() as readonly RunningFlow[];
}

/** The control of the flow with this name, of its newest subscription; undefined where none runs. */
export function controlOf(name: string): FlowControl | undefined {
  return [...runningFlows()].reverse().find(({ control }) => control.name === name)?.control;
}

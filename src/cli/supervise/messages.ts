import type { Level, Sample } from '../../core/monitor.js';
import type { Health } from '../../metrics/health.js';
import type { Progress } from '../progress.js';

/** What a process of a flow tells the one that supervises it. */
export type ChildMessage =
  | {
      readonly what: 'log';
      readonly level: Level;
      readonly name: string;
      readonly message: string;
      readonly details?: Readonly<Record<string, unknown>>;
    }
  | ChildState;

/** How it is, once a second. */
export interface ChildState {
  readonly what: 'state';
  readonly progress: Progress;
  readonly readiness: Health;
  readonly liveness: Health;
  /** Of all its metrics. */
  readonly samples: readonly Sample[];
  /** The memory of the process, in bytes. */
  readonly residentBytes: number;
}

/** Set to its name for a process that is supervised: a flow can be a static member of its group by it. */
export const SUPERVISED = 'RXFLUME_PROCESS';

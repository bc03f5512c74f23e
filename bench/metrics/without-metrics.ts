import { ClosedTime } from '../../src/backpressure/closed-time.js';
import { Histogram } from '../../src/core/histogram.js';
import { Metric } from '../../src/core/monitor.js';
import { FlowRun } from '../../src/flow/flow-run.js';
import { CallTimer } from '../../src/lifecycle/call-timer.js';
import { TimeIndex } from '../../src/offsets/time-index.js';

/**
 * Takes out of this process what is measured for metrics alone, before anything has run. What stays is one increment a record for each
 * operator, which counts where it handles it.
 */
export function withoutMetrics(): void {
  const nothing = () => undefined;
  replace(TimeIndex.prototype, { wants: () => false, isPassedBy: () => false, ackedUpTo: nothing });
  replace(Histogram.prototype, { observe: nothing });
  replace(Metric.prototype, { add: nothing });
  replace(CallTimer.prototype, { start: () => ({ since: 0 }), done: nothing, drop: nothing });
  replace(ClosedTime.prototype, { set: nothing });
  replace(FlowRun.prototype, { counted: (steps) => [...steps] });
}

function replace<T extends object>(prototype: T, methods: Partial<T>): void {
  Object.assign(prototype, methods);
}

import { map, type Observable, type Subscriber, tap } from 'rxjs';
import { defaultMonitor } from '../core/monitor.js';
import { expectMs, expectOption, withDefaults } from '../core/options.js';
import type { Delivery } from '../delivery/delivery.js';
import { LeakDetector, type LeakDetectorOptions } from '../delivery/leak-detector.js';

/** An operator or a sink of a flow, whatever it takes and gives. */
export type AnyStep = (input: Observable<unknown>) => Observable<unknown>;

/** What a flow is watched with, where `watched()` of a `Flow` is given nothing else. */
export const LEAK_DETECTOR_DEFAULTS = { afterMs: 900_000, monitor: defaultMonitor } as const;

/** Fills in the defaults and checks all of it. Throws `OptionError`. */
export function checkWatch(options: LeakDetectorOptions): Required<LeakDetectorOptions> {
  const { afterMs, monitor } = withDefaults('watched options', LEAK_DETECTOR_DEFAULTS, options);
  expectMs('afterMs', afterMs, 1);
  expectOption('monitor', monitor, typeof monitor?.logEvent === 'function', 'a Monitor');
  return { afterMs, monitor };
}

/** Whether a flow is watched of which nobody said so: in development. */
export function watchOfEnvironment(): Required<LeakDetectorOptions> | undefined {
  return process.env.NODE_ENV === 'development' ? LEAK_DETECTOR_DEFAULTS : undefined;
}

/** The steps with a look before each: what enters it. Ends with the subscriber. */
export function probed(
  flow: string,
  steps: readonly AnyStep[],
  options: Required<LeakDetectorOptions>,
  subscriber: Subscriber<unknown>,
): AnyStep[] {
  const watch = new LeakDetector(
    flow,
    steps.map(({ name }) => name),
    options,
  );
  subscriber.add(() => watch.end());
  const enter = map((delivery: Delivery<unknown>) => watch.enter(delivery)) as AnyStep;
  const pass = (step: number) => tap((delivery: Delivery<unknown>) => watch.pass(step, delivery)) as AnyStep;
  return steps.flatMap((step, at) => [at === 0 ? enter : pass(at), step]);
}

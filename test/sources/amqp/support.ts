import { Subject, type Subscription } from 'rxjs';
import { RxflumeError } from '../../../src/core/errors.js';
import { Monitor } from '../../../src/core/monitor.js';
import type { Delivery } from '../../../src/delivery/delivery.js';
import type { Source } from '../../../src/delivery/source.js';

export interface Running {
  /** Values in order of arrival, with a star where they are redelivered. */
  readonly seen: string[];
  readonly out: Delivery<Buffer>[];
  /** The first that is out with this value. */
  one(value: string, nth?: number): Delivery<Buffer>;
  readonly ended: () => string;
  readonly error: () => unknown;
  readonly running: Subscription;
  drain(): void;
}

/** Subscribes, and keeps what comes. */
export function run(source: Source<Delivery<Buffer>>): Running {
  const out: Delivery<Buffer>[] = [];
  const seen: string[] = [];
  const stop$ = new Subject<void>();
  let ended = '';
  let failure: unknown;
  const running = source.drainedBy(stop$).subscribe({
    next: (delivery) => {
      out.push(delivery);
      const { isRedelivered } = delivery.origin as { isRedelivered?: boolean };
      seen.push(`${delivery.value.toString()}${isRedelivered ? '*' : ''}`);
    },
    error: (error: unknown) => {
      failure = error;
      ended = error instanceof RxflumeError ? error.code : String(error);
    },
    complete: () => {
      ended = 'complete';
    },
  });
  return {
    seen,
    out,
    one: (value, nth = 0) => out.filter((delivery) => delivery.value.toString() === value)[nth] as Delivery<Buffer>,
    ended: () => ended,
    error: () => failure,
    running,
    drain: () => stop$.next(),
  };
}

/** A monitor whose notices are kept. */
export function monitored(): { readonly monitor: Monitor; readonly logEvents: string[] } {
  const monitor = new Monitor();
  const logEvents: string[] = [];
  monitor.logEvents$.subscribe(({ what }) => logEvents.push(what));
  return { monitor, logEvents };
}

import type { WindowLimits } from '../backpressure/in-flight-window.js';
import { type Monitor, withCause } from '../core/monitor.js';
import type { Outlet } from './branches.js';
import type { Delivery } from './delivery.js';
import { isStopped } from './nack-errors.js';
import { OptionalAckers } from './optional-acker.js';

/** An optional sink: it receives what it can keep up with. */
export class OptionalSink<T> {
  readonly #outlet: Outlet<T>;
  readonly #ackers: OptionalAckers;
  readonly #skipped;
  readonly #tellSkipping: () => void;
  #isSkipping = false;

  constructor(name: string, outlet: Outlet<T>, limits: WindowLimits, monitor: Monitor) {
    this.#outlet = outlet;
    this.#skipped = monitor.metric('rxflume_tee_skipped_total', { sink: name });
    this.#tellSkipping = () =>
      monitor.logEvent(
        'warn',
        'tee.behind',
        `Sink ${name} has fallen behind and skips deliveries until it catches up.`,
      );
    this.#ackers = new OptionalAckers(limits, (cause) => {
      if (isStopped(cause)) return;
      const text = `Sink ${name} nacked a value, which is not sent to it again`;
      monitor.report({ what: 'tee.nacked', about: name, ...withCause(text, cause) });
    });
  }

  give(delivery: Delivery<T>): void {
    if (this.#outlet.isOpen && !this.#ackers.isFull) {
      this.#isSkipping = false;
      this.#outlet.give(this.#ackers.spare(delivery));
      return;
    }
    this.#skipped.add(1);
    if (!this.#isSkipping && this.#outlet.isOpen) this.#tellSkipping();
    this.#isSkipping = true;
  }
}

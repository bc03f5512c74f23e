import type { Labels, Monitor, Sample } from '../core/monitor.js';
import { ClosedTime } from './closed-time.js';
import type { InFlightWindow } from './in-flight-window.js';

/** The metrics of a source's window: what went out, what was released, what is in flight, and for how long it was full. */
export class WindowMetrics {
  readonly #window: InFlightWindow;
  readonly #counters;
  readonly #closed = new ClosedTime();
  #taken = 0;
  #released = 0;

  constructor(window: InFlightWindow, monitor: Monitor, labels: Labels) {
    this.#window = window;
    this.#counters = {
      emitted: monitor.metric('rxflume_source_emitted_records_total', labels),
      released: monitor.metric('rxflume_source_released_records_total', labels),
      closed: monitor.metric('rxflume_source_window_closed_seconds_total', labels),
    };
  }

  /** To be called when the window may have become full, or free again. */
  changed(): void {
    this.#closed.set(this.#window.isFull);
  }

  /** Brings the counters up to date: at each reading, and at the end. */
  count(): void {
    const { taken, count } = this.#window;
    this.#counters.emitted.add(taken - this.#taken);
    this.#counters.released.add(taken - count - this.#released);
    this.#taken = taken;
    this.#released = taken - count;
    this.#counters.closed.add(this.#closed.take());
  }

  *inFlight(labels: Labels): Iterable<Sample> {
    yield { name: 'rxflume_source_in_flight_records', labels, value: this.#window.count };
    yield { name: 'rxflume_source_in_flight_bytes', labels, value: this.#window.bytes };
  }
}

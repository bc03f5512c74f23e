import { flowLabels } from '../core/flow-scope.js';
import type { Labels, Monitor, Sample } from '../core/monitor.js';
import { ClosedTime } from './closed-time.js';
import type { InFlightWindow } from './in-flight-window.js';

/**
 * The metrics of a source that are read from its state. Those of its window are here: what went out, what was released, what is in flight,
 * and for how long it was full; the rest is each source's own.
 */
export abstract class WindowGauges {
  /** Of the source, and of the flow that it is in. */
  protected readonly labels: Labels;
  readonly #window: InFlightWindow;
  readonly #counters;
  readonly #closed = new ClosedTime();
  readonly #uncollect: () => void;
  #taken = 0;
  #released = 0;

  constructor(window: InFlightWindow, monitor: Monitor, labels: Labels) {
    this.labels = { ...flowLabels(), ...labels };
    this.#window = window;
    this.#counters = {
      emitted: monitor.metric('rxflume_source_emitted_records_total', labels),
      released: monitor.metric('rxflume_source_released_records_total', labels),
      closed: monitor.metric('rxflume_source_window_closed_seconds_total', labels),
    };
    this.#uncollect = monitor.collect(() => this.#read());
  }

  /** What else is known at the moment. */
  protected abstract read(): Iterable<Sample>;

  /** To be called when the window may have become full, or free again. */
  windowChanged(): void {
    this.#closed.set(this.#window.isFull);
  }

  /** Brings the counters up to date, and takes the rest away. */
  end(): void {
    this.#count();
    this.#uncollect();
  }

  *#read(): Iterable<Sample> {
    this.#count();
    const { labels } = this;
    yield { name: 'rxflume_source_in_flight_records', labels, value: this.#window.count };
    yield { name: 'rxflume_source_in_flight_bytes', labels, value: this.#window.bytes };
    yield* this.read();
  }

  #count(): void {
    const { taken, count } = this.#window;
    this.#counters.emitted.add(taken - this.#taken);
    this.#counters.released.add(taken - count - this.#released);
    this.#taken = taken;
    this.#released = taken - count;
    this.#counters.closed.add(this.#closed.take());
  }
}

import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { WindowGauges } from '../../backpressure/window-gauges.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { Labels, Monitor, Sample } from '../../core/monitor.js';
import { NoProgress, type StreamPosition } from '../../offsets/no-progress.js';

/** What a session says of itself when its metrics are read. */
export interface PushState {
  readonly waiting: number;
  /** Out and not settled. */
  readonly unsettled: number;
  /** When the oldest value that is not settled came, in milliseconds since 1970. */
  readonly oldestTime: number | undefined;
  readonly position: StreamPosition;
}

/** What is known, at the moment when metrics are read, of a source that emits by itself. Its backlog is what waits here. */
export class PushGauges extends WindowGauges {
  readonly #state: () => PushState;
  readonly #noProgress = new NoProgress();

  constructor(window: InFlightWindow, monitor: Monitor, labels: Labels, state: () => PushState) {
    super(window, monitor, labels);
    this.#state = state;
  }

  protected *read(): Iterable<Sample> {
    const { waiting, unsettled, oldestTime, position } = this.#state();
    const { labels } = this;
    yield { name: 'rxflume_source_joined', labels, value: 1 };
    const seconds = this.#noProgress.of(this, [position], monotonicMs(), unsettled > 0 || waiting > 0);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value: seconds };
    const ofStream = { ...labels, stream: position.stream };
    yield { name: 'rxflume_source_backlog_records', labels: ofStream, value: waiting };
    if (oldestTime === undefined) return;
    const value = Math.min(oldestTime, timeOfDayMs()) / 1_000;
    yield { name: 'rxflume_source_oldest_unsettled_timestamp_seconds', labels: ofStream, value };
  }
}

/** The counters that a session keeps. */
export function metricsOf(monitor: Monitor, labels: Labels) {
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    dropped: monitor.metric('rxflume_source_dropped_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
  };
}

import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { WindowGauges } from '../../backpressure/window-gauges.js';
import { monotonicMs } from '../../core/clock.js';
import { Gauges } from '../../core/gauges.js';
import type { Labels, Monitor, Sample } from '../../core/monitor.js';
import { NoProgress } from '../../offsets/no-progress.js';

/** What a session is at, when its metrics are read. Numbers only rise while it lasts, but for those that say what there is now. */
export interface TailState {
  readonly files: number;
  readonly openFiles: number;
  /** Files that are being read, or wait for it. */
  readonly waiting: number;
  /** Values that are out. */
  readonly unacked: number;
  readonly taken: number;
  readonly acked: number;
  readonly handedOver: number;
  /** When the oldest value that is not settled was read, in milliseconds since 1970. */
  readonly oldestTime: number | undefined;
}

/** The metrics of one subscription that are read from its state. There are too many files for one of each. */
export class TailGauges extends WindowGauges {
  readonly #state: () => TailState;
  readonly #noProgress = new NoProgress();

  constructor(window: InFlightWindow, monitor: Monitor, labels: Labels, state: () => TailState) {
    super(window, monitor, labels);
    this.#state = state;
  }

  protected *read(): Iterable<Sample> {
    const { labels } = this;
    yield { name: 'rxflume_source_joined', labels, value: 1 };
    const { files, openFiles, waiting, unacked, taken, acked, handedOver, oldestTime } = this.#state();
    yield { name: 'rxflume_source_followed_files', labels, value: files };
    yield { name: 'rxflume_source_open_files', labels, value: openFiles };
    const isPending = waiting > 0 || unacked > 0;
    const position = { stream: 'tail', read: taken, acked, handedOver };
    const value = this.#noProgress.of(this, [position], monotonicMs(), isPending);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value };
    if (oldestTime === undefined) return;
    yield { name: 'rxflume_source_oldest_unsettled_timestamp_seconds', labels, value: oldestTime / 1_000 };
  }
}

/** The metrics that a session keeps. */
export function metricsOf(monitor: Monitor, labels: Labels) {
  const gauges = new Gauges(monitor, labels, [
    'rxflume_source_unreadable_files',
    'rxflume_source_held_back_partitions',
  ]);
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    unreadBytes: monitor.metric('rxflume_source_unread_bytes_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
    unreadable: gauges.of('rxflume_source_unreadable_files'),
    heldBack: gauges.of('rxflume_source_held_back_partitions'),
    end: () => gauges.end(),
  };
}

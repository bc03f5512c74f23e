import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { WindowGauges } from '../../backpressure/window-gauges.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { Labels, Monitor, Sample } from '../../core/monitor.js';
import { NoProgress } from '../../offsets/no-progress.js';

/** What a session says of itself when its metrics are read. */
export interface FilesState {
  /** Files that were found and are not finished, and their bytes. */
  readonly files: number;
  readonly bytes: number;
  /** Out and not settled. */
  readonly unsettled: number;
  /** When the oldest file that is not finished was written, in milliseconds since 1970. */
  readonly oldestTime: number | undefined;
  readonly read: number;
  readonly acked: number;
  readonly handedOver: number;
}

/** What is known of a source of files at the moment when its metrics are read. Its backlog is in bytes: records are not counted before. */
export class FileGauges extends WindowGauges {
  readonly #stream: string;
  readonly #state: () => FilesState;
  readonly #noProgress = new NoProgress();

  constructor(window: InFlightWindow, monitor: Monitor, labels: Labels, state: () => FilesState) {
    super(window, monitor, labels);
    this.#stream = `${labels.source}:${labels.name}`;
    this.#state = state;
  }

  protected *read(): Iterable<Sample> {
    const { files, bytes, unsettled, oldestTime, read, acked, handedOver } = this.#state();
    const { labels } = this;
    yield { name: 'rxflume_source_joined', labels, value: 1 };
    const position = { stream: this.#stream, read, acked, handedOver };
    const seconds = this.#noProgress.of(this, [position], monotonicMs(), unsettled > 0 || files > 0);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value: seconds };
    yield { name: 'rxflume_source_waiting_files', labels, value: files };
    yield { name: 'rxflume_source_waiting_bytes', labels, value: bytes };
    if (oldestTime === undefined) return;
    const value = Math.min(oldestTime, timeOfDayMs()) / 1_000;
    const ofStream = { ...labels, stream: this.#stream };
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
    files: monitor.metric('rxflume_source_files_total', labels),
    stopped: monitor.metric('rxflume_source_stopped_files_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
  };
}

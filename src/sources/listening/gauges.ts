import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { WindowGauges } from '../../backpressure/window-gauges.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { Gauges } from '../../core/gauges.js';
import type { Monitor, Sample } from '../../core/monitor.js';
import { NoProgress } from '../../offsets/no-progress.js';

/** Which kind of source, and the name that its user gave it. */
export interface Named {
  readonly kind: string;
  readonly name: string;
}

export function streamOf({ kind, name }: Named): string {
  return `${kind}:${name}`;
}

/** What a session says of itself when its metrics are read. */
export interface ListeningState {
  /** Values received and not passed on. */
  readonly waiting: number;
  /** Requests that are not answered. */
  readonly unanswered: number;
  /** When the oldest value that is not answered was made, in milliseconds since 1970. */
  readonly oldestTime: number | undefined;
  /** Values acked, and values whose bytes a sink has taken. */
  readonly acked: number;
  readonly handedOver: number;
  /** Whether the flow is paused. */
  readonly isPaused: boolean;
}

/**
 * What is known of a source that listens at the moment when its metrics are read. No protocol says what its clients hold, so
 * the backlog is what was received and not passed on.
 */
export class ListeningGauges extends WindowGauges {
  readonly #stream: string;
  readonly #state: () => ListeningState;
  readonly #shown: Gauges<'rxflume_source_joined' | 'rxflume_source_clients'>;
  readonly #noProgress = new NoProgress();

  constructor(window: InFlightWindow, monitor: Monitor, named: Named, state: () => ListeningState) {
    const labels = { source: named.kind, name: named.name };
    super(window, monitor, labels);
    this.#stream = streamOf(named);
    this.#state = state;
    this.#shown = new Gauges(monitor, labels, ['rxflume_source_joined', 'rxflume_source_clients']);
  }

  set isListening(isListening: boolean) {
    this.#shown.of('rxflume_source_joined').set(isListening ? 1 : 0);
  }

  set clients(count: number) {
    this.#shown.of('rxflume_source_clients').set(count);
  }

  override end(): void {
    super.end();
    this.#shown.end();
  }

  protected *read(): Iterable<Sample> {
    const { waiting, unanswered, oldestTime, acked, handedOver, isPaused } = this.#state();
    const { labels } = this;
    const stream = this.#stream;
    // What clients send again after a nack counts as read anew, so reading is no progress: an answer is, or what leads to one.
    const position = { stream, read: 0, acked, handedOver };
    const isPending = !isPaused && (unanswered > 0 || waiting > 0);
    const seconds = this.#noProgress.of(this, [position], monotonicMs(), isPending);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value: seconds };
    const ofStream = { ...labels, stream };
    yield { name: 'rxflume_source_backlog_records', labels: ofStream, value: waiting };
    if (oldestTime === undefined) return;
    const value = Math.min(oldestTime, timeOfDayMs()) / 1_000;
    yield { name: 'rxflume_source_oldest_unsettled_timestamp_seconds', labels: ofStream, value };
  }
}

/** The counters that a session keeps. */
export function metricsOf(monitor: Monitor, { kind, name }: Named) {
  const labels = { source: kind, name };
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    batches: monitor.metric('rxflume_source_batches_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    lost: monitor.metric('rxflume_source_lost_total', labels),
    unheard: monitor.metric('rxflume_source_unheard_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
  };
}

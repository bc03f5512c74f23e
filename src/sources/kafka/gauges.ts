import { Subscription } from 'rxjs';
import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import type { Labels, Metric, Monitor, Sample } from '../../core/monitor.js';
import { guarded } from '../../lifecycle/time-limit.js';
import type { LogFacts } from '../../ports/kafka-consumer.js';
import type { Assignment } from './assignment.js';
import type { Partition } from './partition.js';
import type { SessionState } from './session-state.js';

/** The driver is asked where logs end at most so often, and only where somebody reads the metrics. */
const LOOK_EVERY_MS = 5_000;
/** An answer that takes longer says nothing of now. */
const LOOK_WITHIN_MS = 10_000;

/**
 * What is known of a session at the moment when its metrics are read: where each of its partitions is, how old what is unsettled
 * is, and for how long nothing has moved. Nothing of it is kept, so nothing of it outlives the assignment.
 *
 * A paused partition is not fetched, so no fetch says where its log ends; the driver is asked then. Where it does not answer,
 * that end, and what is computed from it, is left out.
 */
export class Gauges {
  readonly #state: SessionState;
  readonly #window: InFlightWindow;
  readonly #labels: Labels;
  readonly #counters;
  readonly #noProgress = new NoProgress();
  readonly #uncollect: () => void;
  /** What topics keep, in milliseconds. */
  readonly #retentionMs = new Map<string, number>();
  #taken = 0;
  #released = 0;
  #fullSince: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #looking = Subscription.EMPTY;

  constructor(state: SessionState, window: InFlightWindow, monitor: Monitor, labels: Labels, heldBack: Metric) {
    this.#state = state;
    this.#window = window;
    this.#labels = labels;
    this.#counters = {
      heldBack,
      emitted: monitor.metric('rxflume_source_emitted_records_total', labels),
      released: monitor.metric('rxflume_source_released_records_total', labels),
      closed: monitor.metric('rxflume_source_window_closed_seconds_total', labels),
    };
    this.#uncollect = monitor.collect(() => this.#read());
  }

  /** To be called when the window may have become full, or free again. */
  windowChanged(): void {
    const { isFull } = this.#window;
    if (isFull === (this.#fullSince !== undefined)) return;
    if (isFull) this.#fullSince = monotonicMs();
    else {
      this.#countClosed(monotonicMs());
      this.#fullSince = undefined;
    }
  }

  end(): void {
    this.#looking.unsubscribe();
    this.#count(monotonicMs());
    this.#uncollect();
  }

  #countClosed(now: number): void {
    if (this.#fullSince === undefined) return;
    this.#counters.closed.add((now - this.#fullSince) / 1_000);
    this.#fullSince = now;
  }

  #count(now: number): void {
    const { taken, count } = this.#window;
    this.#counters.emitted.add(taken - this.#taken);
    this.#counters.released.add(taken - count - this.#released);
    this.#taken = taken;
    this.#released = taken - count;
    this.#countClosed(now);
  }

  *#read(): Iterable<Sample> {
    const now = monotonicMs();
    this.#count(now);
    this.#look(now);
    const { partitions } = this.#state.assignment;
    let backlog = 0;
    for (const partition of partitions) {
      backlog += backlogOf(partition) ?? 0;
      yield* this.#readPartition(partition);
    }
    const labels = this.#labels;
    yield { name: 'rxflume_source_in_flight_records', labels, value: this.#window.count };
    yield { name: 'rxflume_source_in_flight_bytes', labels, value: this.#window.bytes };
    const isPending = backlog > 0 || this.#counters.heldBack.value > 0;
    const value = this.#noProgress.of(this.#state.assignment, now, isPending);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value };
  }

  *#readPartition(partition: Partition): Iterable<Sample> {
    const { stream, topic, committed, watermark, highWatermark, oldestTime } = partition;
    const labels = { ...this.#labels, stream };
    const known = (name: string, value: number | undefined): Sample[] =>
      value === undefined ? [] : [{ name: `rxflume_source_${name}`, labels, value }];
    const backlog = backlogOf(partition);
    const done = committed < 0 ? watermark.offset : committed;
    const lag = highWatermark < 0 || done < 0 ? undefined : Math.max(0, highWatermark - done);
    yield* known('log_end_offset', offset(highWatermark));
    yield* known('read_offset', offset(watermark.readEnd));
    yield* known('acked_offset', offset(watermark.offset));
    yield* known('committed_offset', offset(committed));
    yield* known('backlog_records', backlog);
    yield* known('committed_lag_records', lag);
    if (oldestTime === undefined) return;
    yield* known('oldest_unsettled_timestamp_seconds', oldestTime / 1_000);
    const retentionMs = this.#retentionMs.get(topic);
    if (retentionMs === undefined) return;
    yield* known('retention_headroom_seconds', Math.max(0, (oldestTime + retentionMs - timeOfDayMs()) / 1_000));
  }

  /** Asks the driver where the logs end now; the next reading has the answer. */
  #look(now: number): void {
    const { consumer, assignment } = this.#state;
    const { partitions } = assignment;
    if (consumer?.describeLogs === undefined || partitions.length === 0 || now - this.#lookedAt < LOOK_EVERY_MS) return;
    this.#lookedAt = now;
    this.#looking.unsubscribe();
    const asked = partitions.map(({ topic, partition }) => ({ topic, partition }));
    const unanswered = new Set(partitions);
    const forget = () => {
      for (const partition of unanswered) if (partition.isPaused) partition.highWatermark = -1;
    };
    const late = () => new Error(`not answered within ${LOOK_WITHIN_MS} ms`);
    this.#looking = guarded(() => consumer.describeLogs?.(asked) ?? [], LOOK_WITHIN_MS, late).subscribe({
      next: (logs) => {
        for (const log of logs) {
          const partition = assignment.get(log);
          if (partition === undefined) continue;
          unanswered.delete(partition);
          this.#learn(partition, log);
        }
      },
      error: forget,
      complete: forget,
    });
  }

  #learn(partition: Partition, { end, retentionMs }: LogFacts): void {
    // A fetch may have said more meanwhile.
    partition.highWatermark = Math.max(partition.highWatermark, end);
    if (retentionMs === undefined) this.#retentionMs.delete(partition.topic);
    else this.#retentionMs.set(partition.topic, retentionMs);
  }
}

/**
 * For how long a source has not got any further though there is something to do. A record that is read again after a nack is no
 * step forward: a storage that hangs, times out and is tried again would look busy.
 *
 * It knows what it is shown: what moved between two readings counts as moving at the second, so the answer is too low by at most the
 * time between them, and never too high.
 */
class NoProgress {
  #assignment: Assignment | undefined;
  /** The highest offset that was read, and up to which all was acked, of each stream. */
  readonly #highest = new Map<string, { read: number; acked: number }>();
  #since = 0;

  /** In seconds. */
  of(assignment: Assignment, now: number, isPending: boolean): number {
    if (this.#hasMoved(assignment) || !isPending) this.#since = now;
    return Math.max(0, (now - this.#since) / 1_000);
  }

  #hasMoved(assignment: Assignment): boolean {
    let hasMoved = assignment !== this.#assignment;
    // Another owner may have left it anywhere.
    if (hasMoved) this.#highest.clear();
    this.#assignment = assignment;
    for (const { stream, watermark } of assignment.partitions) {
      const before = this.#highest.get(stream) ?? { read: -1, acked: -1 };
      const read = Math.max(before.read, watermark.readEnd);
      const acked = Math.max(before.acked, watermark.offset);
      hasMoved ||= read > before.read || acked > before.acked;
      this.#highest.set(stream, { read, acked });
    }
    return hasMoved;
  }
}

/** How many offsets the log has that did not go out yet; undefined where either end is not known. */
function backlogOf({ highWatermark, watermark }: Partition): number | undefined {
  if (highWatermark < 0 || watermark.readEnd < 0) return undefined;
  return Math.max(0, highWatermark - watermark.readEnd);
}

function offset(value: number): number | undefined {
  return value < 0 ? undefined : value;
}

/** The metrics that a session keeps of its group. */
export function metricsOf(monitor: Monitor, labels: Labels) {
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
    rebalances: monitor.metric('rxflume_source_rebalances_total', labels),
    reconnects: monitor.metric('rxflume_source_reconnects_total', labels),
    joined: monitor.metric('rxflume_source_joined', labels),
    assigned: monitor.metric('rxflume_source_assigned_partitions', labels),
    interrupted: monitor.metric('rxflume_source_interrupted', labels),
    heldBack: monitor.metric('rxflume_source_held_back_partitions', labels),
  };
}

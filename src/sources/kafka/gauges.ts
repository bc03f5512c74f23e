import type { InFlightWindow } from '../../backpressure/in-flight-window.js';
import { WindowGauges } from '../../backpressure/window-gauges.js';
import { monotonicMs, timeOfDayMs } from '../../core/clock.js';
import { Gauges } from '../../core/gauges.js';
import type { Labels, Metric, Monitor, Sample } from '../../core/monitor.js';
import { PacedLook } from '../../lifecycle/paced-look.js';
import { NoProgress, type StreamPosition } from '../../offsets/no-progress.js';
import type { LogFacts } from '../../ports/kafka-consumer.js';
import type { Partition } from './partition.js';
import type { SessionState } from './session-state.js';

/**
 * What is known of a session at the moment when its metrics are read: where each of its partitions is, how old what is unsettled
 * is, and for how long nothing has moved. Nothing of it is kept, so nothing of it outlives the assignment.
 *
 * A paused partition is not fetched, so no fetch says where its log ends; the driver is asked then. Where it does not answer,
 * that end, and what is computed from it, is left out.
 */
export class SessionGauges extends WindowGauges {
  readonly #state: SessionState;
  readonly #heldBack: Metric;
  readonly #noProgress = new NoProgress();
  /** What topics keep, in milliseconds. */
  readonly #retentionMs = new Map<string, number>();
  readonly #ends = new PacedLook();

  constructor(state: SessionState, window: InFlightWindow, monitor: Monitor, labels: Labels, heldBack: Metric) {
    super(window, monitor, labels);
    this.#state = state;
    this.#heldBack = heldBack;
  }

  override end(): void {
    this.#ends.reset();
    super.end();
  }

  protected *read(): Iterable<Sample> {
    const now = monotonicMs();
    this.#look(now);
    const { assignment } = this.#state;
    const { partitions } = assignment;
    let backlog = 0;
    for (const partition of partitions) {
      backlog += backlogOf(partition) ?? 0;
      yield* this.#readPartition(partition);
    }
    const { labels } = this;
    const isPending = !this.#state.isPaused && (backlog > 0 || this.#heldBack.value > 0);
    const value = this.#noProgress.of(assignment, partitions.map(positionOf), now, isPending);
    yield { name: 'rxflume_source_no_progress_seconds', labels, value };
  }

  *#readPartition(partition: Partition): Iterable<Sample> {
    const { stream, topic, committed, watermark, highWatermark, oldestTime } = partition;
    const labels = { ...this.labels, stream };
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
    if (consumer?.describeLogs === undefined || partitions.length === 0 || !this.#ends.isDue(now)) return;
    const asked = partitions.map(({ topic, partition }) => ({ topic, partition }));
    const unanswered = new Set(partitions);
    const forget = () => {
      for (const partition of unanswered) if (partition.isPaused) partition.highWatermark = -1;
    };
    this.#ends.ask(now, () => consumer.describeLogs?.(asked) ?? [], {
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

  #learn(partition: Partition, { start = -1, end, retentionMs }: LogFacts): void {
    partition.logStart = Math.max(partition.logStart, start);
    // A fetch may have said more meanwhile.
    partition.highWatermark = Math.max(partition.highWatermark, end);
    if (retentionMs === undefined) this.#retentionMs.delete(partition.topic);
    else this.#retentionMs.set(partition.topic, retentionMs);
  }
}

function positionOf({ stream, watermark, handedOver }: Partition): StreamPosition {
  return { stream, read: watermark.readEnd, acked: watermark.offset, handedOver };
}

/** How many offsets the log has that did not go out yet; undefined where either end is not known. */
function backlogOf({ highWatermark, watermark }: Partition): number | undefined {
  if (highWatermark < 0 || watermark.readEnd < 0) return undefined;
  return Math.max(0, highWatermark - watermark.readEnd);
}

function offset(value: number): number | undefined {
  return value < 0 ? undefined : value;
}

/** The metrics that a session keeps of its group; `end` takes its gauges away. */
export function metricsOf(monitor: Monitor, labels: Labels) {
  const gauges = new Gauges(monitor, labels, [
    'rxflume_source_joined',
    'rxflume_source_assigned_partitions',
    'rxflume_source_interrupted',
    'rxflume_source_held_back_partitions',
  ]);
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    age: monitor.histogram('rxflume_source_age_seconds', labels),
    settle: monitor.histogram('rxflume_source_settle_duration_seconds', labels),
    rebalances: monitor.metric('rxflume_source_rebalances_total', labels),
    reconnects: monitor.metric('rxflume_source_reconnects_total', labels),
    joined: gauges.of('rxflume_source_joined'),
    assigned: gauges.of('rxflume_source_assigned_partitions'),
    interrupted: gauges.of('rxflume_source_interrupted'),
    heldBack: gauges.of('rxflume_source_held_back_partitions'),
    end: () => gauges.end(),
  };
}

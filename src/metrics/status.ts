import { timeOfDayMs } from '../core/clock.js';
import type { Labels, Monitor, Sample } from '../core/monitor.js';
import type { FlowState } from '../flow/flow-run.js';
import { mergedSamples } from './merged.js';

/** Numbers by name; what is not known, or not measured by such a part, is absent. */
type Numbers<Names extends string> = Readonly<Partial<Record<Names, number>>>;

const SOURCE = {
  received: 'rxflume_source_records_total',
  receivedBytes: 'rxflume_source_bytes_total',
  emitted: 'rxflume_source_emitted_records_total',
  released: 'rxflume_source_released_records_total',
  acked: 'rxflume_source_acked_total',
  nacked: 'rxflume_source_nacked_total',
  inFlight: 'rxflume_source_in_flight_records',
  inFlightBytes: 'rxflume_source_in_flight_bytes',
  windowClosedSeconds: 'rxflume_source_window_closed_seconds_total',
  noProgressSeconds: 'rxflume_source_no_progress_seconds',
  commits: 'rxflume_source_commits_total',
  rebalances: 'rxflume_source_rebalances_total',
  reconnects: 'rxflume_source_reconnects_total',
  joined: 'rxflume_source_joined',
  interrupted: 'rxflume_source_interrupted',
  assigned: 'rxflume_source_assigned_partitions',
  heldBack: 'rxflume_source_held_back_partitions',
} as const;

const STREAM = {
  logEnd: 'rxflume_source_log_end_offset',
  read: 'rxflume_source_read_offset',
  acked: 'rxflume_source_acked_offset',
  committed: 'rxflume_source_committed_offset',
  backlog: 'rxflume_source_backlog_records',
  committedLag: 'rxflume_source_committed_lag_records',
  oldestUnsettledSeconds: 'rxflume_source_oldest_unsettled_timestamp_seconds',
  retentionHeadroomSeconds: 'rxflume_source_retention_headroom_seconds',
} as const;

const OPERATOR = {
  received: 'rxflume_operator_received_total',
  emitted: 'rxflume_operator_emitted_total',
  nacked: 'rxflume_operator_nacked_total',
  inFlight: 'rxflume_operator_in_flight_records',
  waitingSeconds: 'rxflume_operator_waiting_seconds',
} as const;

const SINK = {
  values: 'rxflume_sink_values_total',
  bytes: 'rxflume_sink_bytes_total',
  batches: 'rxflume_sink_batches_total',
  files: 'rxflume_sink_files_total',
  openFiles: 'rxflume_sink_open_files',
  inFlightBatches: 'rxflume_sink_in_flight_batches',
  failures: 'rxflume_sink_failures_total',
  resent: 'rxflume_sink_resent_total',
} as const;

/** One stream that a source reads now, such as `kafka:chat/3`. */
export interface StreamStatus extends Numbers<keyof typeof STREAM> {
  readonly stream: string;
}

export interface SourceStatus extends Numbers<keyof typeof SOURCE> {
  /** Which kind, such as `kafka`. */
  readonly source: string;
  /** The consumer group, the queue, or the name of a Flume source. */
  readonly name: string;
  readonly streams: readonly StreamStatus[];
}

export interface OperatorStatus extends Numbers<keyof typeof OPERATOR> {
  /** Its place in the flow and its name, such as `1 decode`. */
  readonly operator: string;
}

export interface SinkStatus extends Numbers<keyof typeof SINK> {
  /** Which kind, such as `files`. */
  readonly sink: string;
  readonly to: string;
  /** For how long the oldest unanswered call has been waiting, by kind: `write`, `commit`. */
  readonly waitingSeconds: Readonly<Record<string, number>>;
}

/** A flow at one moment. */
export interface FlowStatus {
  /** Its name; empty for what runs outside of a flow. */
  readonly flow: string;
  /** Undefined for what runs outside of a flow. */
  readonly state: FlowState | undefined;
  readonly sources: readonly SourceStatus[];
  readonly operators: readonly OperatorStatus[];
  readonly sinks: readonly SinkStatus[];
  /** How many values were set aside, by the code of the error. */
  readonly deadLetters: Readonly<Record<string, number>>;
}

/**
 * All flows of a monitor at this moment, as plain objects that can be kept, compared and sent as JSON. It is made of the same
 * samples as the metrics, so the two never differ.
 *
 * ```ts
 * import { defaultMonitor } from 'rxflume';
 * import { statusOf } from 'rxflume/metrics';
 *
 * for (const { flow, sources } of statusOf(defaultMonitor)) {
 *   const backlog = sources.flatMap(({ streams }) => streams).reduce((sum, { backlog = 0 }) => sum + backlog, 0);
 *   console.log(flow, backlog);
 * }
 * ```
 *
 * Bounds: an object for each flow, source, stream, operator and sink that has metrics.
 */
export function statusOf(monitor: Monitor): FlowStatus[] {
  return statusesOf(monitor.samples());
}

/** The same of samples that were read already. */
export function statusesOf(read: Iterable<Sample>): FlowStatus[] {
  const samples = mergedSamples(read);
  const byFlow = groups(samples, ({ flow = '' }) => [flow]);
  return byFlow
    .filter((own) => own.some(({ labels }) => PARTS.some((part) => part in labels) || 'state' in labels))
    .map(flowStatus);
}

/** Of several subscriptions with one name. */
const WORST_FIRST: readonly FlowState[] = ['failed', 'abandoned', 'draining', 'paused', 'running', 'completed'];

const PARTS = ['source', 'sink', 'operator'];

function flowStatus(samples: readonly Sample[]): FlowStatus {
  const on = new Set(
    samples.filter(({ name, value }) => name === 'rxflume_flow_state' && value === 1).map(({ labels }) => labels.state),
  );
  return {
    flow: samples[0]?.labels.flow ?? '',
    state: WORST_FIRST.find((state) => on.has(state)),
    sources: groups(samples, ({ source, name }) => (source === undefined ? undefined : [source, name])).map((own) => ({
      source: own[0]?.labels.source ?? '',
      name: own[0]?.labels.name ?? '',
      ...numbers(own, SOURCE),
      streams: groups(own, ({ stream }) => (stream === undefined ? undefined : [stream])).map((of) => ({
        stream: of[0]?.labels.stream ?? '',
        ...numbers(of, STREAM),
      })),
    })),
    operators: groups(samples.filter(isOfOperator), ({ operator }) => [operator])
      .map((own) => ({ operator: own[0]?.labels.operator ?? '', ...numbers(own, OPERATOR) }))
      .sort((a, b) => Number.parseInt(a.operator, 10) - Number.parseInt(b.operator, 10)),
    sinks: groups(samples, ({ sink, to }) => (sink === undefined || to === undefined ? undefined : [sink, to])).map(
      (own) => ({
        sink: own[0]?.labels.sink ?? '',
        to: own[0]?.labels.to ?? '',
        ...numbers(own, SINK),
        waitingSeconds: sums(own, 'rxflume_sink_oldest_call_seconds', 'call'),
      }),
    ),
    deadLetters: sums(samples, 'rxflume_dead_letters_total', 'reason'),
  };
}

function isOfOperator({ name }: Sample): boolean {
  return Object.values<string>(OPERATOR).includes(name);
}

/** The samples that have the same key, in the order in which the keys appear; those without one are left out. */
function groups(
  samples: readonly Sample[],
  keyOf: (labels: Labels) => readonly (string | undefined)[] | undefined,
): Sample[][] {
  const found = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = keyOf(sample.labels);
    if (key === undefined) continue;
    const text = JSON.stringify(key);
    const group = found.get(text);
    if (group === undefined) found.set(text, [sample]);
    else group.push(sample);
  }
  return [...found.values()];
}

function numbers<Names extends string>(
  samples: readonly Sample[],
  names: Readonly<Record<Names, string>>,
): Numbers<Names> {
  const read: Partial<Record<Names, number>> = {};
  for (const field of Object.keys(names) as Names[]) {
    const sample = samples.find(({ name }) => name === names[field]);
    if (sample !== undefined) read[field] = sample.value;
  }
  return read;
}

function sums(samples: readonly Sample[], of: string, label: string): Record<string, number> {
  const read: Record<string, number> = {};
  for (const { name, labels, value } of samples) {
    const key = labels[label];
    if (name === of && key !== undefined) read[key] = (read[key] ?? 0) + value;
  }
  return read;
}

/** How old the oldest unsettled record of a flow is, in seconds, and of which stream; undefined where none is known. */
export function oldestOf({
  sources,
}: FlowStatus): { readonly stream: string; readonly ageSeconds: number } | undefined {
  let oldest: { readonly stream: string; readonly ageSeconds: number } | undefined;
  for (const status of sources.flatMap(({ streams }) => streams)) {
    const ageSeconds = ageOf(status);
    if (ageSeconds === undefined) continue;
    if (oldest === undefined || ageSeconds > oldest.ageSeconds) oldest = { stream: status.stream, ageSeconds };
  }
  return oldest;
}

/** How old the oldest unsettled record of a stream is, in seconds; undefined where it is not known, or there is none. */
export function ageOf({ oldestUnsettledSeconds: oldest }: StreamStatus): number | undefined {
  return oldest === undefined ? undefined : Math.max(0, timeOfDayMs() / 1_000 - oldest);
}

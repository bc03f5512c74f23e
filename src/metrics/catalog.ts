/** What a metric is, for a reader and for Prometheus. */
export interface Description {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
  /**
   * What becomes of the numbers of several parts that have the same labels: two subscriptions of a source, or flows of one name.
   * Undefined where the first counts.
   */
  readonly merge?: 'sum' | 'least' | 'most';
}

const FLOW = ['flow'];
const SOURCE = ['flow', 'source', 'name'];
const STREAM = [...SOURCE, 'stream'];
const OPERATOR = ['flow', 'operator'];
const SINK = ['flow', 'sink', 'to'];

const counter = (labels: readonly string[], help: string): Description => ({ type: 'counter', labels, help });
const gauge = (labels: readonly string[], help: string, merge: Description['merge'] = 'sum'): Description => ({
  type: 'gauge',
  labels,
  help,
  merge,
});
/** Of several the least, or the most, is what matters. */
const leastOf = (labels: readonly string[], help: string) => gauge(labels, help, 'least');
const mostOf = (labels: readonly string[], help: string) => gauge(labels, help, 'most');
const histogram = (labels: readonly string[], help: string): Description => ({ type: 'histogram', labels, help });

/**
 * Every metric of rxflume, by its name: what it counts, of which type it is, and which labels it has.
 *
 * ```ts
 * import { METRICS } from 'rxflume/metrics';
 *
 * METRICS.rxflume_source_backlog_records?.type; // → 'gauge'
 * ```
 */
export const METRICS: Readonly<Record<string, Description>> = {
  rxflume_build_info: mostOf(
    ['version', 'node'],
    'Always 1; its labels say which version of rxflume runs on which Node.',
  ),
  rxflume_event_loop_delay_seconds: histogram([], 'How late a timer of 100 ms was, measured each time.'),
  rxflume_process_heap_used_bytes: mostOf([], 'Heap in use, as Node counts it.'),
  rxflume_process_resident_memory_bytes: mostOf([], 'Resident memory of the process.'),
  rxflume_process_up: gauge(['flow', 'process'], 'With several processes: 1 while that of the name reports, else 0.'),
  rxflume_process_restarts_total: counter(
    ['flow', 'process'],
    'With several processes: how often it was started again.',
  ),
  rxflume_flow_state: mostOf([...FLOW, 'state'], 'For each state 1 where the flow is in it, else 0.'),

  rxflume_flow_subscriptions: gauge(
    FLOW,
    'Subscriptions of the flow that run in this process; 1, unless two have one name.',
  ),

  rxflume_source_records_total: counter(SOURCE, 'Records received.'),
  rxflume_source_bytes_total: counter(SOURCE, 'Bytes of the records received.'),
  rxflume_source_batches_total: counter(SOURCE, 'Batches or requests received by a source that listens.'),
  rxflume_source_emitted_records_total: counter(SOURCE, 'Records passed on to the flow.'),
  rxflume_source_released_records_total: counter(SOURCE, 'Records whose bytes have left the memory of the flow.'),
  rxflume_source_acked_total: counter(SOURCE, 'Records acked.'),
  rxflume_source_nacked_total: counter(SOURCE, 'Records nacked.'),
  rxflume_source_dropped_total: counter(SOURCE, 'Values dropped: more waited than may, or they came during a drain.'),
  rxflume_source_unread_bytes_total: counter(
    SOURCE,
    'Bytes of followed files that were cut or removed before they were read.',
  ),
  rxflume_source_redelivered_total: counter(SOURCE, 'Messages that RabbitMQ had delivered before.'),
  rxflume_source_requeued_total: counter(SOURCE, 'Nacked messages that were returned to their queue.'),
  rxflume_source_dead_lettered_total: counter(
    SOURCE,
    'Nacked messages that RabbitMQ was asked to discard or dead-letter.',
  ),
  rxflume_source_unheard_total: counter(SOURCE, 'Records that were acked after their client had disconnected.'),
  rxflume_source_lost_total: counter(
    SOURCE,
    'Records that were received, could not be delivered, and are not sent again: UDP, TCP without acks, pipes.',
  ),
  rxflume_source_commits_total: counter(SOURCE, 'Commits of offsets that succeeded.'),
  rxflume_source_committed_offsets_total: counter(SOURCE, 'Offsets committed, gaps in the log included.'),
  rxflume_source_rebalances_total: counter(
    SOURCE,
    "Changes of the assignment after the first; with `protocol: 'consumer'`, partitions that come and partitions that go count separately.",
  ),
  rxflume_source_reconnects_total: counter(SOURCE, 'Lost connections that the source or its driver makes again.'),
  rxflume_connect_retries_total: counter(FLOW, 'Attempts of retryConnect to connect again.'),
  rxflume_source_restarts_total: counter(SOURCE, 'Commands that ended and were started again.'),
  rxflume_source_files_total: counter(SOURCE, 'Files whose records are all durable.'),
  rxflume_source_stopped_files_total: counter(
    SOURCE,
    'Files left behind: changed after they were placed, or unreadable.',
  ),
  rxflume_source_waiting_files: gauge(SOURCE, 'Files found whose records are not all durable.'),
  rxflume_source_waiting_bytes: gauge(SOURCE, 'Bytes of the files found whose records are not all durable.'),
  rxflume_source_in_flight_records: gauge(SOURCE, 'Records passed on and not released.'),
  rxflume_source_in_flight_bytes: gauge(SOURCE, 'Bytes of the records passed on and not released.'),
  rxflume_source_window_closed_seconds_total: counter(
    SOURCE,
    'Time during which the in-flight window, or the prefetch, was full.',
  ),
  rxflume_source_no_progress_seconds: mostOf(
    SOURCE,
    'Time since a record was read for the first time, handed over or acked, as seen at the readings; 0 while there is nothing to do.',
  ),
  rxflume_source_age_seconds: histogram(
    SOURCE,
    'From the time of a record until it and all records before it in its stream were acked.',
  ),
  rxflume_source_settle_duration_seconds: histogram(
    SOURCE,
    'From passing a record on until it and all records before it in its stream were acked.',
  ),
  rxflume_source_joined: leastOf(
    SOURCE,
    '1 while the source is a member of its group, has a channel, listens, or reads.',
  ),
  rxflume_source_interrupted: mostOf(SOURCE, '1 while partitions cannot be read or committed.'),
  rxflume_source_assigned_partitions: gauge(SOURCE, 'Partitions assigned.'),
  rxflume_source_followed_files: gauge(SOURCE, 'Files that are followed now.'),
  rxflume_source_open_files: gauge(SOURCE, 'Followed files that are open now.'),
  rxflume_source_unreadable_files: gauge(SOURCE, 'Files and folders that match and cannot be read now.'),
  rxflume_source_held_back_partitions: gauge(
    SOURCE,
    'Partitions that are paused because the window is full, or wait for the redelivery of a nacked record.',
  ),
  rxflume_source_clients: gauge(SOURCE, 'Clients connected to a source that listens.'),

  rxflume_source_log_end_offset: mostOf(STREAM, 'Offset after the last record of the log.'),
  rxflume_source_read_offset: leastOf(STREAM, 'Offset after the last record passed on.'),
  rxflume_source_acked_offset: leastOf(STREAM, 'Offset up to which all records are acked.'),
  rxflume_source_committed_offset: leastOf(STREAM, 'Offset committed.'),
  rxflume_source_backlog_records: mostOf(
    STREAM,
    'Records that wait before the source: of a log its end less the read offset, of a queue those ready, of Flume those received.',
  ),
  rxflume_source_committed_lag_records: mostOf(
    STREAM,
    'Offsets of the log that are not committed. It rises until a file is rolled, so it says little of a healthy flow.',
  ),
  rxflume_source_oldest_unsettled_timestamp_seconds: leastOf(
    STREAM,
    'Time of the oldest record that was read and is not settled, in seconds since 1970; absent where there is none.',
  ),
  rxflume_source_retention_headroom_seconds: leastOf(
    STREAM,
    'Time until retention may delete the oldest record that is not settled; absent where it is not known.',
  ),

  rxflume_operator_received_total: counter(OPERATOR, 'Deliveries that an operator of a flow took.'),
  rxflume_operator_emitted_total: counter(OPERATOR, 'Deliveries that an operator of a flow passed on.'),
  rxflume_operator_nacked_total: counter(OPERATOR, 'Deliveries that an operator of a flow nacked; of those that may.'),
  rxflume_operator_in_flight_records: gauge(OPERATOR, 'Deliveries that an operator holds now; of those that hold any.'),
  rxflume_operator_waiting_seconds: mostOf(
    OPERATOR,
    'Time since an operator that holds deliveries passed on or settled one, as seen at the readings.',
  ),
  rxflume_dead_letters_total: counter([...OPERATOR, 'reason'], 'Values set aside, by the code of the error.'),
  rxflume_deliveries_lost_total: counter(
    OPERATOR,
    'Deliveries of a watched flow that were collected without an ack or a nack.',
  ),
  rxflume_tee_skipped_total: counter(['flow', 'sink'], 'Values that an optional sink of tee missed.'),

  rxflume_alerts_firing: gauge([], 'Alerts that fire, of each `notify`.'),
  rxflume_alert_notifications_total: counter(
    ['receiver', 'result'],
    'Notifications that a receiver accepted (`sent`), did not accept (`failed`), or that were left out because too many waited (`dropped`).',
  ),

  rxflume_sink_values_total: counter(SINK, 'Values stored, sent or printed.'),
  rxflume_sink_bytes_total: counter(SINK, 'Bytes of the values stored, sent or printed.'),
  rxflume_sink_batches_total: counter(SINK, 'Batches sent.'),
  rxflume_sink_files_total: counter(SINK, 'Files published.'),
  rxflume_sink_commits_total: counter(SINK, 'Transactions committed.'),
  rxflume_sink_failures_total: counter(SINK, 'Failures: of a stream of files, of a batch, or of a value.'),
  rxflume_sink_resent_total: counter(SINK, 'Values sent again.'),
  rxflume_sink_reconnects_total: counter(
    SINK,
    'Lost connections, and failed attempts, after which the sink connects again.',
  ),
  rxflume_sink_quarantined_files_total: counter(
    ['sink', 'to'],
    'Files that cannot be published and were moved to quarantine.',
  ),
  rxflume_sink_open_files: gauge(SINK, 'Files open.'),
  rxflume_sink_in_flight_batches: gauge(SINK, 'Batches sent and not answered.'),
  rxflume_sink_in_flight_values: gauge(SINK, 'Messages published and not confirmed.'),
  rxflume_sink_connections: gauge(SINK, 'Connections open.'),
  rxflume_sink_write_duration_seconds: histogram(
    SINK,
    'How long a write of a chunk, a request with a batch, or a publish until its confirm took.',
  ),
  rxflume_sink_commit_duration_seconds: histogram(
    SINK,
    'From a roll until its files are visible, or the commit of a transaction.',
  ),
  rxflume_sink_oldest_call_seconds: mostOf(
    [...SINK, 'call'],
    'How long the oldest unanswered write or commit has been waiting; absent where there is none.',
  ),
};

/** Of a metric of your own: a counter where its name says so. */
export function descriptionOf(name: string): Description {
  const known = Object.hasOwn(METRICS, name) ? METRICS[name] : undefined;
  if (known !== undefined) return known;
  return { type: name.endsWith('_total') ? 'counter' : 'gauge', labels: [], help: 'A metric of the application.' };
}

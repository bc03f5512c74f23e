import type { Metric, Monitor } from '../../core/monitor.js';

export type Metrics = Readonly<
  Record<
    | 'records'
    | 'bytes'
    | 'acked'
    | 'nacked'
    | 'redelivered'
    | 'requeued'
    | 'deadLettered'
    | 'inFlight'
    | 'inFlightBytes'
    | 'joined',
    Metric
  >
>;

/** The figures that a reader keeps of its queue. */
export function metricsOf(monitor: Monitor, queue: string): Metrics {
  const labels = { source: 'amqp', queue };
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    redelivered: monitor.metric('rxflume_source_redelivered_total', labels),
    requeued: monitor.metric('rxflume_source_requeued_total', labels),
    deadLettered: monitor.metric('rxflume_source_dead_lettered_total', labels),
    inFlight: monitor.metric('rxflume_source_in_flight', labels),
    inFlightBytes: monitor.metric('rxflume_source_in_flight_bytes', labels),
    joined: monitor.metric('rxflume_source_joined', labels),
  };
}

import type { Figure, Monitor } from '../../core/monitor.js';

export type Figures = Readonly<
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
    Figure
  >
>;

/** The figures that a reader keeps of its queue. */
export function figuresOf(monitor: Monitor, queue: string): Figures {
  const labels = { source: 'amqp', queue };
  return {
    records: monitor.figure('rxflume_source_records_total', labels),
    bytes: monitor.figure('rxflume_source_bytes_total', labels),
    acked: monitor.figure('rxflume_source_acked_total', labels),
    nacked: monitor.figure('rxflume_source_nacked_total', labels),
    redelivered: monitor.figure('rxflume_source_redelivered_total', labels),
    requeued: monitor.figure('rxflume_source_requeued_total', labels),
    deadLettered: monitor.figure('rxflume_source_dead_lettered_total', labels),
    inFlight: monitor.figure('rxflume_source_in_flight', labels),
    inFlightBytes: monitor.figure('rxflume_source_in_flight_bytes', labels),
    joined: monitor.figure('rxflume_source_joined', labels),
  };
}

import type { Monitor } from '../../core/monitor.js';

/** The metrics that a session keeps of its group. */
export function metricsOf(monitor: Monitor, labels: { readonly source: string; readonly group: string }) {
  return {
    records: monitor.metric('rxflume_source_records_total', labels),
    bytes: monitor.metric('rxflume_source_bytes_total', labels),
    acked: monitor.metric('rxflume_source_acked_total', labels),
    nacked: monitor.metric('rxflume_source_nacked_total', labels),
    inFlight: monitor.metric('rxflume_source_in_flight', labels),
    inFlightBytes: monitor.metric('rxflume_source_in_flight_bytes', labels),
    joined: monitor.metric('rxflume_source_joined', labels),
    assigned: monitor.metric('rxflume_source_assigned_partitions', labels),
    interrupted: monitor.metric('rxflume_source_interrupted', labels),
    heldBack: monitor.metric('rxflume_source_held_back_partitions', labels),
  };
}

import type { Monitor } from '../core/monitor.js';

/** The progress of a running flow. What its parts don't measure is undefined, which is not 0. */
export interface Progress {
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly inFlight: number;
  /** Settled by the sinks, to be committed next. */
  readonly acked: number;
  /** In offsets, so gaps count. Of sources that commit: not of RabbitMQ's and Flume's. */
  readonly committed: number | undefined;
  /** Records of the log that are not read; unknown until the first fetch. */
  readonly backlog: number | undefined;
  readonly files: number | undefined;
  readonly openFiles: number;
  /** What the sinks stored, sent or printed; undefined for a flow that ends in another thing. */
  readonly storedBytes: number | undefined;
}

/** Reads the monitor, with rates since the reading before. */
export class ProgressReader {
  readonly #monitor: Monitor;
  #records = 0;
  #at: number;

  constructor(monitor: Monitor, now: number) {
    this.#monitor = monitor;
    this.#at = now;
  }

  read(now: number): Progress {
    const totals = new Map<string, number>();
    for (const { name, value } of this.#monitor.samples()) totals.set(name, (totals.get(name) ?? 0) + value);
    const records = totals.get('rxflume_source_records_total') ?? 0;
    const seconds = Math.max(0.001, (now - this.#at) / 1_000);
    const recordsPerSecond = Math.round((records - this.#records) / seconds);
    this.#records = records;
    this.#at = now;
    return {
      records,
      recordsPerSecond,
      inFlight: totals.get('rxflume_source_in_flight_records') ?? 0,
      acked: totals.get('rxflume_source_acked_total') ?? 0,
      committed: totals.get('rxflume_source_committed_offsets_total'),
      backlog: totals.get('rxflume_source_backlog_records'),
      files: totals.get('rxflume_sink_files_total'),
      openFiles: totals.get('rxflume_sink_open_files') ?? 0,
      storedBytes: totals.get('rxflume_sink_bytes_total'),
    };
  }
}

/** One line for a terminal, cut to its width. */
export function progressLine(name: string, progress: Progress, columns: number): string {
  const { records, recordsPerSecond, inFlight, acked, committed, backlog, files, openFiles, storedBytes } = progress;
  const parts = [
    name,
    `${grouped(recordsPerSecond)}/s`,
    `${grouped(records)} in`,
    `${grouped(inFlight)} in flight`,
    committed === undefined ? `${grouped(acked)} settled` : `${grouped(committed)} committed`,
    ...(backlog === undefined ? [] : [`backlog ${grouped(backlog)}`]),
    ...(files === undefined ? [] : [`${grouped(files)} files (${openFiles} open)`]),
    ...(storedBytes === undefined ? [] : [byteText(storedBytes)]),
  ];
  const line = parts.join('  ');
  return line.slice(0, Math.max(20, columns - 1));
}

/** A number with commas between its thousands. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

/** A number of bytes in the unit that a person reads it in. */
export function byteText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

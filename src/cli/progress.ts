import type { Monitor } from '../core/monitor.js';

/** The progress of a running flow. */
export interface Progress {
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly inFlight: number;
  /** Settled by the sinks, to be committed next. */
  readonly acked: number;
  /** How far the broker was told, in offsets: gaps in them count. */
  readonly committed: number;
  readonly lag: number;
  readonly files: number;
  readonly openFiles: number;
  readonly storedBytes: number;
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
    const total = (name: string) => this.#monitor.total(name);
    const records = total('rxflume_source_records_total');
    const seconds = Math.max(0.001, (now - this.#at) / 1_000);
    const recordsPerSecond = Math.round((records - this.#records) / seconds);
    this.#records = records;
    this.#at = now;
    return {
      records,
      recordsPerSecond,
      inFlight: total('rxflume_source_in_flight'),
      acked: total('rxflume_source_acked_total'),
      committed: total('rxflume_source_committed_total'),
      lag: total('rxflume_source_lag'),
      files: total('rxflume_sink_files_total'),
      openFiles: total('rxflume_sink_open_files'),
      storedBytes: total('rxflume_sink_bytes_total'),
    };
  }
}

/** One line for a terminal, cut to its width. */
export function progressLine(name: string, progress: Progress, columns: number): string {
  const { records, recordsPerSecond, inFlight, committed, lag, files, openFiles, storedBytes } = progress;
  const inFiles = files + openFiles > 0 ? `${files} files (${openFiles} open)  ` : '';
  const line =
    `${name}  ${grouped(recordsPerSecond)}/s  ${grouped(records)} in  ${grouped(inFlight)} in flight  ` +
    `${grouped(committed)} committed  lag ${grouped(lag)}  ${inFiles}${byteText(storedBytes)}`;
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

import { describeError, RxflumeError } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { Written } from './batch.js';

/** What the parts of a session tell it. */
export interface Report {
  /** These are acked now. */
  written(written: Written): void;
  /** So many values were refused for this. */
  failed(values: number, cause: unknown): void;
  /** A transaction was committed. */
  committed(): void;
  /** A batch was sent, or is over. */
  sending(change: 1 | -1): void;
  /** Something has ended, after which there may be nothing left to do. */
  idle(): void;
}

/** Keeps the figures of a sink, and gives its receipts. */
export class Reporting implements Report {
  readonly idle: () => void;
  readonly #monitor: Monitor;
  readonly #receipt: (receipt: Receipt) => void;
  readonly #metrics;

  constructor(monitor: Monitor, to: string, receipt: (receipt: Receipt) => void, idle: () => void) {
    this.#monitor = monitor;
    this.#receipt = receipt;
    this.idle = idle;
    const labels = { sink: 'kafka', to };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      batches: monitor.metric('rxflume_sink_batches_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      commits: monitor.metric('rxflume_sink_commits_total', labels),
      inFlight: monitor.metric('rxflume_sink_in_flight_batches', labels),
    };
  }

  written(written: Written): void {
    this.#metrics.values.add(written.values);
    this.#metrics.bytes.add(written.bytes);
    for (const receipt of written.receipts()) this.#receipt(receipt);
  }

  failed(values: number, cause: unknown): void {
    this.#metrics.failures.add(values);
    const code = cause instanceof RxflumeError ? cause.code : 'RXF_SINK_WRITE';
    this.#monitor.report({ what: code, message: describeError(cause), cause });
  }

  committed(): void {
    this.#metrics.commits.add(1);
  }

  sending(change: 1 | -1): void {
    this.#metrics.inFlight.add(change);
    if (change > 0) this.#metrics.batches.add(1);
  }
}

import type { RxflumeError } from '../core/errors.js';
import { flowLabels } from '../core/flow-scope.js';
import { Gauges } from '../core/gauges.js';
import type { Failure, Monitor } from '../core/monitor.js';
import type { DeliveryBatch } from '../delivery/delivery-batch.js';
import { staleError } from '../delivery/nack-errors.js';
import { CallTimer } from './call-timer.js';
import type { SinkLifecycle } from './sink-lifecycle.js';

/** What became of the batches of one subscription of a sink: settles each, counts it, and emits its receipt. */
export class BatchOutcomes {
  readonly #lifecycle: SinkLifecycle;
  readonly #monitor: Monitor;
  readonly #labels: { readonly sink: string; readonly to: string };
  readonly #metrics;
  readonly #gauges: Gauges<'rxflume_sink_in_flight_batches' | 'rxflume_sink_connections'>;
  /** Requests with a batch. */
  readonly writes: CallTimer;

  constructor(lifecycle: SinkLifecycle, monitor: Monitor, labels: { readonly sink: string; readonly to: string }) {
    this.#lifecycle = lifecycle;
    this.#monitor = monitor;
    this.#labels = { ...flowLabels(), ...labels };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      batches: monitor.metric('rxflume_sink_batches_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      resent: monitor.metric('rxflume_sink_resent_total', labels),
    };
    this.#gauges = new Gauges(monitor, labels, ['rxflume_sink_in_flight_batches', 'rxflume_sink_connections']);
    this.writes = new CallTimer(monitor, 'write', labels);
  }

  /** The target has stored it. */
  taken(batch: DeliveryBatch<unknown>, target: string, bytes = batch.bytes): void {
    const { size: values, stream, firstOffset, lastOffset } = batch;
    this.#metrics.values.add(values);
    this.#metrics.bytes.add(bytes);
    this.#metrics.batches.add(1);
    batch.ack();
    this.#lifecycle.receipt({ sink: this.#labels.sink, target, values, bytes, stream, firstOffset, lastOffset });
  }

  /** It is given up. */
  rejected(batch: DeliveryBatch<unknown>, cause: RxflumeError, report: Omit<Failure, 'what' | 'cause'>): void {
    this.#metrics.failures.add(1);
    this.#monitor.report({ what: cause.code, cause, ...report });
    batch.nack(cause);
  }

  /** It is sent again. */
  resending(batch: DeliveryBatch<unknown>): void {
    this.#metrics.resent.add(batch.size);
  }

  /** Its epoch is over: the source ignores its nack, which frees the window. */
  dropped(batch: DeliveryBatch<unknown>): void {
    batch.nack(staleError(batch.stream));
  }

  /** How many batches are in flight now. */
  inFlight(count: number): void {
    this.#gauges.of('rxflume_sink_in_flight_batches').set(count);
  }

  /** A connection was lost, or could not be made, and another is. */
  reconnecting(): void {
    this.#monitor.metric('rxflume_sink_reconnects_total', this.#labels).add(1);
  }

  /** How many connections are open. */
  connections(count: number): void {
    this.#gauges.of('rxflume_sink_connections').set(count);
  }

  /** The sink is over: what it shows of itself is taken away. */
  end(): void {
    this.#gauges.end();
    this.writes.end();
  }

  /** To be called whenever the sink may have become idle. */
  completeIfIdle(): void {
    this.#lifecycle.completeIfIdle();
  }
}

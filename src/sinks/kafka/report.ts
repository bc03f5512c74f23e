import type { ErrorCode } from '../../core/error-codes.js';
import { describeError, RxflumeError, SinkError } from '../../core/errors.js';
import type { Monitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { DeliveryBatch } from '../../delivery/delivery-batch.js';
import { isStopped } from '../../delivery/nack-errors.js';
import { CallTimer } from '../../lifecycle/call-timer.js';
import type { SinkLifecycle } from '../../lifecycle/sink-lifecycle.js';
import type { KafkaSent } from '../../ports/kafka-producer.js';
import type { Written } from './batch.js';

/** Keeps the metrics of a sink, and gives its receipts. */
export class Report {
  readonly #monitor: Monitor;
  readonly #lifecycle: SinkLifecycle;
  readonly #isTopicOfValue: boolean;
  readonly #metrics;
  /** Batches that were sent. */
  readonly writes: CallTimer;
  /** Transactions that are to be committed. */
  readonly commits: CallTimer;

  /** `isTopicOfValue`: the value chose its topic, so a topic that is not there, or not ours, is the fault of that value. */
  constructor(monitor: Monitor, to: string, isTopicOfValue: boolean, lifecycle: SinkLifecycle) {
    this.#monitor = monitor;
    this.#lifecycle = lifecycle;
    this.#isTopicOfValue = isTopicOfValue;
    const labels = { sink: 'kafka', to };
    this.writes = new CallTimer(monitor, 'write', labels);
    this.commits = new CallTimer(monitor, 'commit', labels);
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      batches: monitor.metric('rxflume_sink_batches_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      commits: monitor.metric('rxflume_sink_commits_total', labels),
      inFlight: monitor.metric('rxflume_sink_in_flight_batches', labels),
    };
  }

  end(): void {
    this.writes.end();
    this.commits.end();
  }

  /** Something has ended, after which there may be nothing left to do. */
  idle(): void {
    this.#lifecycle.completeIfIdle();
  }

  /** These are acked now. */
  written(written: Written): void {
    this.#metrics.values.add(written.values);
    this.#metrics.bytes.add(written.bytes);
    for (const receipt of written.receipts()) this.#lifecycle.receipt(receipt);
  }

  /** So many values were nacked for this. */
  failed(values: number, cause: unknown): void {
    this.#metrics.failures.add(values);
    const code = cause instanceof RxflumeError ? cause.code : 'RXF_SINK_WRITE';
    this.#monitor.report({ what: code, message: sentence(describeError(cause)), cause });
  }

  /** Reports by code what of a batch the broker did not take, and nacks it, each with its own cause; after the others are acked. */
  nackRejected({ deliveries }: DeliveryBatch<unknown>, { rejected }: KafkaSent): void {
    const nackErrors = new Map<number, RxflumeError>();
    const byCode = new Map<string, { readonly first: RxflumeError; values: number }>();
    for (const [index, error] of rejected) {
      // Nacked already, when its epoch ended.
      if (isStopped(error)) continue;
      const nackError = this.#isTopicOfValue && OF_THE_TOPIC.has(error.code) ? routeError(error) : error;
      nackErrors.set(index, nackError);
      const alike = byCode.get(nackError.code);
      if (alike === undefined) byCode.set(nackError.code, { first: nackError, values: 1 });
      else alike.values += 1;
    }
    // Before the source hears of it, which can say only what it does now.
    for (const { first, values } of byCode.values()) this.failed(values, first);
    for (const [index, nackError] of nackErrors) deliveries[index]?.nack(nackError);
  }

  /** A transaction was committed. */
  committed(): void {
    this.#metrics.commits.add(1);
  }

  /** A batch was sent, or is over. */
  sending(change: 1 | -1): void {
    this.#metrics.inFlight.add(change);
    if (change > 0) this.#metrics.batches.add(1);
  }
}

const OF_THE_TOPIC = new Set<ErrorCode>(['RXF_KAFKA_TOPIC_MISSING', 'RXF_KAFKA_AUTH']);

function routeError(cause: RxflumeError): SinkError {
  return new SinkError(
    'RXF_SINK_ROUTE',
    `${cause.message} Or correct \`topic\`, which chose it; values for other topics are written.`,
    { cause, details: cause.details },
  );
}

import { describeError, type RxflumeError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { shownUrl } from '../../core/shown-url.js';
import type { Delivery } from '../../delivery/delivery.js';
import { staleError, stoppedError } from '../../delivery/nack-errors.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { HttpClient } from '../../ports/http-client.js';
import { Batcher, type BatcherReport } from './batcher.js';
import type { CheckedOptions } from './options.js';
import type { OutgoingBatch } from './outgoing-batch.js';
import { Sender, type SenderReport } from './sender.js';

/** One subscription of an HTTP sink: gathers values into batches, sends these, and settles each by its answer. */
export class HttpSinkSession<T> implements SinkSession<T>, BatcherReport, SenderReport {
  readonly #options: CheckedOptions<T>;
  readonly #lifecycle: SinkLifecycle;
  readonly #batcher: Batcher<T>;
  readonly #sender: Sender;
  readonly #metrics;

  constructor(client: HttpClient, options: CheckedOptions<T>, lifecycle: SinkLifecycle) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#batcher = new Batcher(options, this);
    this.#sender = new Sender(client, options, this);
    const { monitor, url } = options;
    const labels = { sink: 'http', to: typeof url === 'string' ? shownUrl(url) : client.name };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      batches: monitor.metric('rxflume_sink_batches_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      resent: monitor.metric('rxflume_sink_resent_total', labels),
      inFlight: monitor.metric('rxflume_sink_in_flight_batches', labels),
    };
  }

  get isIdle(): boolean {
    return this.#batcher.isEmpty && this.#sender.isIdle;
  }

  take(delivery: Delivery<T>): void {
    this.#batcher.take(delivery);
  }

  flush(): void {
    this.#batcher.shipAll();
  }

  end(): void {
    const cause = stoppedError('a server had taken the batch');
    for (const outgoing of [...this.#sender.close(), ...this.#batcher.close()]) outgoing.nack(cause);
  }

  // What the gatherings call.

  ship(sendQueue: string, outgoing: OutgoingBatch): void {
    this.#sender.add(sendQueue, outgoing);
  }

  over(isOver: (flush$: OutgoingBatch['flush$']) => boolean): void {
    this.#sender.remove(isOver);
    this.#lifecycle.completeIfIdle();
  }

  // What the sender calls.

  taken(outgoing: OutgoingBatch, bytes: number): void {
    const { stream, firstOffset, lastOffset, values } = outgoing.batch;
    this.#metrics.values.add(values);
    this.#metrics.bytes.add(bytes);
    this.#metrics.batches.add(1);
    outgoing.ack();
    const target = shownUrl(outgoing.url);
    this.#lifecycle.receipt({ sink: 'http', target, values, bytes, stream, firstOffset, lastOffset });
  }

  refused(outgoing: OutgoingBatch, cause: RxflumeError): void {
    this.#metrics.failures.add(1);
    this.report({ what: cause.code, about: shownUrl(outgoing.url), message: describeError(cause), cause });
    outgoing.nack(cause);
  }

  resending(outgoing: OutgoingBatch): void {
    this.#metrics.resent.add(outgoing.pieces.length);
  }

  /** Its nack is void, but frees the window. */
  dropped(outgoing: OutgoingBatch): void {
    outgoing.nack(staleError(outgoing.stream));
  }

  changed(inFlight: number): void {
    this.#metrics.inFlight.set(inFlight);
  }

  idle(): void {
    this.#lifecycle.completeIfIdle();
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.logEvent(level, what, message);
  }

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }
}

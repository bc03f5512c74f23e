import type { Observable, Subscriber, TeardownLogic } from 'rxjs';
import { describeError, type RxflumeError, SinkError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { shownUrl } from '../../core/shown-url.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { Receipt } from '../../delivery/receipt.js';
import type { HttpClient } from '../../ports/http-client.js';
import { Batcher, type BatcherReport } from './batcher.js';
import type { CheckedOptions } from './options.js';
import type { OutgoingBatch } from './outgoing-batch.js';
import { Sender, type SenderReport } from './sender.js';

/** One subscription of an HTTP sink: gathers values into batches, sends these, and settles each by its answer. */
export class HttpSinkSession<T> implements BatcherReport, SenderReport {
  readonly #options: CheckedOptions<T>;
  readonly #out: Subscriber<Receipt>;
  readonly #batcher: Batcher<T>;
  readonly #sender: Sender;
  readonly #metrics;
  #isComplete = false;

  constructor(client: HttpClient, options: CheckedOptions<T>, out: Subscriber<Receipt>) {
    this.#options = options;
    this.#out = out;
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

  start(deliveries: Observable<Delivery<T>>): TeardownLogic {
    const taking = deliveries.subscribe({
      next: (delivery) => this.#batcher.take(delivery),
      error: (error: unknown) => this.#out.error(error),
      complete: () => {
        this.#isComplete = true;
        this.#batcher.shipAll();
        this.#finishWhenIdle();
      },
    });
    return () => {
      taking.unsubscribe();
      const cause = new SinkError(
        'RXF_SINK_STOPPED',
        'The flow stopped before a server had taken the batch; it is redelivered.',
      );
      for (const outgoing of [...this.#sender.close(), ...this.#batcher.close()]) outgoing.nack(cause);
    };
  }

  // What the gatherings call.

  ship(sendQueue: string, outgoing: OutgoingBatch): void {
    this.#sender.add(sendQueue, outgoing);
  }

  over(isOver: (flush$: OutgoingBatch['flush$']) => boolean): void {
    this.#sender.remove(isOver);
    this.#finishWhenIdle();
  }

  // What the sender calls.

  taken(outgoing: OutgoingBatch, bytes: number): void {
    const { stream, firstOffset, lastOffset, values } = outgoing.batch;
    this.#metrics.values.add(values);
    this.#metrics.bytes.add(bytes);
    this.#metrics.batches.add(1);
    outgoing.ack();
    this.#out.next({ sink: 'http', target: shownUrl(outgoing.url), values, bytes, stream, firstOffset, lastOffset });
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
    outgoing.nack(new SinkError('RXF_SINK_STOPPED', `${outgoing.stream} is read anew; its values are redelivered.`));
  }

  changed(inFlight: number): void {
    this.#metrics.inFlight.set(inFlight);
  }

  idle(): void {
    this.#finishWhenIdle();
  }

  logEvent(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.logEvent(level, what, message);
  }

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }

  #finishWhenIdle(): void {
    if (this.#isComplete && this.#batcher.isEmpty && this.#sender.isIdle) this.#out.complete();
  }
}

import type { Observable, Subscriber, TeardownLogic } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import { describeError, type RxflumeError, SinkError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import type { Receipt } from '../../core/receipt.js';
import { shownUrl } from '../../core/shown-url.js';
import type { HttpClient } from '../../ports/http-client.js';
import { type GatheringReport, Gatherings } from './gatherings.js';
import type { CheckedOptions } from './options.js';
import type { Parcel } from './parcel.js';
import { Sender, type SenderReport } from './sender.js';

/** One subscription of an HTTP sink: gathers values into batches, sends these, and settles each by its answer. */
export class HttpSinkSession<T> implements GatheringReport, SenderReport {
  readonly #options: CheckedOptions<T>;
  readonly #out: Subscriber<Receipt>;
  readonly #gatherings: Gatherings<T>;
  readonly #sender: Sender;
  readonly #figures;
  #isComplete = false;

  constructor(client: HttpClient, options: CheckedOptions<T>, out: Subscriber<Receipt>) {
    this.#options = options;
    this.#out = out;
    this.#gatherings = new Gatherings(options, this);
    this.#sender = new Sender(client, options, this);
    const { monitor, url } = options;
    const labels = { sink: 'http', to: typeof url === 'string' ? shownUrl(url) : client.name };
    this.#figures = {
      values: monitor.figure('rxflume_sink_values_total', labels),
      bytes: monitor.figure('rxflume_sink_bytes_total', labels),
      batches: monitor.figure('rxflume_sink_batches_total', labels),
      failures: monitor.figure('rxflume_sink_failures_total', labels),
      resent: monitor.figure('rxflume_sink_resent_total', labels),
      inFlight: monitor.figure('rxflume_sink_in_flight_batches', labels),
    };
  }

  start(deliveries: Observable<Delivery<T>>): TeardownLogic {
    const taking = deliveries.subscribe({
      next: (delivery) => this.#gatherings.take(delivery),
      error: (error: unknown) => this.#out.error(error),
      complete: () => {
        this.#isComplete = true;
        this.#gatherings.shipAll();
        this.#finishWhenIdle();
      },
    });
    return () => {
      taking.unsubscribe();
      const cause = new SinkError(
        'RXF_SINK_STOPPED',
        'The flow stopped before a server had taken the batch; it comes again.',
      );
      for (const parcel of [...this.#sender.close(), ...this.#gatherings.close()]) parcel.nack(cause);
    };
  }

  // What the gatherings call.

  ship(lane: string, parcel: Parcel): void {
    this.#sender.add(lane, parcel);
  }

  over(isOver: (wanted: Parcel['wanted']) => boolean): void {
    this.#sender.remove(isOver);
    this.#finishWhenIdle();
  }

  // What the sender calls.

  taken(parcel: Parcel, bytes: number): void {
    const { stream, firstOffset, lastOffset, values } = parcel.batch;
    this.#figures.values.add(values);
    this.#figures.bytes.add(bytes);
    this.#figures.batches.add(1);
    parcel.ack();
    this.#out.next({ sink: 'http', target: shownUrl(parcel.url), values, bytes, stream, firstOffset, lastOffset });
  }

  refused(parcel: Parcel, cause: RxflumeError): void {
    this.#figures.failures.add(1);
    this.report({ what: cause.code, about: shownUrl(parcel.url), message: describeError(cause), cause });
    parcel.nack(cause);
  }

  resending(parcel: Parcel): void {
    this.#figures.resent.add(parcel.pieces.length);
  }

  /** Its nack is void, but frees the window. */
  dropped(parcel: Parcel): void {
    parcel.nack(new SinkError('RXF_SINK_STOPPED', `${parcel.stream} is read anew; its values come again.`));
  }

  changed(inFlight: number): void {
    this.#figures.inFlight.set(inFlight);
  }

  idle(): void {
    this.#finishWhenIdle();
  }

  notice(level: 'info' | 'warn', what: string, message: string): void {
    this.#options.monitor.notice(level, what, message);
  }

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }

  #finishWhenIdle(): void {
    if (this.#isComplete && this.#gatherings.isEmpty && this.#sender.isIdle) this.#out.complete();
  }
}

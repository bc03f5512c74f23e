import { type Observable, type Subscription, timer } from 'rxjs';
import { describeError, type RxflumeError } from '../../core/errors.js';
import type { Failure } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { FlushSignal } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import { FlushListeners } from '../../delivery/flush-listeners.js';
import { nackErrorOfThrown, staleError, stoppedError } from '../../delivery/nack-errors.js';
import { type FlumeEvent, flumeEventBytes } from '../../formats/flume-event.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';
import type { FlumeRpcClient } from '../../ports/flume-rpc.js';
import type { CheckedOptions } from './options.js';
import { OutgoingBatch } from './outgoing-batch.js';
import { Pool, type PoolReport } from './pool.js';

/** What is gathered of one stream, and what ends it: its time, or what its source asks. */
interface OpenBatch {
  readonly outgoing: OutgoingBatch;
  readonly waiting: Subscription;
}

/**
 * One subscription of a Flume sink: gathers the events of each stream into batches, and settles each batch by its answer.
 *
 * Bounds: one batch a stream being gathered; batches that wait for a connection are unreleased, so the source's window
 * bounds them.
 */
export class FlumeSinkSession implements SinkSession<FlumeEvent>, PoolReport {
  readonly #options: CheckedOptions;
  readonly #lifecycle: SinkLifecycle;
  readonly #pool: Pool;
  readonly #openBatches = new Map<string, OpenBatch>();
  readonly #flushListeners: FlushListeners;
  readonly #metrics;
  #last: OutgoingBatch | undefined;

  constructor(client: FlumeRpcClient, options: CheckedOptions, lifecycle: SinkLifecycle) {
    this.#options = options;
    this.#lifecycle = lifecycle;
    this.#pool = new Pool(client, options, this);
    this.#flushListeners = new FlushListeners({ asked: () => this.flush(), over: (isOver) => this.#over(isOver) });
    const { monitor } = options;
    const labels = { sink: 'flume', to: client.name };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
      batches: monitor.metric('rxflume_sink_batches_total', labels),
      failures: monitor.metric('rxflume_sink_failures_total', labels),
      resent: monitor.metric('rxflume_sink_resent_total', labels),
      connections: monitor.metric('rxflume_sink_connections', labels),
      inFlight: monitor.metric('rxflume_sink_in_flight_batches', labels),
    };
  }

  get isIdle(): boolean {
    return this.#openBatches.size === 0 && this.#pool.isIdle;
  }

  flush(): void {
    for (const { outgoing } of [...this.#openBatches.values()]) this.#ship(outgoing);
  }

  end(): void {
    this.#flushListeners.end();
    for (const { waiting } of this.#openBatches.values()) waiting.unsubscribe();
    const gathered = [...this.#openBatches.values()].map(({ outgoing }) => outgoing);
    const cause = stoppedError('an agent had taken the batch');
    for (const outgoing of [...this.#pool.close(), ...gathered]) outgoing.nack(cause);
  }

  // What the pool calls.

  taken(outgoing: OutgoingBatch, agent: string): void {
    const { stream, events, bytes, firstOffset, lastOffset } = outgoing;
    this.#metrics.values.add(events.length);
    this.#metrics.bytes.add(bytes);
    this.#metrics.batches.add(1);
    outgoing.ack();
    this.#lifecycle.receipt({
      sink: 'flume',
      target: agent,
      values: events.length,
      bytes,
      stream,
      firstOffset,
      lastOffset,
    });
  }

  refused(outgoing: OutgoingBatch, cause: RxflumeError): void {
    this.#metrics.failures.add(1);
    const { stream, events } = outgoing;
    this.report({
      what: cause.code,
      about: stream,
      message: sentence(`${stream}: ${describeError(cause)}`),
      addition: `${stream}: ${events.length} events are refused because of ${cause.code}.`,
      cause,
    });
    outgoing.nack(cause);
  }

  resending(outgoing: OutgoingBatch): void {
    this.#metrics.resent.add(outgoing.events.length);
  }

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }

  changed(connections: number, inFlight: number): void {
    this.#metrics.connections.set(connections);
    this.#metrics.inFlight.set(inFlight);
    this.#lifecycle.completeIfIdle();
  }

  // Gathering.

  take(delivery: Delivery<FlumeEvent>): void {
    let bytes: number;
    try {
      bytes = flumeEventBytes(delivery.value);
    } catch (cause) {
      delivery.nack(nackErrorOfThrown('event given to flumeSink', cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    if (!this.#flushListeners.listen(delivery)) {
      delivery.nack(staleError(delivery.origin.stream));
      return;
    }
    const { batch } = this.#options;
    let outgoing = this.#outgoingOf(delivery);
    if (outgoing.events.length > 0 && outgoing.bytes + bytes > batch.bytes) {
      this.#ship(outgoing);
      outgoing = this.#outgoingOf(delivery);
    }
    outgoing.add(delivery, bytes);
    if (outgoing.events.length >= batch.count || outgoing.bytes >= batch.bytes) this.#ship(outgoing);
  }

  /** The batch that is gathered of its stream and epoch. */
  #outgoingOf(delivery: Delivery<FlumeEvent>): OutgoingBatch {
    const { stream } = delivery.origin;
    const { flush$ } = delivery.acker;
    if (this.#last !== undefined && this.#last.stream === stream && this.#last.flush$ === flush$) return this.#last;
    let openBatch = this.#openBatches.get(stream);
    if (openBatch !== undefined && openBatch.outgoing.flush$ !== flush$) {
      // Not an end of its epoch, which is heard: values joined of several have one each.
      this.#ship(openBatch.outgoing);
      openBatch = undefined;
    }
    if (openBatch === undefined) {
      const outgoing = new OutgoingBatch(delivery);
      openBatch = { outgoing, waiting: timer(this.#options.batch.maxWaitMs).subscribe(() => this.#ship(outgoing)) };
      this.#openBatches.set(stream, openBatch);
    }
    this.#last = openBatch.outgoing;
    return openBatch.outgoing;
  }

  #ship(outgoing: OutgoingBatch): void {
    const openBatch = this.#openBatches.get(outgoing.stream);
    if (openBatch?.outgoing !== outgoing) return;
    this.#forget(openBatch);
    this.#pool.add(outgoing);
  }

  #forget({ outgoing, waiting }: OpenBatch): void {
    waiting.unsubscribe();
    this.#openBatches.delete(outgoing.stream);
    if (this.#last === outgoing) this.#last = undefined;
  }

  /** Gives up what is not sent of an epoch that is over. Its nack is void, but frees the window. */
  #drop(...outgoingBatches: readonly OutgoingBatch[]): void {
    for (const outgoing of outgoingBatches) outgoing.nack(staleError(outgoing.stream));
  }

  /** Drops what is gathered, and what waits, of an epoch that is over. */
  #over(isOver: (flush$: Observable<FlushSignal>) => boolean): void {
    const gathered = [...this.#openBatches.values()].filter(({ outgoing }) => isOver(outgoing.flush$));
    for (const openBatch of gathered) this.#forget(openBatch);
    this.#drop(...gathered.map(({ outgoing }) => outgoing), ...this.#pool.remove(isOver));
    this.#lifecycle.completeIfIdle();
  }
}

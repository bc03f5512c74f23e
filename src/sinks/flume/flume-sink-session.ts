import { type Observable, type Subscriber, type Subscription, type TeardownLogic, timer } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Want } from '../../core/duty.js';
import { Wants } from '../../core/epoch.js';
import { describeError, type RxflumeError, SinkError } from '../../core/errors.js';
import { type FlumeEvent, flumeEventBytes } from '../../core/flume.js';
import type { Failure } from '../../core/monitor.js';
import type { Receipt } from '../../core/receipt.js';
import { thrownFor } from '../../core/refusal.js';
import type { FlumeRpcClient } from '../../ports/flume-rpc.js';
import type { CheckedOptions } from './options.js';
import { Pool, type PoolReport } from './pool.js';
import { Shipment } from './shipment.js';

/** What is gathered of one stream, and what ends it: its time, or what its source asks. */
interface Gathering {
  readonly shipment: Shipment;
  readonly waiting: Subscription;
}

/**
 * One subscription of a Flume sink: gathers the events of each stream into batches, and settles each batch by its answer.
 *
 * Bounds: one batch a stream being gathered; batches that wait for a connection are unreleased, so the source's window
 * bounds them.
 */
export class FlumeSinkSession implements PoolReport {
  readonly #options: CheckedOptions;
  readonly #out: Subscriber<Receipt>;
  readonly #pool: Pool;
  readonly #gatherings = new Map<string, Gathering>();
  readonly #wants: Wants;
  readonly #figures;
  #last: Shipment | undefined;
  #isComplete = false;

  constructor(client: FlumeRpcClient, options: CheckedOptions, out: Subscriber<Receipt>) {
    this.#options = options;
    this.#out = out;
    this.#pool = new Pool(client, options, this);
    this.#wants = new Wants({ asked: () => this.#shipAll(), over: (isOver) => this.#over(isOver) });
    const { monitor } = options;
    const labels = { sink: 'flume', to: client.name };
    this.#figures = {
      values: monitor.figure('rxflume_sink_values_total', labels),
      bytes: monitor.figure('rxflume_sink_bytes_total', labels),
      batches: monitor.figure('rxflume_sink_batches_total', labels),
      failures: monitor.figure('rxflume_sink_failures_total', labels),
      resent: monitor.figure('rxflume_sink_resent_total', labels),
      connections: monitor.figure('rxflume_sink_connections', labels),
      inFlight: monitor.figure('rxflume_sink_in_flight_batches', labels),
    };
  }

  start(deliveries: Observable<Delivery<FlumeEvent>>): TeardownLogic {
    const taking = deliveries.subscribe({
      next: (delivery) => this.#take(delivery),
      error: (error: unknown) => this.#out.error(error),
      complete: () => {
        this.#isComplete = true;
        this.#shipAll();
        this.#finishWhenIdle();
      },
    });
    return () => {
      taking.unsubscribe();
      this.#wants.end();
      for (const { waiting } of this.#gatherings.values()) waiting.unsubscribe();
      const gathered = [...this.#gatherings.values()].map(({ shipment }) => shipment);
      const cause = new SinkError(
        'RXF_SINK_STOPPED',
        'The flow stopped before an agent had taken the batch; it comes again.',
      );
      for (const shipment of [...this.#pool.close(), ...gathered]) shipment.nack(cause);
    };
  }

  // What the pool calls.

  taken(shipment: Shipment, agent: string): void {
    const { stream, events, bytes, firstOffset, lastOffset } = shipment;
    this.#figures.values.add(events.length);
    this.#figures.bytes.add(bytes);
    this.#figures.batches.add(1);
    shipment.ack();
    this.#out.next({ sink: 'flume', target: agent, values: events.length, bytes, stream, firstOffset, lastOffset });
  }

  refused(shipment: Shipment, cause: RxflumeError): void {
    this.#figures.failures.add(1);
    const { stream, events } = shipment;
    this.report({
      what: cause.code,
      about: stream,
      message: `${stream}: ${describeError(cause)}`,
      addition: `${stream}: ${events.length} events are refused because of ${cause.code}.`,
      cause,
    });
    shipment.nack(cause);
  }

  resending(shipment: Shipment): void {
    this.#figures.resent.add(shipment.events.length);
  }

  report(failure: Failure): void {
    this.#options.monitor.report(failure);
  }

  changed(connections: number, inFlight: number): void {
    this.#figures.connections.set(connections);
    this.#figures.inFlight.set(inFlight);
    this.#finishWhenIdle();
  }

  // Gathering.

  #take(delivery: Delivery<FlumeEvent>): void {
    let bytes: number;
    try {
      bytes = flumeEventBytes(delivery.value);
    } catch (cause) {
      delivery.nack(thrownFor('event given to flumeSink', cause, delivery, 'RXF_SINK_FORMAT'));
      return;
    }
    if (!this.#wants.listen(delivery)) {
      delivery.nack(readAnewError(delivery.origin.stream));
      return;
    }
    const { batch } = this.#options;
    let shipment = this.#shipmentOf(delivery);
    if (shipment.events.length > 0 && shipment.bytes + bytes > batch.bytes) {
      this.#ship(shipment);
      shipment = this.#shipmentOf(delivery);
    }
    shipment.add(delivery, bytes);
    if (shipment.events.length >= batch.count || shipment.bytes >= batch.bytes) this.#ship(shipment);
  }

  /** The batch that is gathered of its stream and epoch. */
  #shipmentOf(delivery: Delivery<FlumeEvent>): Shipment {
    const { stream } = delivery.origin;
    const { wanted } = delivery.duty;
    if (this.#last !== undefined && this.#last.stream === stream && this.#last.wanted === wanted) return this.#last;
    let gathering = this.#gatherings.get(stream);
    if (gathering !== undefined && gathering.shipment.wanted !== wanted) {
      // Not an end of its epoch, which is heard: values joined of several have one each.
      this.#ship(gathering.shipment);
      gathering = undefined;
    }
    if (gathering === undefined) {
      const shipment = new Shipment(delivery);
      gathering = { shipment, waiting: timer(this.#options.batch.maxWaitMs).subscribe(() => this.#ship(shipment)) };
      this.#gatherings.set(stream, gathering);
    }
    this.#last = gathering.shipment;
    return gathering.shipment;
  }

  #shipAll(): void {
    for (const { shipment } of [...this.#gatherings.values()]) this.#ship(shipment);
  }

  #ship(shipment: Shipment): void {
    const gathering = this.#gatherings.get(shipment.stream);
    if (gathering?.shipment !== shipment) return;
    this.#forget(gathering);
    this.#pool.add(shipment);
  }

  #forget({ shipment, waiting }: Gathering): void {
    waiting.unsubscribe();
    this.#gatherings.delete(shipment.stream);
    if (this.#last === shipment) this.#last = undefined;
  }

  /** Gives up what is not sent of an epoch that is over. Its nack is void, but frees the window. */
  #drop(...shipments: readonly Shipment[]): void {
    for (const shipment of shipments) shipment.nack(readAnewError(shipment.stream));
  }

  /** Drops what is gathered, and what waits, of an epoch that is over. */
  #over(isOver: (wanted: Observable<Want>) => boolean): void {
    const gathered = [...this.#gatherings.values()].filter(({ shipment }) => isOver(shipment.wanted));
    for (const gathering of gathered) this.#forget(gathering);
    this.#drop(...gathered.map(({ shipment }) => shipment), ...this.#pool.remove(isOver));
    this.#finishWhenIdle();
  }

  #finishWhenIdle(): void {
    if (this.#isComplete && this.#gatherings.size === 0 && this.#pool.isIdle) this.#out.complete();
  }
}

function readAnewError(stream: string): SinkError {
  return new SinkError('RXF_SINK_STOPPED', `${stream} is read anew; its values come again.`);
}

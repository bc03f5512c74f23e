import { asapScheduler, type Subscription, timer } from 'rxjs';
import type { Monitor } from '../../core/monitor.js';
import type { Acker } from '../../delivery/acker.js';
import type { Delivery } from '../../delivery/delivery.js';
import type { SinkLifecycle, SinkSession } from '../../lifecycle/sink-lifecycle.js';

/** Acked at the latest when there are so many: a run is two numbers, however long, but the source's window waits for it. */
const LONGEST_RUN = 1_024;

/** After so many runs of one value each, the next values are acked at once: waiting for the end of the turn costs more than it saves. */
const ALONE = 8;

/** So many values are acked at once before a run is begun again: by then they may come together. */
const ACKED_AT_ONCE = 64;

/** What of one stream has no receipt yet. */
interface FanOutState {
  values: number;
  bytes: number;
  readonly firstOffset: number;
  lastOffset: number;
}

/** One subscription of a null sink. What is done for each value is to count it; the rest is done once a run. */
export class NullSinkSession implements SinkSession<unknown> {
  readonly #receiptIntervalMs: number;
  readonly #lifecycle: SinkLifecycle;
  readonly #metrics;
  readonly #tallies = new Map<string, FanOutState>();
  #telling: Subscription | undefined;
  // The run that is not acked: its acker, its sequence numbers, its bytes, and the deliveries at its ends.
  #acker: Acker | undefined;
  #from = 0;
  #next = 0;
  #bytes = 0;
  #first: Delivery<unknown> | undefined;
  #last: Delivery<unknown> | undefined;
  #acking: Subscription | undefined;
  /** How many runs of one value there were in a row. */
  #alone = 0;
  #isAckingAtOnce = false;

  constructor(
    { receiptIntervalMs, monitor }: { receiptIntervalMs: number; monitor: Monitor },
    lifecycle: SinkLifecycle,
  ) {
    this.#receiptIntervalMs = receiptIntervalMs;
    this.#lifecycle = lifecycle;
    const labels = { sink: 'null', to: 'null' };
    this.#metrics = {
      values: monitor.metric('rxflume_sink_values_total', labels),
      bytes: monitor.metric('rxflume_sink_bytes_total', labels),
    };
  }

  get isIdle(): boolean {
    return this.#acker === undefined;
  }

  flush(): void {
    this.#ack();
    this.#tell();
  }

  end(): void {
    this.#ack();
    this.#telling?.unsubscribe();
  }

  take(delivery: Delivery<unknown>): void {
    const { acker, seq } = delivery;
    // One that comes while another is acked begins a run, so that calls do not nest.
    if (this.#acker === undefined && this.#alone >= ALONE && !this.#isAckingAtOnce) {
      this.#ackAtOnce(delivery);
      return;
    }
    if (acker !== this.#acker || seq !== this.#next) this.#begin(delivery);
    this.#next = seq + 1;
    this.#bytes += delivery.origin.byteLength;
    this.#last = delivery;
    if (this.#next - this.#from >= LONGEST_RUN) this.#ack();
  }

  #ackAtOnce(delivery: Delivery<unknown>): void {
    this.#alone = this.#alone < ALONE + ACKED_AT_ONCE ? this.#alone + 1 : ALONE - 1;
    this.#count(1, delivery.origin.byteLength, delivery, delivery);
    this.#isAckingAtOnce = true;
    delivery.ack();
    this.#isAckingAtOnce = false;
  }

  #begin(delivery: Delivery<unknown>): void {
    // More than once where an ack brings more within the call.
    while (this.#acker !== undefined) this.#ack();
    this.#acker = delivery.acker;
    this.#from = delivery.seq;
    this.#first = delivery;
    // When all that comes in this turn has come.
    this.#acking = asapScheduler.schedule(() => this.#ack());
  }

  #ack(): void {
    const acker = this.#acker;
    if (acker === undefined) return;
    const [from, next, bytes] = [this.#from, this.#next, this.#bytes];
    const [first, last] = [this.#first, this.#last] as [Delivery<unknown>, Delivery<unknown>];
    this.#acking?.unsubscribe();
    this.#acker = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.#bytes = 0;
    this.#alone = next - from === 1 ? this.#alone + 1 : 0;
    this.#count(next - from, bytes, first, last);
    // Last: more may come while it is acked.
    acker.ack(from, next);
  }

  #count(values: number, bytes: number, first: Delivery<unknown>, last: Delivery<unknown>): void {
    this.#metrics.values.add(values);
    this.#metrics.bytes.add(bytes);
    const { stream, offset } = first.origin;
    const lastOffset = last.origin.lastOffset ?? last.origin.offset;
    const fanOutState = this.#tallies.get(stream);
    if (fanOutState === undefined) this.#tallies.set(stream, { values, bytes, firstOffset: offset, lastOffset });
    else {
      fanOutState.values += values;
      fanOutState.bytes += bytes;
      fanOutState.lastOffset = lastOffset;
    }
    this.#telling ??= timer(this.#receiptIntervalMs).subscribe(() => this.#tell());
  }

  #tell(): void {
    this.#telling?.unsubscribe();
    this.#telling = undefined;
    for (const [stream, fanOutState] of this.#tallies)
      this.#lifecycle.receipt({ sink: 'null', target: 'null', stream, ...fanOutState });
    this.#tallies.clear();
  }
}

import { asapScheduler, type Observable, type Subscriber, type Subscription, type TeardownLogic, timer } from 'rxjs';
import type { Delivery } from '../../core/delivery.js';
import type { Duty } from '../../core/duty.js';
import type { Monitor } from '../../core/monitor.js';
import type { Receipt } from '../../core/receipt.js';

/** Acked at the latest when there are so many: a run is two numbers, however long, but the source's window waits for it. */
const LONGEST_RUN = 1_024;

/** What of one stream has no receipt yet. */
interface Tally {
  values: number;
  bytes: number;
  readonly firstOffset: number;
  lastOffset: number;
}

/** One subscription of a null sink. What is done for each value is to count it; the rest is done once a run. */
export class NullSinkSession {
  readonly #receiptEveryMs: number;
  readonly #out: Subscriber<Receipt>;
  readonly #figures;
  readonly #tallies = new Map<string, Tally>();
  #telling: Subscription | undefined;
  // The run that is not acked: its duty, its places, its bytes, and the deliveries at its ends.
  #duty: Duty | undefined;
  #from = 0;
  #next = 0;
  #bytes = 0;
  #first: Delivery<unknown> | undefined;
  #last: Delivery<unknown> | undefined;
  #acking: Subscription | undefined;

  constructor({ receiptEveryMs, monitor }: { receiptEveryMs: number; monitor: Monitor }, out: Subscriber<Receipt>) {
    this.#receiptEveryMs = receiptEveryMs;
    this.#out = out;
    const labels = { sink: 'null' };
    this.#figures = {
      values: monitor.figure('rxflume_sink_values_total', labels),
      bytes: monitor.figure('rxflume_sink_bytes_total', labels),
    };
  }

  start(deliveries: Observable<Delivery<unknown>>): TeardownLogic {
    const taking = deliveries.subscribe({
      next: (delivery) => this.#take(delivery),
      error: (error: unknown) => this.#out.error(error),
      complete: () => {
        this.#ack();
        this.#tell();
        this.#out.complete();
      },
    });
    return () => {
      taking.unsubscribe();
      this.#ack();
      this.#telling?.unsubscribe();
    };
  }

  #take(delivery: Delivery<unknown>): void {
    const { duty, place } = delivery;
    if (duty !== this.#duty || place !== this.#next) this.#begin(delivery);
    this.#next = place + 1;
    this.#bytes += delivery.origin.byteLength;
    this.#last = delivery;
    if (this.#next - this.#from >= LONGEST_RUN) this.#ack();
  }

  #begin(delivery: Delivery<unknown>): void {
    // More than once where an ack brings more within the call.
    while (this.#duty !== undefined) this.#ack();
    this.#duty = delivery.duty;
    this.#from = delivery.place;
    this.#first = delivery;
    // When all that comes in this turn has come.
    this.#acking = asapScheduler.schedule(() => this.#ack());
  }

  #ack(): void {
    const duty = this.#duty;
    if (duty === undefined) return;
    const [from, next, bytes] = [this.#from, this.#next, this.#bytes];
    const [first, last] = [this.#first, this.#last] as [Delivery<unknown>, Delivery<unknown>];
    this.#acking?.unsubscribe();
    this.#duty = undefined;
    this.#first = undefined;
    this.#last = undefined;
    this.#bytes = 0;
    this.#count(next - from, bytes, first, last);
    // Last: more may come while it is acked.
    duty.ack(from, next);
  }

  #count(values: number, bytes: number, first: Delivery<unknown>, last: Delivery<unknown>): void {
    this.#figures.values.add(values);
    this.#figures.bytes.add(bytes);
    const { stream, offset } = first.origin;
    const lastOffset = last.origin.lastOffset ?? last.origin.offset;
    const tally = this.#tallies.get(stream);
    if (tally === undefined) this.#tallies.set(stream, { values, bytes, firstOffset: offset, lastOffset });
    else {
      tally.values += values;
      tally.bytes += bytes;
      tally.lastOffset = lastOffset;
    }
    this.#telling ??= timer(this.#receiptEveryMs).subscribe(() => this.#tell());
  }

  #tell(): void {
    this.#telling?.unsubscribe();
    this.#telling = undefined;
    for (const [stream, tally] of this.#tallies) this.#out.next({ sink: 'null', target: 'null', stream, ...tally });
    this.#tallies.clear();
  }
}

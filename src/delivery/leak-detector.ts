import { Subscription, timer } from 'rxjs';
import { monotonicMs } from '../core/clock.js';
import type { Monitor } from '../core/monitor.js';
import type { Acker } from './acker.js';
import type { Delivery, Origin } from './delivery.js';
import { isEpochOver } from './flush-listeners.js';
import { ForwardingAcker } from './forwarding-acker.js';

export interface LeakDetectorOptions {
  /** After how long without an ack or a nack a delivery is reported, in milliseconds. Default 900,000. */
  readonly afterMs?: number;
  /** Gets a report of what is lost or hangs. Default `defaultMonitor`. */
  readonly monitor?: Monitor;
}

/** The most deliveries that are watched at once. */
const MAX_WATCHED = 100;
/** So many from the beginning may all be watched, after that one in so many. */
const ALL_OF_FIRST = 100;
const ONE_IN = 100;

interface Watched {
  readonly origin: Origin;
  readonly flush$: Acker['flush$'];
  readonly since: number;
  /** The step that it entered last. */
  step: number;
}

/**
 * Watches some of the deliveries of a flow: which step took each last, for how long it has not been settled, and whether
 * anybody holds it still. Tells the monitor of the oldest that hangs, and of each step that lost one. It changes nothing.
 *
 * Each watched delivery has its own acker. To settle the delivery you must hold that acker, as an object or in an `AckGroup`:
 * one that is collected as garbage can never be settled.
 *
 * Bounds: 100 deliveries, and nothing of the others.
 */
export class LeakDetector {
  readonly #flow: string;
  readonly #steps: readonly string[];
  readonly #afterMs: number;
  readonly #monitor: Monitor;
  /** By their origins, which `with` keeps and most operators do. */
  readonly #watched = new Map<Origin, Watched>();
  readonly #lost: FinalizationRegistry<Watched>;
  readonly #reported = new Set<number>();
  #seen = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  #looking = Subscription.EMPTY;

  /** `steps`: the names of the operators and the sink, in order; empty for what has none. */
  constructor(flow: string, steps: readonly string[], { afterMs, monitor }: Required<LeakDetectorOptions>) {
    this.#flow = flow;
    this.#steps = steps;
    this.#afterMs = afterMs;
    this.#monitor = monitor;
    this.#lost = new FinalizationRegistry((watched) => this.#tellLost(watched));
  }

  /** A delivery on its way into the first step: the same one, or one that is watched. */
  enter<T>(delivery: Delivery<T>): Delivery<T> {
    this.#seen += 1;
    if (this.#watched.size >= MAX_WATCHED || (this.#seen > ALL_OF_FIRST && this.#seen % ONE_IN !== 0)) return delivery;
    const { origin, acker } = delivery;
    const watched: Watched = { origin, flush$: acker.flush$, since: monotonicMs(), step: 0 };
    const own = new SingleAcker(acker, () => {
      this.#watched.delete(origin);
      this.#lost.unregister(watched);
    });
    this.#watched.set(origin, watched);
    this.#lost.register(own, watched, watched);
    const everyMs = Math.max(1, this.#afterMs / 4);
    if (this.#looking.closed) this.#looking = timer(everyMs, everyMs).subscribe(() => this.#look());
    return own.adopt(delivery);
  }

  /** A delivery on its way into a later step. */
  pass(step: number, { origin }: Delivery<unknown>): void {
    if (this.#watched.size === 0) return;
    const watched = this.#watched.get(origin);
    if (watched !== undefined) watched.step = step;
    else if (origin.lastOffset !== undefined) this.#passJoined(step, origin, origin.lastOffset);
  }

  /** Nothing is lost from here on: the flow has ended, and what is out is redelivered. */
  end(): void {
    this.#looking.unsubscribe();
    for (const watched of this.#watched.values()) this.#lost.unregister(watched);
    this.#watched.clear();
  }

  #passJoined(step: number, { stream, epoch, offset }: Origin, lastOffset: number): void {
    for (const watched of this.#watched.values()) {
      const { origin } = watched;
      const isPart = origin.stream === stream && origin.epoch === epoch;
      if (isPart && origin.offset >= offset && origin.offset <= lastOffset) watched.step = step;
    }
  }

  #look(): void {
    // What is left of an epoch that is over nobody settles, and need not.
    for (const watched of this.#watched.values()) if (isEpochOver(watched.flush$)) this.#forget(watched);
    if (this.#watched.size === 0) this.#looking.unsubscribe();
    const now = monotonicMs();
    if (now - this.#reportedAt < this.#afterMs) return;
    const late = [...this.#watched.values()].filter(({ since }) => now - since >= this.#afterMs);
    const [oldest] = late;
    if (oldest === undefined) return;
    this.#reportedAt = now;
    const { origin, since, step } = oldest;
    const ageMs = now - since;
    this.#monitor.logEvent(
      'warn',
      'flow.unsettled',
      `Flow \`${this.#flow}\`: ${origin.stream} offset ${origin.offset} has not been settled for ${ageMs} ms. It was ` +
        `taken last by ${this.#describeStep(step)}. Of ${this.#watched.size} watched deliveries, ${late.length} are that late. Check what ` +
        'waits there: a write without an answer, a longer roll interval, or an operator that neither passes on nor settles.',
      this.#detailsOf(oldest, { ageMs, late: late.length }),
    );
  }

  #tellLost(watched: Watched): void {
    if (!this.#watched.delete(watched.origin) || isEpochOver(watched.flush$)) return;
    const { origin, since, step } = watched;
    const operator = this.#steps[step] || `step ${step + 1}`;
    this.#monitor.metric('rxflume_deliveries_lost_total', { flow: this.#flow, operator }).add(1);
    if (this.#reported.has(step)) return;
    this.#reported.add(step);
    this.#monitor.logEvent(
      'error',
      'flow.lost',
      `Flow \`${this.#flow}\`: ${origin.stream} offset ${origin.offset} was lost. It was taken last by ` +
        `${this.#describeStep(step)}. Nothing holds it any more, and it was neither acked nor nacked, so nothing ` +
        'behind it can be committed. An operator that drops or copies deliveries must settle them: use those of rxflume/operators. The metric rxflume_deliveries_lost_total counts further ones.',
      this.#detailsOf(watched, { ageMs: monotonicMs() - since }),
    );
  }

  #forget(watched: Watched): void {
    this.#watched.delete(watched.origin);
    this.#lost.unregister(watched);
  }

  #detailsOf({ origin: { stream, offset }, step }: Watched, more: Readonly<Record<string, number>>) {
    return { flow: this.#flow, operator: this.#steps[step] || undefined, step: step + 1, stream, offset, ...more };
  }

  /** Such as `operator 2 (filterValue), between decode and fileSink`. */
  #describeStep(step: number): string {
    const name = this.#steps[step];
    const last = this.#steps.length - 1;
    const what = `${step === last ? 'the sink' : `operator ${step + 1}`}${name ? ` (\`${name}\`)` : ''}`;
    const before = step === 0 ? 'the source' : this.#nameOf(step - 1);
    return step === last ? `${what}, behind ${before}` : `${what}, between ${before} and ${this.#nameOf(step + 1)}`;
  }

  #nameOf(step: number): string {
    const name = this.#steps[step];
    if (name) return `\`${name}\``;
    return step === this.#steps.length - 1 ? 'the sink' : `operator ${step + 1}`;
  }
}

/** The acker of one watched delivery: passes everything on, and tells once when that is settled. */
class SingleAcker extends ForwardingAcker {
  #settled: (() => void) | undefined;

  constructor(inner: Acker, settled: () => void) {
    super(inner);
    this.#settled = settled;
  }

  override ack(first: number, next: number): void {
    this.#end();
    super.ack(first, next);
  }

  override nack(first: number, next: number, cause: unknown): void {
    this.#end();
    super.nack(first, next, cause);
  }

  #end(): void {
    this.#settled?.();
    this.#settled = undefined;
  }
}

import { Observable, Subscriber } from 'rxjs';
import { monotonicMs } from '../core/clock.js';
import type { StepCounts } from '../core/flow-scope.js';
import { defaultMonitor, type Sample } from '../core/monitor.js';
import type { AnyStep } from './probes.js';

/** Passes values on, and counts them: what an operator takes that does not count itself, and what the one before it gave. */
export function counting(count: { value: number }): AnyStep {
  return (source) => new Observable((subscriber) => source.subscribe(new Counting(subscriber, count)));
}

class Counting extends Subscriber<unknown> {
  readonly #count: { value: number };

  constructor(destination: Subscriber<unknown>, count: { value: number }) {
    super(destination);
    this.#count = count;
  }

  protected override _next(value: unknown): void {
    this.#count.value += 1;
    this.destination.next(value);
  }
}

/** One step of a flow, whose own counts become metrics at each reading. */
export class CountedStep {
  /** What it counts of itself. */
  readonly counts: StepCounts = {};
  /** What entered it, as far as that is counted before it. */
  readonly entered: { value: number } | undefined;
  readonly #before: CountedStep | undefined;
  readonly #labels: { readonly flow: string; readonly operator: string };
  readonly #shown = { received: 0, emitted: 0, nacked: 0 };
  /** The step after it. */
  #behind: CountedStep | undefined;
  #done = 0;
  #since = monotonicMs();

  constructor(flow: string, operator: string, before: CountedStep | undefined, entered: { value: number } | undefined) {
    this.#labels = { flow, operator };
    this.#before = before;
    this.entered = entered;
    if (before !== undefined) before.#behind = this;
  }

  /** How many it has taken by now; undefined where nothing counts that. */
  get received(): number | undefined {
    return this.counts.received?.value ?? this.entered?.value ?? this.#before?.counts.emitted?.value;
  }

  get #emitted(): number | undefined {
    const behind = this.#behind;
    return this.counts.emitted?.value ?? behind?.entered?.value ?? behind?.counts.received?.value;
  }

  /** Brings its counters up to date, and says what it holds. */
  *read(): Iterable<Sample> {
    // A sink: it says itself what it does.
    if (this.#behind === undefined && this.counts.held === undefined) return;
    this.#count('received', this.received);
    this.#count('emitted', this.#emitted);
    this.#count('nacked', this.counts.nacked?.value);
    if (this.counts.held === undefined) return;
    const now = monotonicMs();
    const held = this.counts.held();
    const done = (this.received ?? 0) - held;
    if (held === 0 || done !== this.#done) this.#since = now;
    this.#done = done;
    const labels = this.#labels;
    yield { name: 'rxflume_operator_in_flight_records', labels, value: held };
    yield { name: 'rxflume_operator_waiting_seconds', labels, value: (now - this.#since) / 1_000 };
  }

  #count(what: 'received' | 'emitted' | 'nacked', value: number | undefined): void {
    if (value === undefined) return;
    defaultMonitor.metric(`rxflume_operator_${what}_total`, this.#labels).add(value - this.#shown[what]);
    this.#shown[what] = value;
  }
}

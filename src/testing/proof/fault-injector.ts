import { timer } from 'rxjs';
import type { Collector } from './collector.js';
import type { Fault } from './schedule.js';

/** What faults do to the collectors and the group. */
export interface Acts {
  kill(collector: Collector): void;
  stop(collector: Collector, ms: number): void;
  deafen(collector: Collector, ms: number): void;
  join(): void;
  leave(collector: Collector): void;
  expire(): void;
  forget(): void;
  cutPower(): void;
  take(): void;
}

/** What becomes of a call's answer. */
export type Fate = 'sound' | 'fail' | 'lose' | 'late' | 'orphan' | 'hang';

/** The faults that strike one step, and when each of them acts. */
export class FaultInjector {
  readonly fate: Fate;
  /** How much later a late call is carried out, in milliseconds. */
  readonly ms: number;
  readonly #faults: readonly Fault[];
  readonly #collector: Collector;
  readonly #acts: Acts;

  constructor(faults: readonly Fault[], collector: Collector, acts: Acts) {
    this.#faults = faults;
    this.#collector = collector;
    this.#acts = acts;
    const fault = faults.find(({ when }) => when === 'at');
    this.fate = (fault?.kind as Fate | undefined) ?? 'sound';
    this.ms = fault?.ms ?? 0;
  }

  /** Acts before a call, which then goes on: also where the group changed meanwhile. */
  before(goOn: () => void): void {
    this.#arrest('before');
    this.#rouse('before', goOn);
  }

  /** Stops the collector where the call was made and its answer must not reach it. */
  hold(): void {
    this.#arrest('after');
    if (this.fate === 'orphan') this.#acts.kill(this.#collector);
  }

  after(): void {
    this.#rouse('after', () => undefined);
  }

  /** Acts around a call of the driver back to the collector. */
  around(tell: () => void): void {
    this.#arrest('before');
    this.#collector.gate.pass(tell);
    this.#arrest('after');
    this.#rouse('before', () => this.after());
  }

  /** What only touches the collector's gate. */
  #arrest(when: 'before' | 'after'): void {
    for (const fault of this.#faults) {
      if (fault.when !== when) continue;
      if (fault.kind === 'crash') this.#acts.kill(this.#collector);
      if (fault.kind === 'stop') this.#acts.stop(this.#collector, fault.ms);
      if (fault.kind === 'deaf') this.#acts.deafen(this.#collector, fault.ms);
      if (fault.kind === 'join') this.#acts.join();
      if (fault.kind === 'forget') this.#acts.forget();
      if (fault.kind === 'power') this.#acts.cutPower();
      if (fault.kind === 'take') this.#acts.take();
    }
  }

  /** What tells collectors something: never from within a call of theirs. */
  #rouse(when: 'before' | 'after', goOn: () => void): void {
    const faults = this.#faults.filter((one) => one.when === when && (one.kind === 'leave' || one.kind === 'expire'));
    if (faults.length === 0) {
      goOn();
      return;
    }
    timer(0).subscribe(() => {
      for (const { kind } of faults) {
        if (kind === 'leave') this.#acts.leave(this.#collector);
        else this.#acts.expire();
      }
      goOn();
    });
  }
}

import { from, Observable, type ObservableInput, type Observer, type Subscriber, Subscription, timer } from 'rxjs';
import type { Collector } from './collector.js';
import type { FaultInjector } from './fault-injector.js';
import type { Gate } from './gate.js';
import type { Verb } from './schedule.js';

/** How long an answer takes that is not the store's. */
const ERROR_AFTER_MS = 1;

/** Numbers the steps of all collectors, and knows what strikes each. */
export interface Steps {
  next(collector: Collector, verb: Verb, words: string): FaultInjector;
  /** Carries a call out later, whatever becomes of its collector. */
  later(collector: Collector, ms: number, words: string, carryOut: () => void): void;
}

/** One call of a collector to a store: `carryOut` does it, `failure` is what it seems to answer where it is struck. */
export interface Call<T> {
  readonly verb: Verb;
  readonly words: string;
  readonly carryOut: () => ObservableInput<T>;
  readonly failure: (words: string) => unknown;
}

/** Makes a call through the collector's gate, as one step. Cold: each subscription is a call. */
export function call<T>(steps: Steps, collector: Collector, made: Call<T>): Observable<T> {
  const { gate } = collector;
  return new Observable<T>((subscriber) => {
    const answer = new Subscription();
    gate.pass(() => {
      if (subscriber.closed) return;
      const strike = steps.next(collector, made.verb, made.words);
      strike.before(() => gate.pass(() => carryOut(steps, collector, made, strike, subscriber, answer)));
    });
    return () => gate.pass(() => answer.unsubscribe());
  });
}

function carryOut<T>(
  steps: Steps,
  collector: Collector,
  made: Call<T>,
  strike: FaultInjector,
  subscriber: Subscriber<T>,
  answer: Subscription,
): void {
  const { gate } = collector;
  const fail = () => gate.pass(() => subscriber.error(made.failure(made.words)));
  const isDone = strike.fate === 'sound' || strike.fate === 'lose';
  strike.hold();
  if (strike.fate === 'late' || strike.fate === 'orphan') {
    steps.later(collector, strike.ms, made.words, () => from(made.carryOut()).subscribe({ error: () => undefined }));
  }
  if (strike.fate === 'hang') {
    strike.after();
    return;
  }
  if (!isDone) {
    answer.add(timer(ERROR_AFTER_MS).subscribe(fail));
  } else {
    answer.add(
      from(made.carryOut()).subscribe({
        next: (value) => {
          if (strike.fate === 'sound') gate.pass(() => subscriber.next(value));
        },
        error: (error: unknown) => gate.pass(() => subscriber.error(error)),
        complete: () => {
          if (strike.fate === 'lose') fail();
          else gate.pass(() => subscriber.complete());
        },
      }),
    );
  }
  strike.after();
}

/** What is answered, as it comes through a collector's gate. */
export function through<T>(gate: Gate, subscriber: Subscriber<T>): Observer<T> {
  return {
    next: (value) => gate.pass(() => subscriber.next(value)),
    error: (error: unknown) => gate.pass(() => subscriber.error(error)),
    complete: () => gate.pass(() => subscriber.complete()),
  };
}

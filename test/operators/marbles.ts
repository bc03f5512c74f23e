import { expect } from '@jest/globals';
import { filter, map, type Observable, ReplaySubject, timer } from 'rxjs';
import { type RunHelpers, TestScheduler } from 'rxjs/testing';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker, type Settlement } from '../../src/testing/recording-acker.js';

export interface Drawing extends RunHelpers {
  readonly acker: RecordingAcker;
  /** A cold row of deliveries, each named by its letter; its value is the letter, or what `values` has for it. */
  deliveries<T = string>(row: string, values?: Readonly<Record<string, T>>, error?: unknown): Observable<Delivery<T>>;
  /** The rows of what was settled: the letters of the deliveries. */
  readonly acks$: Observable<string>;
  readonly nacks$: Observable<string>;
  readonly releases$: Observable<string>;
}

/** Draws deliveries, results and settlements as marble rows and holds them to what is expected. */
export function drawn(draw: (drawing: Drawing) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run((helpers) => {
    const settled$ = new ReplaySubject<Settlement>();
    const acker = new RecordingAcker('test:stream', (settlement) => settled$.next(settlement));
    const row = (verb: string) =>
      settled$.pipe(
        filter((line) => line.startsWith(verb)),
        map((line) => line.slice(verb.length)),
      );
    draw({
      ...helpers,
      acker,
      deliveries: <T>(marbles: string, values?: Readonly<Record<string, T>>, error?: unknown) =>
        helpers
          .cold(marbles, undefined, error)
          .pipe(map((letter) => acker.deliver((values === undefined ? letter : values[letter]) as T, {}, letter))),
      acks$: row('ack '),
      nacks$: row('nack '),
      releases$: row('release '),
    });
  });
}

export const shown = map(<T>(delivery: Delivery<T>): T => delivery.value);

/** A taker that acks each delivery so much later, and shows its value. */
export function ackedAfter<T>(ms: number | ((value: T) => number)) {
  return (source: Observable<Delivery<T>>): Observable<T> =>
    source.pipe(
      map((delivery) => {
        timer(typeof ms === 'number' ? ms : ms(delivery.value)).subscribe(() => delivery.ack());
        return delivery.value;
      }),
    );
}

/** A taker that acks at once, and shows the value. */
export function acked<T>(source: Observable<Delivery<T>>): Observable<T> {
  return source.pipe(
    map((delivery) => {
      delivery.ack();
      return delivery.value;
    }),
  );
}

/** A taker that collects what comes and settles nothing. */
export function taken<R>(source: Observable<R>) {
  const out = { values: [] as R[], ended: '' as '' | 'complete' | 'error', error: undefined as unknown };
  const subscription = source.subscribe({
    next: (value) => {
      out.values.push(value);
    },
    error: (error: unknown) => {
      out.ended = 'error';
      out.error = error;
    },
    complete: () => {
      out.ended = 'complete';
    },
  });
  return Object.assign(out, { unsubscribe: () => subscription.unsubscribe() });
}

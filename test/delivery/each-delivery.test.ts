import { describe, expect, it } from '@jest/globals';
import { map, Observable, of, Subject, take } from 'rxjs';
import { eachDelivery } from '../../src/delivery/each-delivery.js';

function events<T>(stream$: Observable<T>): unknown[] {
  const seen: unknown[] = [];
  stream$.subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(`error ${String(error)}`),
    complete: () => seen.push('complete'),
  });
  return seen;
}

describe('eachDelivery', () => {
  it('gives what is answered, nothing for undefined, and the end', () => {
    const doubled = eachDelivery((value: number) => (value === 2 ? undefined : value * 2));
    expect(events(of(0, 1, 2, 3).pipe(doubled))).toEqual([0, 2, 6, 'complete']);
  });

  it('ends with what it throws, or what is thrown behind it, and leaves its source', () => {
    for (const operators of [
      [eachDelivery(fail), map((value: number) => value)],
      [eachDelivery((value: number) => value), eachDelivery(fail)],
    ] as const) {
      const source$ = new Subject<number>();
      const seen = events(source$.pipe(operators[0], operators[1]));
      source$.next(1);
      source$.next(2);
      expect([seen, source$.observed]).toEqual([[1, 'error two'], false]);
    }
  });

  it('passes an error on, and unsubscribing up', () => {
    const source$ = new Subject<number>();
    const through$ = source$.pipe(eachDelivery((value: number) => value));
    const seen = events(through$);
    const other = through$.subscribe();
    other.unsubscribe();
    source$.next(1);
    source$.error('gone');
    expect(seen).toEqual([1, 'error gone']);
    const endless$ = new Observable<number>((subscriber) => {
      for (let value = 0; !subscriber.closed; value += 1) subscriber.next(value);
    });
    expect(
      events(
        endless$.pipe(
          eachDelivery((value: number) => value),
          take(3),
        ),
      ),
    ).toEqual([0, 1, 2, 'complete']);
  });
});

function fail(value: number): number {
  if (value === 2) throw 'two';
  return value;
}

import { describe, expect, it } from '@jest/globals';
import { map, merge, NEVER, of, Subject, takeUntil } from 'rxjs';
import { Source } from '../../src/delivery/source.js';

/** Emits a letter, then drains at the signal; writes down what is done to it. */
function sourceOf(calls: string[]) {
  return new Source<string>((subscriber, stop$) => {
    calls.push('connect');
    subscriber.add(() => calls.push('close'));
    return merge(of('a'), NEVER).pipe(takeUntil(stop$)).subscribe(subscriber);
  });
}

describe('Source', () => {
  it('is cold: each subscription is a connection, closed by unsubscribing', () => {
    const calls: string[] = [];
    const source = sourceOf(calls);
    expect(calls).toEqual([]);
    const [one, other] = [source.subscribe(), source.subscribe()];
    one.unsubscribe();
    expect(calls).toEqual(['connect', 'connect', 'close']);
    other.unsubscribe();
    expect(calls.length).toBe(4);
  });

  it('is drained by any of the signals it was given, however they are nested, each subscription by itself', () => {
    for (const which of [0, 1, 2]) {
      const signals = [new Subject<void>(), new Subject<void>(), new Subject<void>()] as const;
      const calls: string[] = [];
      const drained = sourceOf(calls).drainedBy(signals[0]).drainedBy(signals[1]).drainedBy(signals[2]);
      expect(drained).toBeInstanceOf(Source);
      expect([calls, signals.some((signal) => signal.observed)]).toEqual([[], false]);
      const ends: string[] = [];
      drained.subscribe({ complete: () => ends.push('complete') });
      signals[which]?.next();
      expect(ends).toEqual(['complete']);
      expect([calls, signals.some((signal) => signal.observed)]).toEqual([['connect', 'close'], false]);
    }
  });

  it('without a signal never drains', () => {
    const seen: string[] = [];
    const subscription = sourceOf([]).subscribe({ next: (value) => seen.push(value), complete: () => seen.push('|') });
    expect(seen).toEqual(['a']);
    subscription.unsubscribe();
  });

  it('leaves operators behind it plain Observables, which cannot be drained', () => {
    expect(sourceOf([]).pipe(map((value) => value))).not.toBeInstanceOf(Source);
  });
});

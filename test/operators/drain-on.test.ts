import { describe, expect, it } from '@jest/globals';
import { filter, map, merge, NEVER, type Observable, of, Subject, take, takeUntil, timer } from 'rxjs';
import { drainOn } from '../../operators/drain-on.js';
import { mapValue } from '../../operators/map-value.js';
import { retryConnect } from '../../operators/retry-connect.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { Source } from '../../src/delivery/source.js';
import { itKeepsTheEnds, itSettlesOnce } from '../support/operator-laws.js';
import { ackedAfter, type Drawing, drawn, taken } from './marbles.js';

const undrainable = <T>(source: Observable<T>) => new Source<T>((subscriber) => source.subscribe(subscriber));

/** A source as every one must be: at the stop signal it takes no more, awaits the settling, commits for 2 ms, completes. */
function drainable({ deliveries, acker }: Drawing, row: string) {
  return new Source<Delivery<string>>((subscriber, stop$) => {
    const done$ = new Subject<void>();
    const check = () => acker.unsettled.length === 0 && done$.next();
    const drain$ = stop$.pipe(take(1));
    drain$.subscribe(() => {
      timer(0, 1).pipe(takeUntil(done$)).subscribe(check);
    });
    done$.subscribe(() => timer(2).subscribe(() => subscriber.complete()));
    return merge(deliveries(row), NEVER)
      .pipe(takeUntil(drain$))
      .subscribe((delivery) => subscriber.next(delivery));
  });
}

describe('drainOn', () => {
  it('is as drawn', () =>
    drawn((drawing) => {
      const { hot, acks$, expectObservable } = drawing;
      const source = '-a-b-c-d-e-';
      const stop = '  ----s';
      const result = '-a-b---------|';
      const acks = '  ----a------b';
      const taker = (stop$: Observable<string>) =>
        drainable(drawing, source).pipe(
          drainOn(stop$),
          map((delivery) => {
            timer(delivery.value === 'a' ? 3 : 8).subscribe(() => delivery.ack());
            return delivery.value;
          }),
        );
      expectObservable(taker(hot(stop))).toBe(result);
      expectObservable(acks$).toBe(acks);
    }));

  itKeepsTheEnds((source) => undrainable(source).pipe(drainOn(NEVER)));

  it('does nothing until the signal, and abandons at once when it is unsubscribed', () =>
    drawn((drawing) => {
      const result$ = drainable(drawing, '-a-b-c').pipe(drainOn(drawing.hot('----------s')), ackedAfter(1));
      drawing.expectObservable(result$, '----!').toBe('-a-b-');
    }));

  it('takes several signals, the first of which counts, also through retryConnect', () =>
    drawn((drawing) => {
      const { hot, expectObservable } = drawing;
      const result$ = drainable(drawing, '-a-b-c').pipe(
        drainOn(hot('------s')),
        retryConnect(),
        drainOn(hot('--s')),
        ackedAfter(0),
      );
      expectObservable(result$).toBe('-a--|');
    }));

  it('takes a promise', async () => {
    const out = taken(
      new Source<string>((subscriber, stop$) => stop$.subscribe(() => subscriber.complete())).pipe(
        drainOn(Promise.resolve('stop')),
      ),
    );
    expect(out.ended).toBe('');
    await Promise.resolve();
    await Promise.resolve();
    expect(out.ended).toBe('complete');
  });

  it('throws behind what cannot be drained, and says where to go', () => {
    const behind = [
      () => NEVER.pipe(drainOn(NEVER)),
      () => undrainable(NEVER).pipe(filter(Boolean), drainOn(NEVER)),
      () =>
        undrainable(NEVER as Observable<Delivery<string>>).pipe(
          mapValue((value) => value),
          drainOn(NEVER),
        ),
    ];
    for (const call of behind) {
      expect(call).toThrow(OptionError);
      expect(call).toThrow(/Expected `drainOn` to directly follow a source.*Move it up in the pipe/);
    }
  });

  it('rejects a signal that is none, at the call', () => {
    const call = () => drainOn(42 as never);
    expect(call).toThrow('Expected `stop` to be an Observable or a promise, got `42` (number).');
    expect(call).toThrow(OptionError);
    expect(() => drainOn(undefined as never)).toThrow('got `undefined` (undefined).');
    expect(() => drainOn(of(1))).not.toThrow();
  });

  itSettlesOnce(() => (source) => undrainable(source).pipe(drainOn(NEVER)));
});

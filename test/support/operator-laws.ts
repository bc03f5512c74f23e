import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { merge, NEVER, Observable, type OperatorFunction, of, Subject, take, takeUntil } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from './virtual-time.js';

type How = 'ack' | 'nack';

/** What a law lends the callbacks of the operator it tries. */
export interface LawHost {
  /** Called by a callback whose operator will settle the value itself (a number, or a batch of them). */
  willSettle(value: unknown, how: How): void;
  /** A write for `transmit`: takes its time, and fails where the plan says so. */
  write(value: unknown): Observable<string>;
}

export type LawSubject = (host: LawHost) => OperatorFunction<Delivery<number>, unknown>;

export interface Plan {
  /** One delivery each: the last digit of its value, its size, the wait before it. */
  readonly values: readonly { readonly digit: number; readonly gap: number }[];
  /** What the taker does with the nth output. */
  readonly settlings: readonly { readonly how: How; readonly after: number; readonly isReleasedFirst: boolean }[];
  readonly flushListeners: readonly { readonly signal: 'release' | 'settle'; readonly at: number }[];
  readonly end: 'complete' | 'error' | 'unsubscribe' | 'leave inside the nth output';
  readonly endAfter: number;
}

const gap = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
);

export const plan: fc.Arbitrary<Plan> = fc.record({
  values: fc.array(fc.record({ digit: fc.integer({ min: 0, max: 9 }), gap }), { maxLength: 30 }),
  settlings: fc.array(
    fc.record({ how: fc.constantFrom<How>('ack', 'ack', 'nack'), after: gap, isReleasedFirst: fc.boolean() }),
    { minLength: 1, maxLength: 30 },
  ),
  flushListeners: fc.array(
    fc.record({ signal: fc.constantFrom('release', 'settle'), at: fc.integer({ min: 0, max: 60 }) }),
    {
      maxLength: 4,
    },
  ),
  end: fc.constantFrom('complete', 'error', 'unsubscribe', 'leave inside the nth output'),
  endAfter: fc.integer({ min: 0, max: 10 }),
});

/** What became of each delivery, and what had to, by name. */
export function tryPlan(subject: LawSubject, { values, settlings, flushListeners, end, endAfter }: Plan) {
  const acker = new RecordingAcker();
  const expected: Record<string, How> = {};
  const sent: number[] = [];
  let ended = '';
  const will = (value: unknown, how: How) => {
    for (const one of [value].flat(9)) expected[String(one)] ??= how;
  };

  inVirtualTime((at) => {
    let taken = 0;
    const next = () => settlings[taken++ % settlings.length] as Plan['settlings'][number];
    const host: LawHost = {
      willSettle: will,
      write: (value) =>
        new Observable((writing) => {
          const { how, after } = next();
          const finish = () => {
            if (how === 'ack') writing.next('written');
            if (writing.closed) return;
            will(value, how);
            if (how === 'ack') writing.complete();
            else writing.error(new Error('disk on fire'));
          };
          if (after === 0) return finish();
          return at(after, finish);
        }),
    };
    const source = new Observable<Delivery<number>>((subscriber) => {
      const send = (index: number): void => {
        for (let nth = index; nth < values.length; nth += 1) {
          const { digit, gap: wait } = values[nth] as Plan['values'][number];
          if (wait > 0 && nth > index) {
            subscriber.add(at(wait, () => send(nth)));
            return;
          }
          if (subscriber.closed) return;
          const value = nth * 10 + digit;
          sent.push(value);
          subscriber.next(acker.deliver(value, { byteLength: digit + 1 }));
        }
        if (end === 'complete') subscriber.complete();
        if (end === 'error') subscriber.error(new Error('source broke'));
      };
      send(0);
    });

    let outputs = 0;
    const leave$ = new Subject<void>();
    source.pipe(subject(host), takeUntil(leave$)).subscribe({
      next(output) {
        outputs += 1;
        if (output instanceof Delivery) {
          const { how, after, isReleasedFirst } = next();
          const settle = () => {
            will(output.value, how);
            if (isReleasedFirst) output.release();
            if (how === 'ack') output.ack();
            else output.nack(new Error('refused by the taker'));
          };
          if (after === 0) settle();
          else at(after, settle);
        }
        if (end === 'leave inside the nth output' && outputs > endAfter) leave$.next();
      },
      error: () => {
        ended = 'error';
      },
      complete: () => {
        ended = 'complete';
      },
    });
    for (const { signal, at: when } of flushListeners) at(when, () => acker.flush$.next(signal));
    if (end === 'unsubscribe') at(endAfter * 3, () => leave$.next());
    if (end === 'leave inside the nth output') at(1_000, () => leave$.next());
  });
  const forgotten = sent.filter((value) => !(String(value) in expected));
  for (const value of sent) expected[String(value)] ??= 'nack';
  const actual: Record<string, string> = {};
  for (const line of acker.log) {
    const [verb, name] = line.split(' ') as [string, string];
    if (verb !== 'release') actual[name] = name in actual ? `${actual[name]}, then ${verb}` : verb;
  }
  return { actual, expected, ended, forgotten: end === 'complete' ? forgotten : [] };
}

/**
 * The law of every operator: what it takes is settled exactly once, as its taker settles it or as its callback made it,
 * and nacked where the flow ended before anyone could, whatever the times, the order and the way it ends.
 */
export function itSettlesOnce(subject: LawSubject, numRuns = 150): void {
  it('settles each delivery once, however it is settled, and leaves none behind', () => {
    fc.assert(
      fc.property(plan, (one) => {
        const { actual, expected, ended, forgotten } = tryPlan(subject, one);
        expect({ actual, ended, forgotten }).toEqual({
          actual: expected,
          ended: one.end === 'error' ? expect.stringMatching(/error|complete/) : 'complete',
          forgotten: [],
        });
      }),
      { numRuns },
    );
  });
}

/** The ends that every operator passes on: of an empty source, one that never emits, one that fails, and a taker that leaves. */
export function itKeepsTheEnds<T, R>(through: (source: Observable<Delivery<T>>) => Observable<R>): void {
  it.each([
    ['empty', '|', '|'],
    ['empty, later', '--|', '--|'],
    ['never', '-', '-'],
    ['failing', '--#', '--#'],
  ])('passes on the end of a source that is %s', (_, source, result) => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(({ cold, expectObservable }) => {
      expectObservable(through(cold<Delivery<T>>(source))).toBe(result);
    });
  });

  it('unsubscribes from the source when it is unsubscribed', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run((helpers) => {
      const source = helpers.cold<Delivery<T>>('-');
      helpers.expectObservable(through(source), '---!').toBe('-');
      helpers.expectSubscriptions(source.subscriptions).toBe(['^--!']);
    });
  });
}

/** An operator that puts an acker of its own before the source's passes on what that says of itself, and what is held. */
export function itPassesOnTheAcker(through: (source: Observable<Delivery<string>>) => Observable<unknown>): void {
  it.each([true, false, undefined])(
    'passes on what the acker says of itself, and what is held; mixed: %s',
    (isMixed) => {
      const held: (readonly [number, number])[] = [];
      const resumeTracker = {};
      const acker = Object.assign(new RecordingAcker(), {
        isMixed,
        resumeTracker,
        hold: (first: number, next: number) => held.push([first, next]),
      });
      acker.deliver('before');
      const out: Delivery<unknown>[] = [];
      const running = merge(of(acker.deliver('a')), NEVER)
        .pipe(through)
        .subscribe((delivery) => out.push(delivery as Delivery<unknown>));
      const [only] = out as [Delivery<unknown>];
      only.acker.hold(only.seq, only.seq + 1);
      only.release();
      expect([only.acker.isMixed === true, only.acker.flush$, only.acker.resumeTracker]).toEqual([
        isMixed === true,
        acker.flush$,
        resumeTracker,
      ]);
      expect([held, acker.log]).toEqual([[[1, 2]], ['release a']]);
      running.unsubscribe();
    },
  );
}

/** An endless source that emits within its subscribing is left when the taker leaves, and settled. */
export function itLeavesAnEndlessSource(through: (source: Observable<Delivery<number>>) => Observable<unknown>): void {
  it('leaves an endless source that emits within the subscribing when its taker leaves', () => {
    const acker = new RecordingAcker();
    let sent = 0;
    const endless = new Observable<Delivery<number>>((subscriber) => {
      for (; sent < 10_000 && !subscriber.closed; sent += 1) subscriber.next(acker.deliver(sent));
    });
    endless.pipe(through, take(1)).subscribe();
    expect(sent).toBeLessThan(100);
    expect(acker.unsettled.length).toBeLessThanOrEqual(10);
  });
}

import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { ignoreElements, map, merge, NEVER, of, Subject, takeUntil, tap, throwError } from 'rxjs';
import { decode, drainOn, filterValue, mapValue, mergeSources, retryConnect, transmit } from '../../operators/index.js';
import { ConnectError, OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import type { SinkTraits, SourceTraits } from '../../src/delivery/traits.js';
import { Flow, flow, isFlow } from '../../src/flow/flow.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** Emits each value, then waits to be drained. */
function sourceOf<T>(...values: T[]) {
  const acker = new RecordingAcker();
  const source = new Source<Delivery<T>>((subscriber, stop$) =>
    merge(of(...values).pipe(map((value) => acker.deliver(value))), NEVER)
      .pipe(takeUntil(stop$))
      .subscribe(subscriber),
  );
  return { acker, source };
}

/** A sink that acks each value and gives a receipt for it. */
function sink<T>(stored: T[] = []): Sink<T> {
  return (deliveries) =>
    deliveries.pipe(
      map((delivery) => {
        stored.push(delivery.value);
        delivery.ack();
        return { sink: 'test', target: String(delivery.value) } as Receipt;
      }),
    );
}

describe('flow', () => {
  it('is a cold Observable of receipts, by its name: source, operators in their order, sink', () => {
    const { source, acker } = sourceOf(1, 2, 3);
    const stored: string[] = [];
    const numbers = flow(
      'numbers-2',
      source,
      filterValue((value: number) => value !== 2),
      mapValue((value) => value * 10),
      mapValue((value) => `n${value}`),
      sink(stored),
    );
    expect(numbers).toBeInstanceOf(Flow);
    expect([numbers.name, acker.log]).toEqual(['numbers-2', []]);
    const receipts: string[] = [];
    const subscription = numbers.subscribe(({ target }) => receipts.push(target));
    expect([stored, receipts, acker.acks]).toEqual([
      ['n10', 'n30'],
      ['n10', 'n30'],
      ['1', '2', '3'],
    ]);
    subscription.unsubscribe();
  });

  it('drains through all of it, given the signal from behind, or before the operators', () => {
    for (const where of ['behind', 'before', 'both']) {
      const stop$ = new Subject<void>();
      const { source } = sourceOf('a');
      const before = where === 'behind' ? source : source.pipe(drainOn(stop$));
      const whole = flow('drained', before, sink<string>());
      let isComplete = false;
      (where === 'before' ? whole : whole.pipe(drainOn(stop$))).subscribe({
        complete: () => {
          isComplete = true;
        },
      });
      expect([where, isComplete, stop$.observed]).toEqual([where, false, true]);
      stop$.next();
      expect([where, isComplete, stop$.observed]).toEqual([where, true, false]);
    }
  });

  it('drains under retryConnect, and is itself retried by one behind it', () =>
    inVirtualTime((at) => {
      let connects = 0;
      const source = new Source<Delivery<string>>((subscriber, stop$) => {
        connects += 1;
        if (connects < 3) return subscriber.error(new ConnectError('RXF_KAFKA_LOST', 'gone'));
        return stop$.subscribe(() => subscriber.complete());
      });
      const stop$ = new Subject<void>();
      const wait = { firstDelayMs: 10, jitter: 0 };
      let isComplete = false;
      flow('again', source.pipe(retryConnect({ ...wait, maxAttempts: 1 })), sink<string>())
        .pipe(retryConnect(wait), drainOn(stop$))
        .subscribe({
          complete: () => {
            isComplete = true;
          },
        });
      at(25, () => {
        expect(connects).toBe(3);
        stop$.next();
        expect(isComplete).toBe(true);
      });
    }));

  it('fails with what its parts fail with, also where a step throws when it is applied', () => {
    const errors: unknown[] = [];
    const run = (...steps: Sink<string>[]) =>
      flow('failing', sourceOf('a').source, steps[0] as Sink<string>).subscribe({
        error: (error: unknown) => errors.push(error),
      });
    run(() => throwError(() => 'from the sink'));
    run(() => {
      throw 'at the call';
    });
    expect(errors).toEqual(['from the sink', 'at the call']);
  });

  it('abandons at once when it is unsubscribed', () => {
    let isClosed = false;
    const source = new Source<Delivery<string>>(() => () => {
      isClosed = true;
    });
    flow('left', source, sink<string>()).subscribe().unsubscribe();
    expect(isClosed).toBe(true);
  });

  it('has types that flow as those of pipe: each step takes what the one before gives', () => {
    const { source } = sourceOf<Buffer | null>(null);
    const texts: Sink<string> = sink();
    const lengths: Sink<number> = sink();
    const read = decode((value: Buffer | null) => String(value));
    const made = [
      flow('right', source, read, texts),
      flow(
        'right',
        source,
        read,
        filterValue((value) => value.startsWith('a')),
        mapValue((value) => value.length),
        lengths,
      ),
      flow(
        'right',
        source,
        filterValue((value) => value !== null),
        mapValue((value) => value.length),
        lengths,
      ),
      // @ts-expect-error the sink takes texts, the source gives bytes
      flow('wrong', source, texts),
      // @ts-expect-error the sink takes numbers, the step gives texts
      flow('wrong', source, read, lengths),
      flow(
        'wrong',
        source,
        read,
        // @ts-expect-error texts have no such method
        mapValue((value) => value.toFixed()),
        lengths,
      ),
      // @ts-expect-error a value is not a delivery
      flow('wrong', source, map(String), texts),
    ];
    expect(made.every(isFlow)).toBe(true);
    // @ts-expect-error a sink is missing
    expect(() => flow('wrong', source)).toThrow();
    // @ts-expect-error no source of deliveries
    expect(() => flow('wrong', of(1), lengths)).toThrow();
  });

  it('takes nine operators', () => {
    const one = mapValue((value: number) => value + 1);
    const { source } = sourceOf(0);
    const stored: number[] = [];
    flow('long', source, one, one, one, one, one, one, one, one, one, sink(stored)).subscribe().unsubscribe();
    expect(stored).toEqual([9]);
  });

  it('takes twenty operators, and may end in transmit, whose answers it emits', () => {
    const one = mapValue((value: number) => value + 1);
    const { source, acker } = sourceOf(0, 100);
    const ten = [one, one, one, one, one, one, one, one, one, one] as const;
    const answers: string[] = [];
    const whole: Flow<string> = flow(
      'long',
      source,
      ...ten,
      ...ten,
      transmit((value: number) => of(`n${value}`)),
    );
    whole.subscribe((answer) => answers.push(answer)).unsubscribe();
    expect([answers, acker.acks]).toEqual([
      ['n20', 'n120'],
      ['0', '100'],
    ]);
  });

  it.each([['Chat'], [''], ['-a'], ['a b'], ['a/b'], ['ü'], ['x'.repeat(101)], [undefined], [5]])(
    'rejects the name %j',
    (name) => {
      const call = () => flow(name as string, sourceOf(1).source, sink<number>());
      expect(call).toThrow(OptionError);
      expect(call).toThrow("Expected the flow's name to be lower-case letters, digits and `-`, got ");
      expect(call).toThrow(expect.objectContaining({ code: 'RXF_FLOW_INVALID' }));
    },
  );

  it('rejects a source that cannot be drained, and says where operators go', () => {
    const { source } = sourceOf(1);
    const behind = source.pipe(tap(() => undefined));
    for (const wrong of [behind, of(1), undefined, {}, source.pipe(ignoreElements())]) {
      const call = () => flow('lake', wrong as typeof source, sink<number>());
      expect(call).toThrow(
        /Expected the source of flow `lake` to be a source such as kafkaSource.*, got `(Object|undefined)`/,
      );
      expect(call).toThrow('Give operators as further arguments of flow.');
    }
  });

  describe('from and to the same', () => {
    const location = (name: string) => ({ kind: 'queue', addresses: ['mq1'], names: [name] });
    const reading = (name: string) =>
      new Source<Delivery<number>>(() => undefined, { name: 's', isReplayable: true, reads: [location(name)] });
    const to = (name: string) => Object.assign(sink<number>(), { writes: [location(name)] });

    it('rejects a sink that writes to what the source reads from, also behind retryConnect and mergeSources', () => {
      const loop = expect.objectContaining({
        code: 'RXF_FLOW_LOOP',
        message:
          'Flow `loop` reads from queue `a` at mq1 and writes to it: each value would be redelivered forever. ' +
          'Write to another, or read from another.',
      });
      expect(() => flow('loop', reading('a'), to('a'))).toThrow(loop);
      expect(() => flow('loop', reading('a').pipe(retryConnect()), to('a'))).toThrow(loop);
      expect(() => flow('loop', mergeSources([reading('b'), reading('a')]), to('a'))).toThrow(loop);
      expect(flow('other', reading('a'), to('b')).name).toBe('other');
    });

    it('tells a sink that finds the target by the value what to reject', () => {
      const reported: unknown[] = [];
      const avoided: number[] = [];
      const avoiding = (locations: readonly unknown[]) => {
        reported.push(...locations);
        return sink<number>(avoided);
      };
      const { source } = sourceOf(1, 2);
      const traits = { name: 's', isReplayable: true, reads: [location('a')] };
      const known = new Source<Delivery<number>>(
        (subscriber, stop$) => source.drainedBy(stop$).subscribe(subscriber),
        traits,
      );
      flow('some', known, Object.assign(sink<number>(), { avoiding })).subscribe().unsubscribe();
      expect([reported, avoided]).toEqual([[location('a')], [1, 2]]);
    });
  });

  it('has the warnings that its source and its sink give about each other, each once', () => {
    const warnOf = (what: string) => ({
      name: what,
      isReplayable: false,
      warningsFor: ({ kind }: SinkTraits) => [`${what} before ${kind}`],
    });
    const sourceWith = (what: string) => new Source<Delivery<number>>(() => undefined, warnOf(what));
    const files = Object.assign(sink<number>(), {
      kind: 'files',
      warningsFor: (traits: SourceTraits | undefined) => [`files behind ${traits?.name}`],
    });
    expect(flow('quiet', sourceOf(1).source, sink<number>()).warnings).toEqual([]);
    expect(flow('one', sourceWith('q'), files).warnings).toEqual(['q before files', 'files behind q']);
    expect(flow('one', sourceWith('q').pipe(retryConnect()), files).watched().warnings).toEqual([
      'q before files',
      'files behind q',
    ]);
    const merged = mergeSources([sourceWith('q'), sourceWith('q'), sourceWith('p')]);
    expect(flow('merged', merged, sink<number>()).warnings).toEqual(['q before undefined', 'p before undefined']);
  });

  it('rejects steps that are no functions, and a missing sink, each by its position', () => {
    const loose = flow as unknown as (...all: unknown[]) => Flow;
    const { source } = sourceOf(1);
    expect(() => loose('lake', source)).toThrow('Expected flow `lake` to end in a sink such as lake.write(), got none');
    expect(() => loose('lake', source, { write: sink() })).toThrow(
      'Expected sink of flow `lake` to be a function, got `Object`. A file sink is given as sink.write().',
    );
    expect(() => loose('lake', source, null, sink())).toThrow(
      'Expected operator 1 of flow `lake` to be a function, got `null`',
    );
  });
});

describe('isFlow', () => {
  it('knows flows, also those of another copy of the package', () => {
    const foreign = runInNewContext('({ name: "theirs", [Symbol.for("rxflume.flow")]: true })');
    const own = flow('own', sourceOf(1).source, sink<number>());
    expect([own, foreign].map(isFlow)).toEqual([true, true]);
    const others = [null, undefined, 'flow', flow, {}, sourceOf(1).source, own.pipe(drainOn(NEVER))];
    expect(others.map(isFlow)).toEqual(others.map(() => false));
  });
});

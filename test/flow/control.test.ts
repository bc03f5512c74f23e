import { describe, expect, it, jest } from '@jest/globals';
import { map, merge, NEVER, Observable, Subject, type Subscriber, takeUntil } from 'rxjs';
import { mapValue } from '../../operators/index.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import type { Receipt, Sink } from '../../src/delivery/receipt.js';
import { Source } from '../../src/delivery/source.js';
import type { CommittedFile } from '../../src/flow/committed-file.js';
import { Edge } from '../../src/flow/edge.js';
import { flow } from '../../src/flow/flow.js';
import type { FlowControl } from '../../src/flow/flow-control.js';
import { controlOf, runningFlows } from '../../src/flow/running-flows.js';
import { type Tapped, tapped } from '../../src/flow/tap.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

/** A flow whose values the test sends. */
function running<T>(name: string, sink: Sink<T> = acking()) {
  const acker = new RecordingAcker();
  const values$ = new Subject<T>();
  const source = new Source<Delivery<T>>((subscriber, stop$) =>
    merge(values$.pipe(map((value) => acker.deliver(value))), NEVER)
      .pipe(takeUntil(stop$))
      .subscribe(subscriber),
  );
  const whole = flow(
    name,
    source,
    mapValue((value: T) => value),
    sink,
  );
  const ends: string[] = [];
  const subscription = whole.subscribe({
    error: (error: Error) => ends.push(error.message),
    complete: () => ends.push('complete'),
  });
  return { whole, acker, values$, subscription, ends, control: controlOf(name) as FlowControl };
}

function acking<T>(): Sink<T> {
  return (deliveries) =>
    deliveries.pipe(
      map((delivery) => {
        delivery.ack();
        return { sink: 'test', target: String(delivery.value) } as Receipt;
      }),
    );
}

function textsOf(tap: { readonly seen: readonly Tapped[] }): string[] {
  return tap.seen.map(({ text }) => text);
}

/** What a tap has seen. */
function tapOf(control: FlowControl, edge: number, options?: Parameters<FlowControl['tap']>[1]) {
  const seen: Tapped[] = [];
  const subscription = control.tap(edge, options).subscribe((one) => seen.push(one));
  return { seen, subscription };
}

describe('runningFlows', () => {
  it('has each subscription of a flow while it runs, and the newest by its name', () => {
    const first = running('listed');
    const second = running('listed');
    const own = () => runningFlows().filter(({ control }) => control.name === 'listed');
    expect(own().map((one) => one.flow)).toEqual([first.whole, second.whole]);
    expect(controlOf('listed')).toBe(own()[1]?.control);
    second.subscription.unsubscribe();
    expect([own().length, controlOf('listed'), second.control.state]).toEqual([1, first.control, 'abandoned']);
    first.subscription.unsubscribe();
    expect([own(), controlOf('listed')]).toEqual([[], undefined]);
  });

  it('is one for two copies of the package', () => {
    const shared = globalThis as unknown as Record<symbol, Set<unknown> | undefined>;
    const { subscription, control } = running('shared');
    const all = [...(shared[Symbol.for('rxflume.runningFlows')] ?? [])] as { control: unknown }[];
    expect(all.some((one) => one.control === control)).toBe(true);
    subscription.unsubscribe();
  });
});

describe('FlowControl', () => {
  it('drains as a stop signal does, at the call, and answers when the flow has ended', () => {
    const { control, ends, values$ } = running<string>('drained-by-control');
    values$.next('a');
    expect([control.state, control.commands]).toEqual(['running', ['roll', 'drain']]);
    const drained: string[] = [];
    control.drain().subscribe({ complete: () => drained.push('drained') });
    expect([control.state, ends, drained, control.commands]).toEqual(['completed', ['complete'], ['drained'], []]);
    expect(() => control.drain()).toThrow('Cannot drain flow drained-by-control: it is completed.');
  });

  it('says that a source which is none of ours cannot be paused', () => {
    const { control, subscription } = running('not-paused');
    expect(() => control.pause()).toThrow(OptionError);
    expect(() => control.pause()).toThrow('its source cannot be paused');
    expect(() => control.resume()).toThrow('it is running');
    expect(control.locate('kafka:chat/0', 3)).toMatchObject({ state: 'unknown' });
    subscription.unsubscribe();
  });

  it('has the last 100 committed files, newest first, and each new one', () => {
    const receipts$ = new Subject<Receipt>();
    const sink = Object.assign(() => receipts$, { kind: 'files' }) as unknown as Sink<string>;
    const { control, subscription } = running('of-files', sink);
    const came: CommittedFile[] = [];
    const ended: string[] = [];
    control.files$.subscribe({ next: (file) => came.push(file), complete: () => ended.push('files') });
    for (let at = 0; at < 150; at += 1) {
      const at10 = at * 10;
      receipts$.next({
        sink: 'files',
        target: `/f${at}`,
        values: 10,
        bytes: 7,
        stream: 's',
        firstOffset: at10,
        lastOffset: at10 + 9,
      });
    }
    expect([came.length, control.files.length, control.files[0]?.path, control.files[99]?.path]).toEqual([
      150,
      100,
      '/f149',
      '/f50',
    ]);
    const whole = { file: '/f149', state: 'unknown', message: expect.stringContaining('1495 is in /f149.') };
    expect(control.locate('s', 1_495)).toMatchObject(whole);
    // Some of these were dropped or set aside: which, a receipt does not say.
    receipts$.next({
      sink: 'files',
      target: '/g',
      values: 9,
      bytes: 7,
      stream: 's',
      firstOffset: 1_500,
      lastOffset: 1_509,
    });
    const message = expect.stringContaining('is among the offsets of /g, which leaves some out');
    expect(control.locate('s', 1_505)).toMatchObject({ file: '/g', message });
    subscription.unsubscribe();
    expect(ended).toEqual(['files']);
  });
});

describe('Edge', () => {
  it('leaves what leads into a step as it was, once nobody looks', () => {
    const edge = new Edge();
    const intos: Subscriber<unknown>[] = [];
    const input$ = new Observable<unknown>((subscriber) => void intos.push(subscriber));
    const covered = () => intos.map((into) => Object.keys(into).includes('next'));
    const seen: unknown[] = [];
    const first = edge.leadingIn(input$).subscribe();
    const end = edge.look((value) => seen.push(value));
    const second = edge.leadingIn(input$).subscribe();
    const endOther = edge.look(() => undefined);
    expect(covered()).toEqual([true, true]);
    for (const into of intos) into.next('x');
    end();
    expect([covered(), seen]).toEqual([
      [true, true],
      ['x', 'x'],
    ]);
    endOther();
    expect(covered()).toEqual([false, false]);
    first.unsubscribe();
    second.unsubscribe();
  });
});

describe('a tap', () => {
  it('sees what passes its edge from when it is subscribed to until it is left, and changes nothing', () =>
    inVirtualTime(() => {
      const { control, values$, acker, subscription } = running<string>('tapped');
      expect(control.edges).toBe(2);
      values$.next('before');
      const tap = tapOf(control, 1);
      expect([control.isTapped(0), control.isTapped(1)]).toEqual([false, true]);
      values$.next('a');
      values$.next('b');
      tap.subscription.unsubscribe();
      values$.next('after');
      expect(tap.seen.map(({ text, stream, offset }) => [text, stream, offset])).toEqual([
        ['a', 'test:stream', 1],
        ['b', 'test:stream', 2],
      ]);
      expect([acker.acks, control.isTapped(1)]).toEqual([['before', 'a', 'b', 'after'], false]);
      subscription.unsubscribe();
    }));

  it('completes with its flow, at once where that is over', () =>
    inVirtualTime(() => {
      const { control, subscription } = running('tapped-to-the-end');
      const ends: string[] = [];
      control.tap(0).subscribe({ complete: () => ends.push('during') });
      subscription.unsubscribe();
      control.tap(0).subscribe({ complete: () => ends.push('after') });
      expect(ends).toEqual(['during', 'after']);
    }));

  it('never throws into the flow: a value that throws while it is read is shown as that', () =>
    inVirtualTime(() => {
      const { control, values$, acker, ends, subscription } = running<unknown>('tapped-throwing');
      const tap = tapOf(control, 0);
      values$.next({
        toJSON: () => {
          throw new Error('no');
        },
      });
      values$.next({
        get field() {
          throw new Error('neither');
        },
      });
      const cycle: Record<string, unknown> = {};
      cycle.self = cycle;
      values$.next(cycle);
      const [first = '', second = '', third = ''] = textsOf(tap);
      expect([first, second]).toEqual(['[cannot be shown: no]', '[cannot be shown: neither]']);
      expect([third.startsWith('{"self":{"self":'), tap.seen[2]?.isCut]).toEqual([true, true]);
      expect([acker.acks.length, ends]).toEqual([3, []]);
      subscription.unsubscribe();
    }));

  it('copies: what is written into a buffer afterwards is not shown', () =>
    inVirtualTime(() => {
      const { control, values$, subscription } = running<Buffer>('tapped-buffers');
      const tap = tapOf(control, 0);
      const reused = Buffer.from('first');
      values$.next(reused);
      reused.fill('x');
      expect(textsOf(tap)).toEqual(['first']);
      subscription.unsubscribe();
    }));

  it('looks at every so many-th, at 5 in 100 ms, and counts what it has not looked at', () =>
    inVirtualTime((at) => {
      const { control, values$, subscription } = running<number>('tapped-often');
      const all = tapOf(control, 0);
      const third = tapOf(control, 0, { everyN: 3 });
      for (let value = 0; value < 20; value += 1) values$.next(value);
      expect([textsOf(all), textsOf(third)]).toEqual([
        ['0', '1', '2', '3', '4'],
        ['0', '3', '6', '9', '12'],
      ]);
      at(150, () => {
        values$.next(20);
        expect([all.seen.at(-1), third.seen.at(-1)]).toMatchObject([
          { text: '20', unseen: 15 },
          { text: '20', unseen: 7 },
        ]);
        subscription.unsubscribe();
      });
    }));

  it('leaves its edge alone when it has seen enough, also where a step in between is new', () =>
    inVirtualTime((at) => {
      const edge = new Edge();
      const values$ = new Subject<unknown>();
      const taken: unknown[] = [];
      const into = edge.leadingIn(values$);
      const first = into.subscribe((value) => taken.push(value)) as Subscriber<unknown>;
      const isCovered = () => Object.hasOwn(first, 'next');
      let looks = 0;
      const delivery = {
        get value() {
          looks += 1;
          return 'seen';
        },
      };
      const tap = tapped({ edge, received: () => undefined, over$: NEVER }, {}).subscribe();
      for (let nth = 0; nth < 1_000; nth += 1) values$.next(delivery);
      const second = into.subscribe((value) => taken.push(value));
      values$.next(delivery);
      expect([looks, taken.length, edge.isTapped, isCovered()]).toEqual([5, 1_002, true, false]);
      at(1_050, () => {
        for (let nth = 0; nth < 1_000; nth += 1) values$.next(delivery);
        expect([looks, isCovered()]).toEqual([10, false]);
        tap.unsubscribe();
        values$.next(delivery);
        expect([looks, edge.isTapped]).toEqual([10, false]);
        first.unsubscribe();
        second.unsubscribe();
      });
    }));

  it('takes 1 % of the time, together with all other taps of the process, however slow values are shown', () => {
    jest.useFakeTimers();
    const { control, values$, subscription } = running<unknown>('tapped-slowly');
    let spentMs = 0;
    let nowMs = 0;
    const slow = {
      toJSON: () => {
        spentMs += 4;
        nowMs += 4;
        return 'slow';
      },
    };
    const clock = jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
    const taps = [0, 0, 1].map((edge) => tapOf(control, edge));
    for (let turn = 0; turn < 600; turn += 1) {
      for (let value = 0; value < 20; value += 1) values$.next(slow);
      nowMs += 100;
      jest.advanceTimersByTime(100);
    }
    // A minute: 600 ms, and what each began with.
    expect(spentMs).toBeLessThanOrEqual(600 + 3 * 4);
    expect(taps.every(({ seen }) => seen.length > 40)).toBe(true);
    for (const tap of taps) tap.subscription.unsubscribe();
    subscription.unsubscribe();
    clock.mockRestore();
    jest.useRealTimers();
  });

  it('finds a text in what is shown, so not in what is hidden', () =>
    inVirtualTime(() => {
      const { control, values$, subscription } = running<unknown>('tapped-searched');
      const tap = tapOf(control, 0, { contains: 'secret', redact: ['Card'] });
      values$.next({ user: 'a secret', card: 'x' });
      values$.next({ user: 'b', card: 'secret' });
      values$.next(
        Buffer.from('{"card" : "secret","by":[{"CARD":{"no":"}secret"}},"secret"], "id":12345678901234567890}'),
      );
      values$.next(Buffer.from('no JSON, and secret'));
      expect(textsOf(tap)).toEqual([
        '{"user":"a secret","card":"[redacted]"}',
        '{"card" : "[redacted]","by":[{"CARD":"[redacted]"},"secret"], "id":12345678901234567890}',
      ]);
      expect(tap.seen.every(({ isRedacted }) => isRedacted)).toBe(true);
      subscription.unsubscribe();
    }));

  it('shows 64 KiB of a value at most, and what is no text in hexadecimal', () =>
    inVirtualTime(() => {
      const { control, values$, subscription } = running<unknown>('tapped-large');
      const tap = tapOf(control, 0);
      values$.next('ä'.repeat(100_000));
      values$.next(Buffer.from('ä'.repeat(100_000)));
      values$.next({ of: Array.from({ length: 100_000 }, (_, at) => at) });
      values$.next(Buffer.from([0xff, 0xfe, 0x00]));
      values$.next(
        new Map<string, unknown>([
          ['big', 12345678901234567890n],
          ['set', new Set([1, undefined])],
          ['at', new Date(0)],
        ]),
      );
      const sizes = tap.seen.map(({ text, isCut }) => [Buffer.byteLength(text) <= 65_536, isCut]);
      expect(sizes).toEqual([
        [true, true],
        [true, true],
        [true, true],
        [true, false],
        [true, false],
      ]);
      expect(textsOf(tap).slice(3)).toEqual([
        '0xfffe00',
        '{"big":12345678901234567890,"set":[1,undefined],"at":"1970-01-01T00:00:00.000Z"}',
      ]);
      subscription.unsubscribe();
    }));

  it('checks its options, and the number of its edge', () =>
    inVirtualTime(() => {
      const { control, subscription } = running('tap-options');
      expect(() => control.tap(2)).toThrow('Expected `edge` to be a whole number from 0 to 1');
      expect(() => control.tap(0, { everyN: 0 })).toThrow('`everyN`');
      expect(() => control.tap(0, { redact: 'a' as never })).toThrow('`redact`');
      expect(() => control.tap(0, { contains: 1 as never })).toThrow('`contains`');
      subscription.unsubscribe();
    }));
});

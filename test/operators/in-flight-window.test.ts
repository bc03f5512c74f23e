import { describe, expect, it } from '@jest/globals';
import { concat, map, NEVER, of, Subject, throwError } from 'rxjs';
import { type InFlightWindowOptions, inFlightWindow } from '../../operators/in-flight-window.js';
import { transmit } from '../../operators/transmit.js';
import { OptionError } from '../../src/core/errors.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import {
  itKeepsTheEnds,
  itLeavesAnEndlessSource,
  itPassesOnTheAcker,
  itSettlesOnce,
} from '../support/operator-laws.js';
import { acked, drawn, taken } from './marbles.js';

/** Feeds deliveries of so many bytes by hand. */
function fed(options: InFlightWindowOptions, ...sizes: number[]) {
  const source$ = new Subject<Delivery<number>>();
  const acker = new RecordingAcker();
  const out = taken(source$.pipe(inFlightWindow(options)));
  const feed = (...bytes: number[]) => {
    for (const byteLength of bytes) source$.next(acker.deliver(byteLength, { byteLength }, `${byteLength}`));
  };
  feed(...sizes);
  return { source$, acker, out, feed, passed: () => out.values.map(({ value }) => value) };
}

describe('inFlightWindow', () => {
  it('is as drawn', () =>
    drawn(({ cold, deliveries, releases$, expectObservable }) => {
      const values = '   -abc-------|';
      const result = '   -ab-c------|';
      const releases = ' ----a-b------';
      const held: Record<string, Delivery<string>> = {};
      const result$ = deliveries(values).pipe(
        inFlightWindow({ count: 2 }),
        map((delivery) => {
          held[delivery.value] = delivery;
          return delivery.value;
        }),
      );
      cold(releases).subscribe((name) => held[name]?.release());
      expectObservable(result$).toBe(result);
      expectObservable(releases$).toBe(releases);
    }));

  itKeepsTheEnds(inFlightWindow({ count: 1 }));

  it('counts bytes: full at the limit, and a larger delivery passes alone', () => {
    const { passed, out } = fed({ bytes: 10 }, 4, 6, 50, 1, 2);
    expect(passed()).toEqual([4, 6]);
    out.values[0]?.release();
    expect(passed()).toEqual([4, 6, 50]);
    out.values[1]?.release();
    expect(passed()).toEqual([4, 6, 50]);
    out.values[2]?.release();
    expect(passed()).toEqual([4, 6, 50, 1, 2]);
  });

  it('is full by whichever limit comes first', () => {
    expect(fed({ bytes: 10, count: 3 }, 1, 1, 1, 1).passed()).toEqual([1, 1, 1]);
    expect(fed({ bytes: 10, count: 3 }, 9, 1, 1, 1).passed()).toEqual([9, 1]);
  });

  it('is freed by the first of release, ack and nack of a delivery, and by each only once', () => {
    const { passed, out, acker } = fed({ count: 2 }, 1, 2, 3, 4, 5, 6, 7, 8);
    const [first, second, third] = [() => out.values[0], () => out.values[1], () => out.values[2]];
    first()?.release();
    first()?.ack();
    first()?.nack('late');
    expect(passed()).toEqual([1, 2, 3]);
    second()?.nack('refused');
    second()?.release();
    third()?.ack();
    third()?.ack();
    expect(passed()).toEqual([1, 2, 3, 4, 5]);
    expect(acker.log).toEqual(['release 1', 'ack 1', 'nack 2', 'ack 3']);
  });

  it('frees runs of sequence numbers that a holder settles at once, also such as it never saw', () => {
    const { passed, out, acker } = fed({ count: 3 }, 1, 2, 3, 4, 5);
    const window = out.values[0]?.acker;
    expect(window?.flush$).toBe(acker.flush$);
    expect(out.values.every((delivery) => delivery.acker === window)).toBe(true);
    window?.ack(0, 4);
    expect(passed()).toEqual([1, 2, 3, 4, 5]);
  });

  it('never waits for itself when each delivery is released inside its own emission', () => {
    const acker = new RecordingAcker();
    const values = Array.from({ length: 5_000 }, (_, n) => n);
    const out = taken(of(...values.map((n) => acker.deliver(n))).pipe(inFlightWindow({ count: 1 }), acked));
    expect([out.values, out.ended]).toEqual([values, 'complete']);
  });

  it('keeps the order when a release inside an emission lets more through', () => {
    const { passed, out, source$ } = fed({ count: 1 }, 1, 2, 3, 4);
    source$.subscribe();
    const [first] = out.values;
    first?.acker.release(0, 4);
    expect(passed()).toEqual([1, 2]);
    out.values[1]?.release();
    expect(passed()).toEqual([1, 2, 3]);
  });

  it('completes when nothing waits any more', () => {
    const { out, source$ } = fed({ count: 1 }, 1, 2);
    source$.complete();
    expect(out.ended).toBe('');
    out.values[0]?.ack();
    expect([out.values.length, out.ended]).toEqual([2, 'complete']);
  });

  it('goes on after a long queue was worked off', () => {
    const { passed, out, feed } = fed({ count: 1 });
    const sizes = Array.from({ length: 3_000 }, (_, n) => n + 1);
    feed(...sizes);
    for (let at = 0; at < 2_000; at += 1) out.values[at]?.ack();
    feed(7);
    for (let at = 2_000; at < 3_001; at += 1) out.values[at]?.ack();
    expect(passed()).toEqual([...sizes, 7]);
  });

  it('nacks what waits, and only that, when it is unsubscribed and when the source fails', () => {
    const left = fed({ count: 1 }, 1, 2, 3);
    left.out.unsubscribe();
    expect(left.acker.log).toEqual(['nack 2', 'nack 3']);
    left.out.values[0]?.ack();
    expect([left.acker.unsettled, left.passed()]).toEqual([[], [1]]);
    const failed = fed({ count: 1 }, 1, 2);
    failed.source$.error(new Error('lost'));
    expect(failed.acker.causes['2']).toMatchObject({ code: 'RXF_SINK_STOPPED', retryable: true });
  });

  it('lets nothing through to a taker that nacks because the source failed, also inside the subscribing', () => {
    const acker = new RecordingAcker();
    const failing = concat(
      of(acker.deliver(1), acker.deliver(2)),
      throwError(() => new Error('lost')),
    );
    taken(
      failing.pipe(
        inFlightWindow({ count: 1 }),
        inFlightWindow({ count: 1 }),
        transmit(() => NEVER),
      ),
    );
    expect(acker.nacks.sort()).toEqual(['1', '2']);
  });

  it('works off a long queue in place, not deeper with each that is settled inside its emission', () => {
    const source$ = new Subject<Delivery<number>>();
    const acker = new RecordingAcker();
    const seen: Delivery<number>[] = [];
    source$.pipe(inFlightWindow({ count: 1 })).subscribe((delivery) => {
      if (seen.push(delivery) > 1) delivery.ack();
    });
    for (let n = 0; n < 20_000; n += 1) source$.next(acker.deliver(n));
    seen[0]?.ack();
    expect([seen.length, acker.unsettled]).toEqual([20_000, []]);
  });

  it('counts each subscription by itself', () => {
    const acker = new RecordingAcker();
    const windowed$ = concat(of(acker.deliver(1), acker.deliver(2)), NEVER).pipe(inFlightWindow({ count: 1 }));
    expect([taken(windowed$).values.length, taken(windowed$).values.length]).toEqual([1, 1]);
  });

  itPassesOnTheAcker(inFlightWindow({ count: 9 }));
  itLeavesAnEndlessSource(inFlightWindow({ count: 9 }));

  it('says what it nacks, and why, when the flow stops', () => {
    const { out, acker } = fed({ count: 1 }, 1, 2);
    out.unsubscribe();
    expect((acker.causes['2'] as Error).message).toBe(
      'The flow stopped before the window let the value through; it is redelivered.',
    );
    expect(acker.causes).not.toHaveProperty('1');
  });

  itSettlesOnce(() => inFlightWindow({ count: 3, bytes: 15 }));

  it.each([
    [{ count: 0 }, 'Expected `count` to be a whole number >= 1, got `0` (number).'],
    [{ bytes: -1 }, 'Expected `bytes` to be a whole number >= 1, got `-1` (number).'],
    [{ bytes: '10' }, 'Expected `bytes` to be a whole number >= 1, got `"10"` (string).'],
    [{ max: 3 }, 'Expected `inFlightWindow options` to have only known options (count, bytes), got `max`.'],
    [null, 'Expected `inFlightWindow options` to be an object of options, got `null` (null).'],
  ])('rejects %j', (options, message) => {
    const call = () => inFlightWindow(options as InFlightWindowOptions);
    expect(call).toThrow(message);
    expect(call).toThrow(OptionError);
  });
});

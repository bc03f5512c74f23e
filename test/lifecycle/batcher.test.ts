import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import type { FlushSignal } from '../../src/delivery/acker.js';
import { mergedFlush$ } from '../../src/delivery/flush-listeners.js';
import { Batcher, type BatchLimits, placeOf } from '../../src/lifecycle/batcher.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { inVirtualTime } from '../support/virtual-time.js';

const NO_LIMITS: BatchLimits = { count: 1_000, bytes: 1_000, maxWaitMs: 1_000 };

/** A batcher, what it sent (`queue>destination: values`), and how often it heard of the end of an epoch. */
function batcher(limits: Partial<BatchLimits> = {}, holds: 'one epoch' | 'all' = 'one epoch') {
  const sent: string[] = [];
  const seen = { overs: 0 };
  const own = new Batcher<string>({
    limits: { ...NO_LIMITS, ...limits },
    holds,
    send: (batch, queue) => sent.push(`${queue}>${batch.to}: ${batch.values.join(' ')}`),
    over: () => {
      seen.overs += 1;
    },
  });
  const acker = new RecordingAcker('test:0');
  const take = (value: string, { queue = 'q', to = '', of = acker } = {}) =>
    own.take(queue, of.deliver(value), value, value.length, to);
  return { own, sent, seen, acker, take };
}

describe('where a value goes', () => {
  it.each([
    [{ size: 0, bytes: 0 }, 1, 'joins'],
    [{ size: 0, bytes: 0 }, 10, 'fills'],
    [{ size: 0, bytes: 0 }, 11, 'fills'],
    [{ size: 1, bytes: 4 }, 5, 'joins'],
    [{ size: 1, bytes: 4 }, 6, 'fills'],
    [{ size: 1, bytes: 4 }, 7, 'begins'],
    [{ size: 2, bytes: 4 }, 1, 'fills'],
    [{ size: 2, bytes: 4 }, 7, 'begins'],
  ] as const)('beside %j, of %i bytes: it %s', (open, bytes, place) => {
    expect(placeOf(open, bytes, { count: 3, bytes: 10 })).toBe(place);
  });
});

describe('a batcher', () => {
  it('is as drawn: closes at the count, after the wait, when the source asks, and at the end', () =>
    inVirtualTime((at) => {
      // values    -a-b-c-------d----e
      // asked     ---------------r-----
      // sent      ---x------y----z------w
      const { own, sent, acker, take } = batcher({ count: 2, maxWaitMs: 5 });
      at(1, () => take('a'));
      at(3, () => take('b'));
      at(4, () => expect(sent).toEqual(['q>: a b']));
      at(5, () => take('c'));
      at(9, () => expect(sent.length).toBe(1));
      at(11, () => expect(sent.slice(1)).toEqual(['q>: c']));
      at(13, () => take('d'));
      at(15, () => acker.flush$.next('release'));
      at(16, () => expect(sent.slice(2)).toEqual(['q>: d']));
      at(18, () => take('e'));
      at(22, () => {
        expect([sent.length, own.isEmpty]).toEqual([3, false]);
        own.closeAll();
        expect([sent.slice(3), own.isEmpty]).toEqual([['q>: e'], true]);
      });
      at(100, () => expect(sent.length).toBe(4));
    }));

  it('counts the wait from the first value, anew for each batch', () =>
    inVirtualTime((at) => {
      const { sent, take } = batcher({ count: 2, maxWaitMs: 10 });
      at(0, () => take('a'));
      at(9, () => take('b'));
      at(9, () => take('c'));
      at(18, () => expect(sent).toEqual(['q>: a b']));
      at(21, () => expect(sent).toEqual(['q>: a b', 'q>: c']));
    }));

  it('closes before a batch exceeds its bytes, and sends a larger value alone', () => {
    const { own, sent, take } = batcher({ bytes: 5 });
    for (const value of ['aaa', 'bbb', 'cc', 'ddddddd', 'e']) take(value);
    expect(sent).toEqual(['q>: aaa', 'q>: bbb cc', 'q>: ddddddd']);
    own.closeAll();
    expect(sent.at(-1)).toBe('q>: e');
  });

  it('keeps queues apart, and closes one alone', () => {
    const { own, sent, take } = batcher({ count: 2 });
    take('a', { queue: 'p' });
    take('b');
    own.close('p');
    own.close('p');
    own.close('none');
    take('c');
    expect([sent, own.isEmpty]).toEqual([['p>: a', 'q>: b c'], true]);
  });

  it('closes before a value of another destination or epoch, so that the order stays', () => {
    const { sent, own, take } = batcher();
    const other = new RecordingAcker('test:0');
    take('a', { to: 'x' });
    take('b', { to: 'x' });
    take('c', { to: 'y' });
    take('d', { to: 'x' });
    take('e', { to: 'x', of: other });
    own.closeAll();
    expect(sent).toEqual(['q>x: a b', 'q>y: c', 'q>x: d', 'q>x: e']);
  });

  it('joins all epochs and destinations where it holds all', () => {
    const { sent, own, take } = batcher({}, 'all');
    take('a');
    take('b', { of: new RecordingAcker('test:1') });
    own.closeAll();
    expect(sent).toEqual(['q>: a b']);
  });

  it('takes the values of an epoch that is over out, nacks them, and sends the others', () =>
    inVirtualTime((at) => {
      const { own, sent, seen, acker, take } = batcher({ bytes: 6, maxWaitMs: 10 }, 'all');
      const other = new RecordingAcker('test:1');
      take('aa');
      take('bb', { of: other });
      take('c');
      acker.flush$.complete();
      expect([acker.nacks, seen.overs]).toEqual([['aa', 'c'], 1]);
      expect(acker.causes.aa).toMatchObject({ code: 'RXF_SINK_STOPPED' });
      // Their bytes are gone too: four more fit.
      take('dddd', { of: other });
      expect(sent).toEqual(['q>: bb dddd']);
      take('e', { of: other });
      other.flush$.complete();
      expect([own.isEmpty, seen.overs, other.nacks.length]).toEqual([true, 2, 1]);
      at(50, () => expect(sent.length).toBe(1));
    }));

  it('nacks a value of an epoch that was over before it came, and leaves the open batch open', () => {
    const { own, sent, take } = batcher();
    const over = new RecordingAcker('test:0');
    over.flush$.complete();
    take('a');
    take('b', { of: over });
    expect([over.nacks.length, sent]).toEqual([1, []]);
    own.closeAll();
    expect(sent).toEqual(['q>: a']);
  });

  it('hears each source of what was joined, and drops it when all are over', () => {
    const { own, sent, take } = batcher();
    const [one, other] = [new Subject<FlushSignal>(), new Subject<FlushSignal>()];
    const joined = new RecordingAcker('test:0');
    Object.assign(joined, { flush$: mergedFlush$([one, other]) });
    take('a', { of: joined });
    one.complete();
    expect(joined.nacks).toEqual([]);
    other.next('settle');
    expect(sent).toEqual(['q>: a']);
    take('b', { of: joined });
    other.complete();
    expect([joined.nacks.length, own.isEmpty]).toEqual([1, true]);
  });

  it('ends with what is open, hears nothing after it, and leaves no timer', () =>
    inVirtualTime((at) => {
      const { own, sent, seen, acker, take } = batcher({ maxWaitMs: 5 });
      take('a', { queue: 'p' });
      take('b');
      expect(own.end().map(({ values }) => values)).toEqual([['a'], ['b']]);
      acker.flush$.next('settle');
      acker.flush$.complete();
      at(50, () => expect([sent, seen.overs, own.isEmpty]).toEqual([[], 0, true]));
    }));

  it('sends what comes while it sends', () => {
    const sent: string[][] = [];
    const acker = new RecordingAcker('test:0');
    const own = new Batcher<string>({
      limits: { ...NO_LIMITS, count: 2 },
      holds: 'one epoch',
      send: (batch) => {
        sent.push([...batch.values]);
        if (sent.length === 1) own.take('q', acker.deliver('c'), 'c', 1);
      },
      over: () => undefined,
    });
    for (const value of ['a', 'b', 'd']) own.take('q', acker.deliver(value), value, 1);
    expect(sent).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('sends everything once, in order within a queue, and within the limits', () =>
    fc.assert(
      fc.property(
        fc.array(fc.record({ queue: fc.constantFrom('p', 'q'), bytes: fc.nat(12), to: fc.constantFrom('x', 'y') })),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 10 }),
        (values, count, bytes) => {
          const batches: { queue: string; to: string; values: readonly number[]; bytes: number }[] = [];
          const own = new Batcher<number>({
            limits: { count, bytes, maxWaitMs: 1_000 },
            holds: 'one epoch',
            send: ({ to, values: all, bytes: size }, queue) =>
              batches.push({ queue, to, values: [...all], bytes: size }),
            over: () => undefined,
          });
          const acker = new RecordingAcker('test:0');
          for (const [n, { queue, bytes: size, to }] of values.entries())
            own.take(queue, acker.deliver(n), n, size, to);
          own.closeAll();
          for (const name of ['p', 'q']) {
            const gone = batches.filter(({ queue }) => queue === name).flatMap((batch) => batch.values);
            expect(gone).toEqual([...values.keys()].filter((n) => values[n]?.queue === name));
          }
          for (const batch of batches) {
            expect(batch.values.length).toBeLessThanOrEqual(count);
            expect(batch.bytes <= bytes || batch.values.length === 1).toBe(true);
            expect(batch.values.every((n) => values[n]?.to === batch.to)).toBe(true);
          }
        },
      ),
    ));
});

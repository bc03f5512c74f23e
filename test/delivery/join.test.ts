import { describe, expect, it } from '@jest/globals';
import { AckGroup } from '../../src/delivery/ack-group.js';
import type { ResumeTracker } from '../../src/delivery/acker.js';
import { deliveryOf, joinDeliveries } from '../../src/delivery/join.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';

describe('joinDeliveries', () => {
  it('holds the values, the first origin and the size of all', () => {
    const acker = new RecordingAcker();
    const joined = joinDeliveries([acker.deliver('a', { offset: 7 }), acker.deliver('bcd'), acker.deliver('ef')]);
    expect(joined.value).toEqual(['a', 'bcd', 'ef']);
    const { stream, offset, lastOffset, epoch, byteLength } = joined.origin;
    expect([stream, offset, lastOffset, epoch, byteLength]).toEqual(['test:stream', 7, 7, 1, 6]);
  });

  it('settles and releases every part, of every stream, once', () => {
    const [one, other] = [new RecordingAcker(), new RecordingAcker()];
    const joined = joinDeliveries([one.deliver('a'), other.deliver('x'), one.deliver('b')]);
    joined.release();
    joined.ack();
    joined.nack('late');
    joined.ack();
    expect(one.log).toEqual(['release a', 'release b', 'ack a', 'ack b']);
    expect(other.log).toEqual(['release x', 'ack x']);
    const nacked = joinDeliveries([one.deliver('c'), other.deliver('y')]);
    nacked.nack('no');
    expect([one.causes, other.causes]).toEqual([{ c: 'no' }, { y: 'no' }]);
  });

  it('wants what the source of any part wants; of one source, the very same signal', () => {
    const [one, other] = [new RecordingAcker(), new RecordingAcker()];
    expect(joinDeliveries([one.deliver('a'), one.deliver('b')]).acker.flush$).toBe(one.flush$);
    const flushListeners: string[] = [];
    let isOver = false;
    joinDeliveries([one.deliver('a'), other.deliver('x')]).acker.flush$.subscribe({
      next: (signal) => flushListeners.push(signal),
      complete: () => {
        isOver = true;
      },
    });
    one.flush$.next('release');
    one.flush$.complete();
    other.flush$.next('settle');
    expect([flushListeners, isOver]).toEqual([['release', 'settle'], false]);
    other.flush$.complete();
    expect(isOver).toBe(true);
  });

  it('throws for no deliveries: a bug of the caller', () => {
    expect(() => joinDeliveries([])).toThrow('joinDeliveries: no deliveries');
  });
});

describe('a joined delivery and the ledger', () => {
  const delivery = (acker: RecordingAcker, offset: number) => acker.deliver('a', { offset });

  it('is of one stream, with its last offset, or of none', () => {
    const one = new RecordingAcker('one');
    const other = new RecordingAcker('other');
    const pure = joinDeliveries([delivery(one, 3), delivery(one, 9), delivery(one, 5)]);
    expect([pure.acker.isMixed, pure.origin.offset, pure.origin.lastOffset]).toEqual([false, 3, 9]);
    const mixed = joinDeliveries([delivery(one, 10), delivery(other, 2)]);
    expect([mixed.acker.isMixed, mixed.acker.resumeTracker]).toEqual([true, undefined]);
    expect(joinDeliveries([mixed]).acker.isMixed).toBe(true);
  });

  it('shows the replay of all its parts and is held with them; hidden, it shows none and is not held', () => {
    const held: number[] = [];
    const resumeTracker = {} as ResumeTracker;
    const acker = Object.assign(new RecordingAcker('one'), {
      resumeTracker,
      hold: (first: number) => held.push(first),
    });
    const joined = joinDeliveries([delivery(acker, 3), delivery(acker, 9)]);
    expect(joined.acker.resumeTracker).toBe(resumeTracker);
    joined.acker.hold(0, 1);
    expect(held).toEqual([0]);

    const parts = new AckGroup();
    parts.add(delivery(acker, 10));
    const hidden = deliveryOf(parts, 'sum', joined.origin, 'hidden');
    expect(hidden.acker.resumeTracker).toBeUndefined();
    hidden.acker.hold(0, 1);
    expect(held).toEqual([0]);
    const shown = deliveryOf(parts, 'sum', joined.origin);
    expect(shown.acker.resumeTracker).toBe(resumeTracker);
    const mixed = joinDeliveries([delivery(acker, 3), delivery(new RecordingAcker('two'), 9)]);
    mixed.acker.hold(0, 1);
    expect(held).toEqual([0]);
  });
});

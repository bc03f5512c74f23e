import { describe, expect, it } from '@jest/globals';
import type { Replay } from '../../src/core/duty.js';
import { Holding } from '../../src/core/holding.js';
import { deliveryOf, joinDeliveries } from '../../src/core/join.js';
import { RecordingDuty } from '../../src/testing/recording-duty.js';

describe('joinDeliveries', () => {
  it('holds the values, the first origin and the size of all', () => {
    const duty = new RecordingDuty();
    const joined = joinDeliveries([duty.deliver('a', { offset: 7 }), duty.deliver('bcd'), duty.deliver('ef')]);
    expect(joined.value).toEqual(['a', 'bcd', 'ef']);
    const { stream, offset, lastOffset, epoch, byteLength } = joined.origin;
    expect([stream, offset, lastOffset, epoch, byteLength]).toEqual(['test:stream', 7, 7, 1, 6]);
  });

  it('settles and releases every part, of every stream, once', () => {
    const [one, other] = [new RecordingDuty(), new RecordingDuty()];
    const joined = joinDeliveries([one.deliver('a'), other.deliver('x'), one.deliver('b')]);
    joined.release();
    joined.ack();
    joined.nack('late');
    joined.ack();
    expect(one.log).toEqual(['release a', 'release b', 'ack a', 'ack b']);
    expect(other.log).toEqual(['release x', 'ack x']);
    const refused = joinDeliveries([one.deliver('c'), other.deliver('y')]);
    refused.nack('no');
    expect([one.causes, other.causes]).toEqual([{ c: 'no' }, { y: 'no' }]);
  });

  it('wants what the source of any part wants; of one source, the very same signal', () => {
    const [one, other] = [new RecordingDuty(), new RecordingDuty()];
    expect(joinDeliveries([one.deliver('a'), one.deliver('b')]).duty.wanted).toBe(one.wanted);
    const wants: string[] = [];
    let isOver = false;
    joinDeliveries([one.deliver('a'), other.deliver('x')]).duty.wanted.subscribe({
      next: (want) => wants.push(want),
      complete: () => {
        isOver = true;
      },
    });
    one.wanted.next('release');
    one.wanted.complete();
    other.wanted.next('settle');
    expect([wants, isOver]).toEqual([['release', 'settle'], false]);
    other.wanted.complete();
    expect(isOver).toBe(true);
  });

  it('throws for no deliveries: a bug of the caller', () => {
    expect(() => joinDeliveries([])).toThrow('joinDeliveries: no deliveries');
  });
});

describe('a joined delivery and the ledger', () => {
  const delivery = (duty: RecordingDuty, offset: number) => duty.deliver('a', { offset });

  it('is of one stream, with its last offset, or of none', () => {
    const one = new RecordingDuty('one');
    const other = new RecordingDuty('other');
    const pure = joinDeliveries([delivery(one, 3), delivery(one, 9), delivery(one, 5)]);
    expect([pure.duty.isMixed, pure.origin.offset, pure.origin.lastOffset]).toEqual([false, 3, 9]);
    const mixed = joinDeliveries([delivery(one, 10), delivery(other, 2)]);
    expect([mixed.duty.isMixed, mixed.duty.replay]).toEqual([true, undefined]);
    expect(joinDeliveries([mixed]).duty.isMixed).toBe(true);
  });

  it('shows the replay of all its parts and is held with them; hidden, it shows none and is not held', () => {
    const held: number[] = [];
    const replay = {} as Replay;
    const duty = Object.assign(new RecordingDuty('one'), { replay, hold: (first: number) => held.push(first) });
    const joined = joinDeliveries([delivery(duty, 3), delivery(duty, 9)]);
    expect(joined.duty.replay).toBe(replay);
    joined.duty.hold(0, 1);
    expect(held).toEqual([0]);

    const parts = new Holding();
    parts.add(delivery(duty, 10));
    const hidden = deliveryOf(parts, 'sum', joined.origin, 'hidden');
    expect(hidden.duty.replay).toBeUndefined();
    hidden.duty.hold(0, 1);
    expect(held).toEqual([0]);
    const shown = deliveryOf(parts, 'sum', joined.origin);
    expect(shown.duty.replay).toBe(replay);
    const mixed = joinDeliveries([delivery(duty, 3), delivery(new RecordingDuty('two'), 9)]);
    mixed.duty.hold(0, 1);
    expect(held).toEqual([0]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { batchOf, partitionOf } from './setting.js';

const resumeFrom = (() => []) as never;
const taken = (own: ReturnType<typeof partitionOf>['own'], count: number) =>
  Array.from({ length: count }, () => own.take());

describe('a partition', () => {
  it('hands out what arrived, in order, each with its sequence number and its size in the window', () => {
    const { own, window } = partitionOf(5);
    expect([own.stream, own.start, own.committed, own.hasQueued, own.isSettled]).toEqual([
      'kafka:chat/3',
      5,
      5,
      false,
      true,
    ]);
    expect(own.take()).toBeUndefined();
    own.enqueue(batchOf([5, 7]));
    own.enqueue(batchOf([9], 20));
    expect([own.hasQueued, own.highWatermark]).toEqual([true, 27]);
    const out = taken(own, 3);
    expect(out.map((one) => [one?.origin.offset, one?.seq, String(one?.value)])).toEqual([
      [5, 0, 'x'],
      [7, 1, 'x'],
      [9, 2, 'x'],
    ]);
    expect([own.hasQueued, own.isSettled, own.take(), window.count, window.bytes]).toEqual([
      false,
      false,
      undefined,
      3,
      3,
    ]);
    own.ack(0, 3);
    expect([own.watermark.offset, own.isSettled, window.count]).toEqual([20, true, 0]);
  });

  it('counts an empty batch as read, at once or behind what waits', () => {
    const { own } = partitionOf(0);
    own.enqueue(batchOf([], 4));
    expect([own.watermark.offset, own.hasQueued]).toEqual([4, false]);
    own.enqueue(batchOf([4]));
    own.enqueue(batchOf([], 9));
    own.take();
    expect([own.watermark.offset, own.isUncommitted]).toEqual([4, true]);
    own.ack(0, 1);
    expect(own.watermark.offset).toBe(9);
  });

  it('drops what waits, from the first again', () => {
    const { own } = partitionOf(0);
    own.enqueue(batchOf([0, 1]));
    own.take();
    own.dropQueued();
    expect([own.hasQueued, own.take()]).toEqual([false, undefined]);
    own.enqueue(batchOf([5, 6]));
    expect(own.take()?.origin.offset).toBe(5);
  });

  it('tells what is acked anew, nacked, or freed, each once', () => {
    const { own, reported, window } = partitionOf(0);
    own.enqueue(batchOf([0, 1, 2, 3, 4]));
    taken(own, 5);
    own.release(0, 2);
    own.release(0, 2);
    own.ack(0, 1);
    own.ack(0, 1);
    own.nack(1, 3, 'no');
    own.nack(1, 2, 'again');
    own.ack(1, 5);
    expect(reported).toEqual(['released', 'acked 1', 'nacked kafka:chat/3 1 no', 'acked 2']);
    expect([own.watermark.offset, own.isSettled, window.count]).toEqual([1, true, 0]);
    own.nack(0, 1, 'late');
    expect(reported.length).toBe(4);
  });

  it('takes a nack of offset 0 as any other, and is held where it has no ledger', () => {
    const { own, reported } = partitionOf(0, { resumeFrom, lookup: new Map(), start: 0 });
    expect(own.isPaused).toBe(false);
    own.enqueue(batchOf([0, 5]));
    taken(own, 2);
    own.nack(0, 2, 'no');
    expect([reported, own.resumeTracker?.horizon]).toEqual([['nacked kafka:chat/3 0 no'], 0]);
    own.hold(0, 2);
    expect(own.resumeTracker?.horizon).toBe(0);
    const bare = partitionOf(0).own;
    bare.enqueue(batchOf([3]));
    taken(bare, 1);
    bare.hold(0, 1);
    expect([bare.committed, bare.watermark.offset]).toEqual([0, 3]);
  });

  it('is over: what is said of it is ignored, but frees the window, and its holders hear of it', () => {
    const { own, reported, window } = partitionOf(0, { resumeFrom, lookup: new Map(), start: 0 });
    own.enqueue(batchOf([0, 1, 2, 3]));
    taken(own, 3);
    let completions = 0;
    own.flush$.subscribe({ complete: () => (completions += 1) });
    own.end();
    own.end();
    expect([own.isOver, own.isSettled, own.hasQueued, completions]).toEqual([true, true, false, 1]);
    own.ack(0, 1);
    own.nack(1, 2, 'no');
    own.hold(2, 3);
    own.release(2, 3);
    expect([reported, own.watermark.offset, own.resumeTracker?.horizon, window.count]).toEqual([
      ['released', 'released', 'released'],
      0,
      0,
      0,
    ]);
  });

  it('reaches as far as all is acked or held, never past a nack, and what the log has besides', () => {
    const { own, reported } = partitionOf(0, { resumeFrom, lookup: new Map(), start: 0 });
    own.enqueue(batchOf([0, 1, 2, 3], 9));
    taken(own, 4);
    own.hold(0, 2);
    own.ack(2, 3);
    expect([own.resumeTracker?.horizon, own.watermark.offset]).toEqual([3, 0]);
    const seen: string[] = [];
    own.resumeTracker
      ?.reached(9)
      .subscribe({ complete: () => seen.push('reached'), error: () => seen.push('refused') });
    own.hold(3, 4);
    expect([seen, reported.filter((one) => one === 'awaited').length]).toEqual([['reached'], 2]);
    own.enqueue(batchOf([], 12));
    expect(own.resumeTracker?.horizon).toBe(12);
    own.nack(1, 2, 'no');
    expect(own.resumeTracker?.horizon).toBe(1);
    expect(partitionOf(0).own.resumeTracker).toBeUndefined();
  });

  it('must tell the broker what the ledger says, also where nothing is acked, or where the broker decided it', () => {
    expect(partitionOf(7, { resumeFrom, lookup: new Map(), start: 7 }).own.committed).toBe(-1);
    expect(partitionOf(7, { resumeFrom, lookup: new Map(), start: undefined }).own.committed).toBe(7);
    const { own } = partitionOf(-1);
    own.enqueue(batchOf([40, 41]));
    own.take();
    own.take();
    expect(own.committed).toBe(40);
    const ledger = partitionOf(7, { resumeFrom, lookup: new Map(), start: 7 }).own;
    ledger.enqueue(batchOf([7, 8]));
    ledger.take();
    expect(ledger.committed).toBe(-1);
    const second = partitionOf(-1).own;
    second.enqueue(batchOf([40]));
    second.take();
    second.committed = -1;
    second.enqueue(batchOf([41]));
    second.take();
    expect(second.committed).toBe(-1);
  });
});

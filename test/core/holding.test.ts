import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import type { Delivery } from '../../src/core/delivery.js';
import type { Duty, Replay, Want } from '../../src/core/duty.js';
import { Holding } from '../../src/core/holding.js';
import { RecordingDuty } from '../../src/testing/recording-duty.js';
import { callDuty } from '../support/call-duty.js';

describe('Holding', () => {
  it('settles unbroken runs in one call each, lowest first', () => {
    const { calls, at } = callDuty();
    const held = new Holding();
    for (const place of [9, 3, 4, 40, 8, 5, 3]) held.add(at(place));
    expect(held.size).toBe(6);
    held.release();
    held.nack('no');
    expect(calls).toEqual([
      ['release', 3, 6],
      ['release', 8, 10],
      ['release', 40, 41],
      ['nack', 3, 6, 'no'],
      ['nack', 8, 10, 'no'],
      ['nack', 40, 41, 'no'],
    ]);
  });

  it('keeps several duties apart, however they are mixed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 70 }))), (added) => {
        const duties = [callDuty(), callDuty(), callDuty()];
        const held = new Holding();
        for (const [which, place] of added) held.add((duties[which] as ReturnType<typeof callDuty>).at(place));
        held.ack();
        const settled = duties.flatMap(({ calls }, which) =>
          calls.flatMap(([, first, next]) => Array.from({ length: next - first }, (_, n) => `${which}/${first + n}`)),
        );
        const expected = new Set(added.map(([which, place]) => `${which}/${place}`));
        expect(settled.length).toBe(held.size);
        expect(new Set(settled)).toEqual(expected);
      }),
    );
  });

  it('settles once, and takes no more afterwards: that is a bug of the caller', () => {
    const { calls, at } = callDuty();
    const held = new Holding();
    held.add(at(0));
    held.ack();
    held.ack();
    held.nack('late');
    expect(calls).toEqual([['ack', 0, 1]]);
    expect(() => held.add(at(1))).toThrow('Holding: add after settling');
  });

  it('holds nothing: settles nothing, wants nothing', () => {
    const held = new Holding();
    held.release();
    held.ack();
    let isOver = false;
    held.wanted.subscribe({
      complete: () => {
        isOver = true;
      },
    });
    expect([held.size, isOver]).toEqual([0, true]);
  });

  it('wants the very signal of its one source, so that epochs can be told apart by it, or all of several', () => {
    const [one, other] = [new RecordingDuty(), new RecordingDuty()];
    const held = new Holding();
    held.add(one.deliver('a'));
    held.add(one.deliver('b'));
    expect(held.wanted).toBe(one.wanted);
    held.add(other.deliver('x'));
    const wants: string[] = [];
    held.wanted.subscribe((want) => wants.push(want));
    one.wanted.next('release');
    other.wanted.next('settle');
    expect(wants).toEqual(['release', 'settle']);
  });

  it('is mixed where it is of several streams or epochs, or of one that is mixed itself', () => {
    const wanted = new Subject<Want>();
    const of = (facts: Partial<Duty>) => {
      const { at } = callDuty(facts);
      return at(0);
    };
    const holding = (...deliveries: Delivery<number>[]) => {
      const held = new Holding();
      for (const one of deliveries) held.add(one);
      return held;
    };
    expect(holding().isMixed).toBe(false);
    expect(holding(of({ wanted })).isMixed).toBe(false);
    expect(holding(of({ wanted }), of({ wanted, isMixed: false })).isMixed).toBe(false);
    expect(holding(of({ wanted }), of({ wanted, isMixed: true })).isMixed).toBe(true);
    expect(holding(of({ wanted }), of({ wanted: new Subject() })).isMixed).toBe(true);
    expect(holding(of({ wanted, isMixed: true })).isMixed).toBe(true);
  });

  it('has the replay that all of it share, and none otherwise', () => {
    const [one, other] = [{} as Replay, {} as Replay];
    const replayOf = (...replays: (Replay | undefined)[]) => {
      const held = new Holding();
      for (const replay of replays) held.add(callDuty({ replay }).at(0));
      return held.replay;
    };
    expect([replayOf(), replayOf(one), replayOf(one, one), replayOf(one, other), replayOf(one, undefined)]).toEqual([
      undefined,
      one,
      one,
      undefined,
      undefined,
    ]);
    expect(replayOf(one, one)).toBe(one);
  });

  it('holds runs of places, which settles nothing; and does not ack what was refused', () => {
    const { calls, at } = callDuty();
    const held = new Holding();
    for (const place of [4, 3, 9]) held.add(at(place));
    held.hold();
    expect(calls).toEqual([
      ['hold', 3, 5],
      ['hold', 9, 10],
    ]);
    held.nack('no');
    held.ack();
    held.nack('again');
    expect(calls.slice(2)).toEqual([
      ['nack', 3, 5, 'no'],
      ['nack', 9, 10, 'no'],
    ]);
  });
});

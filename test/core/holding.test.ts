import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NEVER } from 'rxjs';
import { Delivery } from '../../src/core/delivery.js';
import type { Duty } from '../../src/core/duty.js';
import { Holding } from '../../src/core/holding.js';
import { RecordingDuty } from '../../src/testing/recording-duty.js';

/** Writes down each call as it comes. */
function callsOf() {
  const calls: [verb: string, first: number, next: number, cause?: unknown][] = [];
  const duty: Duty = {
    ack: (first, next) => calls.push(['ack', first, next]),
    nack: (first, next, cause) => calls.push(['nack', first, next, cause]),
    release: (first, next) => calls.push(['release', first, next]),
    hold: (first, next) => calls.push(['hold', first, next]),
    wanted: NEVER,
  };
  const at = (place: number) =>
    new Delivery(place, { stream: 's', offset: place, epoch: 1, byteLength: 1 }, duty, place);
  return { calls, at };
}

describe('Holding', () => {
  it('settles unbroken runs in one call each, lowest first', () => {
    const { calls, at } = callsOf();
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
        const duties = [callsOf(), callsOf(), callsOf()];
        const held = new Holding();
        for (const [which, place] of added) held.add((duties[which] as ReturnType<typeof callsOf>).at(place));
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
    const { calls, at } = callsOf();
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
});

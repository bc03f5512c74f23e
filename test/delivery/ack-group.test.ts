import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Subject } from 'rxjs';
import { AckGroup } from '../../src/delivery/ack-group.js';
import type { Acker, FlushSignal, ResumeTracker } from '../../src/delivery/acker.js';
import type { Delivery } from '../../src/delivery/delivery.js';
import { RecordingAcker } from '../../src/testing/recording-acker.js';
import { callAcker } from '../support/call-acker.js';

describe('AckGroup', () => {
  it('settles unbroken runs in one call each, lowest first', () => {
    const { calls, at } = callAcker();
    const held = AckGroup.of([9, 3, 4, 40, 8, 5, 3].map(at));
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

  it('keeps several ackers apart, however they are mixed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 0, max: 70 }))), (added) => {
        const ackers = [callAcker(), callAcker(), callAcker()];
        const held = new AckGroup();
        for (const [which, seq] of added) held.add((ackers[which] as ReturnType<typeof callAcker>).at(seq));
        held.ack();
        const settled = ackers.flatMap(({ calls }, which) =>
          calls.flatMap(([, first, next]) => Array.from({ length: next - first }, (_, n) => `${which}/${first + n}`)),
        );
        const expected = new Set(added.map(([which, seq]) => `${which}/${seq}`));
        expect(settled.length).toBe(held.size);
        expect(new Set(settled)).toEqual(expected);
      }),
    );
  });

  it('settles once, and takes no more afterwards: that is a bug of the caller', () => {
    const { calls, at } = callAcker();
    const held = new AckGroup();
    held.add(at(0));
    held.ack();
    held.ack();
    held.nack('late');
    expect(calls).toEqual([['ack', 0, 1]]);
    expect(() => held.add(at(1))).toThrow('AckGroup: add after settling');
  });

  it('holds nothing: settles nothing, wants nothing', () => {
    const held = new AckGroup();
    held.release();
    held.ack();
    let isOver = false;
    held.flush$.subscribe({
      complete: () => {
        isOver = true;
      },
    });
    expect([held.size, isOver]).toEqual([0, true]);
  });

  it('has the very signal of its one source, so that epochs can be distinguished by it, or all of several', () => {
    const [one, other] = [new RecordingAcker(), new RecordingAcker()];
    const held = new AckGroup();
    held.add(one.deliver('a'));
    held.add(one.deliver('b'));
    expect(held.flush$).toBe(one.flush$);
    held.add(other.deliver('x'));
    const flushListeners: string[] = [];
    held.flush$.subscribe((signal) => flushListeners.push(signal));
    one.flush$.next('release');
    other.flush$.next('settle');
    expect(flushListeners).toEqual(['release', 'settle']);
  });

  it('is mixed where it is of several streams or epochs, or of one that is mixed itself', () => {
    const flush$ = new Subject<FlushSignal>();
    const of = (facts: Partial<Acker>) => {
      const { at } = callAcker(facts);
      return at(0);
    };
    const ackGroup = (...deliveries: Delivery<number>[]) => {
      const held = new AckGroup();
      for (const one of deliveries) held.add(one);
      return held;
    };
    expect(ackGroup().isMixed).toBe(false);
    expect(ackGroup(of({ flush$ })).isMixed).toBe(false);
    expect(ackGroup(of({ flush$ }), of({ flush$, isMixed: false })).isMixed).toBe(false);
    expect(ackGroup(of({ flush$ }), of({ flush$, isMixed: true })).isMixed).toBe(true);
    expect(ackGroup(of({ flush$ }), of({ flush$: new Subject() })).isMixed).toBe(true);
    expect(ackGroup(of({ flush$, isMixed: true })).isMixed).toBe(true);
  });

  it('has the replay that all of it share, and none otherwise', () => {
    const [one, other] = [{} as ResumeTracker, {} as ResumeTracker];
    const resumeTrackerOf = (...resumeTrackers: (ResumeTracker | undefined)[]) => {
      const held = new AckGroup();
      for (const resumeTracker of resumeTrackers) held.add(callAcker({ resumeTracker }).at(0));
      return held.resumeTracker;
    };
    expect([
      resumeTrackerOf(),
      resumeTrackerOf(one),
      resumeTrackerOf(one, one),
      resumeTrackerOf(one, other),
      resumeTrackerOf(one, undefined),
    ]).toEqual([undefined, one, one, undefined, undefined]);
    expect(resumeTrackerOf(one, one)).toBe(one);
  });

  it('holds runs of sequence numbers, which settles nothing; and does not ack what was nacked', () => {
    const { calls, at } = callAcker();
    const held = new AckGroup();
    for (const seq of [4, 3, 9]) held.add(at(seq));
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

import { describe, expect, it } from '@jest/globals';
import { type Wait, Waits, waitInWords } from '../../../src/testing/proof/waits.js';

function longest(waits: Waits, nowMs: number): Wait {
  waits.look(nowMs);
  return waits.longest as Wait;
}

describe('Waits', () => {
  it('counts from the first record that is not committed, and anew from each commit', () => {
    const waits = new Waits();
    waits.produced('t/0', 1, 10);
    waits.produced('t/0', 2, 50);
    waits.committed('t/0', 1, 60);
    waits.committed('t/0', 2, 80);
    expect(longest(waits, 500)).toMatchObject({ stream: 't/0', offset: 0, fromMs: 10, ms: 50 });
    expect(waits.current(500)).toBeUndefined();
    waits.produced('t/0', 3, 600);
    expect(waits.current(650)).toMatchObject({ offset: 2, end: 3, fromMs: 600, ms: 50 });
  });

  it('does not take what is committed once more, or further back, for progress', () => {
    const waits = new Waits();
    waits.produced('t/0', 9, 0);
    waits.committed('t/0', 5, 10);
    waits.committed('t/0', 5, 20);
    waits.committed('t/0', 2, 30);
    expect(longest(waits, 100)).toMatchObject({ offset: 5, fromMs: 10, ms: 90 });
  });

  it('does not count while something is wrong, and begins again behind it', () => {
    const waits = new Waits();
    waits.produced('t/0', 9, 0);
    waits.disturbed(500, 20);
    expect(longest(waits, 400)).toMatchObject({ ms: 20 });
    expect(waits.current(400)).toMatchObject({ ms: 0 });
    expect(longest(waits, 530)).toMatchObject({ fromMs: 500, ms: 30 });
    waits.disturbed(100, 540);
    expect(longest(waits, 560)).toMatchObject({ fromMs: 500, ms: 60 });
  });

  it('does not count while paused', () => {
    const waits = new Waits();
    waits.produced('t/0', 9, 0);
    waits.pause(20);
    expect(waits.current(400)).toBeUndefined();
    expect(waits.waiting(400)).toHaveLength(1);
    waits.resume(400);
    expect(longest(waits, 410)).toMatchObject({ fromMs: 0, ms: 20 });
    expect(waits.current(410)).toMatchObject({ fromMs: 400, ms: 10 });
  });

  it('says what moved on meanwhile', () => {
    const waits = new Waits();
    for (const stream of ['t/0', 't/1', 't/2']) waits.produced(stream, 100, 0);
    waits.committed('t/0', 10, 5);
    waits.committed('t/1', 3, 10);
    waits.committed('t/0', 40, 20);
    waits.committed('t/0', 60, 30);
    const wait = waits.waiting(90).find(({ stream }) => stream === 't/1') as Wait;
    expect(waitInWords(wait)).toBe(
      't/1 offset 3 (of 100) was not committed for 80 ms, from 10 ms on; meanwhile others moved on: t/0 by 50',
    );
    waits.disturbed(95, 95);
    expect(waitInWords(waits.current(99) as Wait)).toMatch(/for 4 ms, from 95 ms on; meanwhile no other partition/);
  });
});

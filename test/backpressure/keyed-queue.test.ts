import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { KeyedQueue } from '../../src/backpressure/keyed-queue.js';

describe('Turns', () => {
  it('gives turns in order of arrival, at most so many at once', () => {
    const turns = new KeyedQueue<string>(2);
    for (const one of 'abcd') turns.add(one);
    const [a, b] = [turns.take(), turns.take()];
    expect([a?.one, b?.one, turns.take(), turns.waiting]).toEqual(['a', 'b', undefined, 2]);
    turns.done(b as NonNullable<typeof b>);
    expect([turns.take()?.one, turns.take()]).toEqual(['c', undefined]);
    expect([turns.takeAll(), turns.waiting, turns.take()]).toEqual([['d'], 0, undefined]);
  });

  it('keeps each key in order and to itself, gives everyone a turn once, and never leaves room unused', () => {
    const arrivals = fc.array(fc.option(fc.integer({ min: 0, max: 3 })), { maxLength: 40 });
    const picks = fc.array(fc.nat(), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 4 }), picks, (keys, most, chosen) => {
        const turns = new KeyedQueue<number>(most);
        const underWay: { one: number; key: unknown }[] = [];
        const begun: number[] = [];
        const begin = () => {
          for (let turn = turns.take(); turn !== undefined; turn = turns.take()) {
            underWay.push(turn);
            begun.push(turn.one);
          }
          const busy = underWay.filter(({ key }) => key !== null).map(({ key }) => key);
          expect(new Set(busy).size).toBe(busy.length);
          expect(underWay.length).toBeLessThanOrEqual(most);
          // Whoever waits though there is room waits for its key.
          if (underWay.length < most) {
            const waiting = keys.slice(0, added).filter((_, at) => !begun.includes(at));
            expect(waiting.every((key) => key !== null && busy.includes(key))).toBe(true);
          }
        };
        let added = 0;
        for (const [at, key] of keys.entries()) {
          turns.add(at, key);
          added += 1;
          const pick = chosen[at % chosen.length] as number;
          if (pick % 3 === 0) begin();
          if (pick % 2 === 0 && underWay.length > 0) turns.done(underWay.splice(pick % underWay.length, 1)[0] as never);
        }
        begin();
        while (underWay.length > 0) {
          turns.done(underWay.shift() as never);
          begin();
        }
        expect([...begun].sort((a, b) => a - b)).toEqual(keys.map((_, at) => at));
        for (const key of new Set(keys)) {
          const own = begun.filter((at) => keys[at] === key);
          expect(own).toEqual([...own].sort((a, b) => a - b));
        }
      }),
    );
  });
});

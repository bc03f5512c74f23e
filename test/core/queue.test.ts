import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Queue } from '../../src/core/queue.js';
import { keptBy } from '../support/heap.js';

it('gives back what it took, first in first out, as an array would', () => {
  const steps = fc.array(fc.constantFrom('add', 'add', 'take', 'takeAll'), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (verbs) => {
      const queue = new Queue<number>();
      const model: number[] = [];
      for (const [at, verb] of verbs.entries()) {
        if (verb === 'add') {
          queue.add(at);
          model.push(at);
        } else if (verb === 'take') expect(queue.take()).toBe(model.shift());
        else if (at % 7 === 0) expect(queue.takeAll()).toEqual(model.splice(0));
        expect(queue.size).toBe(model.length);
      }
    }),
  );
});

it('keeps no room for what was taken, however much went through it', () => {
  const kept = keptBy(() => {
    const queue = new Queue<number>();
    for (let n = 0; n < 500_000; n += 1) {
      queue.add(n);
      if (n >= 10) queue.take();
    }
    return queue;
  });
  expect(kept).toBeLessThan(500_000);
});

it('takes each value in the same time, however many there are', () => {
  const queue = new Queue<number>();
  const count = 300_000;
  for (let n = 0; n < count; n += 1) queue.add(n);
  for (let n = 0; n < count; n += 1) if (queue.take() !== n) throw new Error(`not ${n}`);
  expect([queue.size, queue.take()]).toEqual([0, undefined]);
});

it('takes all that is left, without what was taken before', () => {
  const queue = new Queue<string>();
  for (const value of 'abc') queue.add(value);
  expect([queue.take(), queue.takeAll(), queue.size]).toEqual(['a', ['b', 'c'], 0]);
});

import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Queue } from '../../src/core/queue.js';

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

import { describe, expect, it } from '@jest/globals';
import { Ages } from '../../chaos/ages.js';

const of = (...offsets: readonly (readonly [end: number, committed: number])[]) =>
  offsets.map(([end, committed], partition) => ({ partition, end, committed }));

describe('the ages of partitions', () => {
  it('grow while one has something and does not move, whatever the others do', () => {
    const ages = new Ages();
    ages.look(0, of([10, 0], [10, 0]), true);
    ages.look(1_000, of([20, 10], [20, 0]), true);
    ages.look(2_000, of([30, 20], [30, 0]), true);
    ages.look(3_000, of([30, 30], [30, 5]), true);
    expect(ages.worst).toEqual([
      { partition: 0, ms: 0 },
      { partition: 1, ms: 2_000 },
    ]);
  });

  it('do not grow while nothing is there, nor while something was done to the services', () => {
    const ages = new Ages();
    ages.look(0, of([5, 5]), true);
    ages.look(60_000, of([5, 5]), true);
    ages.look(61_000, of([6, 5]), false);
    ages.look(62_000, of([6, 5]), true);
    expect(ages.worst).toEqual([{ partition: 0, ms: 1_000 }]);
  });
});

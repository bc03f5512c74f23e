import { describe, expect, it } from '@jest/globals';
import { Ages } from '../../../src/sources/amqp/ages.js';

describe('Ages', () => {
  it('tells when something is out for longer than the limit', () => {
    const ages = new Ages(100);
    expect(ages.look(0, 2, 0)).toBe(false);
    expect(ages.look(50, 4, 0)).toBe(false);
    expect(ages.look(99, 4, 1)).toBe(false);
    expect(ages.look(100, 4, 1)).toBe(true);
    // What was there at 0 is settled; what came by 50 is not.
    expect(ages.look(140, 4, 2)).toBe(false);
    expect(ages.look(150, 4, 2)).toBe(true);
    expect(ages.look(999, 4, 4)).toBe(false);
  });

  it('forgets what is settled, and begins anew with what comes', () => {
    const ages = new Ages(100);
    ages.look(0, 1, 0);
    expect(ages.look(1_000, 1, 1)).toBe(false);
    expect(ages.look(2_000, 2, 1)).toBe(false);
    expect(ages.look(2_099, 2, 1)).toBe(false);
    expect(ages.look(2_100, 2, 1)).toBe(true);
  });
});

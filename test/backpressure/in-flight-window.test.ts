import { describe, expect, it } from '@jest/globals';
import { InFlightWindow } from '../../src/backpressure/in-flight-window.js';

describe('InFlightWindow', () => {
  it('is full at either limit, and free below both', () => {
    const window = new InFlightWindow({ count: 2, bytes: 10 });
    window.take(3);
    expect(window.isFull).toBe(false);
    window.take(3);
    expect(window.isFull).toBe(true);
    window.free(1, 3);
    window.take(7);
    window.free(1, 0);
    expect([window.count, window.bytes, window.isFull]).toEqual([1, 10, true]);
    window.free(1, 10);
    expect([window.count, window.bytes, window.isFull]).toEqual([0, 0, false]);
  });

  it('is full of one that is larger than all of it: it passes alone', () => {
    const window = new InFlightWindow({ count: 100, bytes: 10 });
    expect(window.isFull).toBe(false);
    window.take(1_000);
    expect(window.isFull).toBe(true);
  });
});

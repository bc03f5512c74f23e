import { describe, expect, it } from '@jest/globals';
import { growthPercentOf, isHeapSet } from '../../src/cli/heap-growth.js';
import { MiB } from '../../src/core/units.js';

describe('growthPercentOf', () => {
  it('lets a heap grow by 64 MiB, and at most to five times its size', () => {
    expect(growthPercentOf(32 * MiB)).toBe(200);
    expect(growthPercentOf(64 * MiB)).toBe(100);
    expect(growthPercentOf(16 * MiB)).toBe(400);
    expect(growthPercentOf(4 * MiB)).toBe(400);
  });

  it('leaves a large heap to V8', () => {
    expect(growthPercentOf(128 * MiB)).toBe(50);
    expect(growthPercentOf(129 * MiB)).toBe(0);
    expect(growthPercentOf(2048 * MiB)).toBe(0);
  });
});

describe('isHeapSet', () => {
  it('knows the options of Node that decide how the heap grows', () => {
    for (const option of [
      '--initial-old-space-size=256',
      '--initial_old_space_size=256',
      '--initial-heap-size=64',
      '--heap-growing-percent=100',
      '--optimize-for-size',
    ]) {
      expect(isHeapSet(['--enable-source-maps', option])).toBe(true);
    }
  });

  it('does not take other options for them', () => {
    expect(isHeapSet(['--max-old-space-size=256', '--max-semi-space-size=8', ''])).toBe(false);
  });
});

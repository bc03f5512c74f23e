import { describe, expect, it } from '@jest/globals';
import type { Origin } from '../../src/delivery/delivery.js';
import { derivedOrigin } from '../../src/delivery/derived-origin.js';
import { DRIVER_ORIGINS, factsIn } from '../support/driver-origins.js';

describe('derivedOrigin', () => {
  it.each(Object.entries(DRIVER_ORIGINS))('says what an origin of %s says, but for the changes', (_, make) => {
    for (const from of make()) {
      const part = derivedOrigin(derivedOrigin(from, { part: '1' }), { byteLength: 7 });
      expect(factsIn(part)).toEqual(factsIn(from));
      expect([part.part, part.byteLength, part.lastOffset, part.digest]).toEqual(['1', 7, undefined, undefined]);
      expect(Object.getPrototypeOf(part)).toBe(Object.getPrototypeOf(from));
      for (const name of ['stream', 'offset', 'epoch', 'part']) expect(name in part).toBe(true);
      expect('nothing' in part).toBe(false);
    }
  });

  it('asks when it is asked, and not before', () => {
    const asked: string[] = [];
    class Slow {
      readonly stream = 's';
      readonly offset = 3;
      readonly epoch = 1;
      readonly byteLength = 1;
      get key() {
        asked.push('key');
        return null;
      }
    }
    const part = derivedOrigin(new Slow(), { part: '0' });
    expect([part.offset, part.part, asked]).toEqual([3, '0', []]);
    expect([part.key, asked]).toEqual([null, ['key']]);
  });

  it('has the own properties of the other, and those that were changed, also where the other is frozen', () => {
    const from: Origin = Object.freeze({ stream: 's', offset: 3, epoch: 1, byteLength: 9 });
    const joined = derivedOrigin(from, { byteLength: 20, lastOffset: 5 });
    expect(joined).toEqual({ stream: 's', offset: 3, epoch: 1, byteLength: 20, lastOffset: 5 });
    expect(JSON.parse(JSON.stringify(joined))).toEqual({
      stream: 's',
      offset: 3,
      epoch: 1,
      byteLength: 20,
      lastOffset: 5,
    });
  });
});

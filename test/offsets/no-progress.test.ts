import { describe, expect, it } from '@jest/globals';
import { NoProgress, type StreamPosition } from '../../src/offsets/no-progress.js';

const OWNER = {};
const at = (read: number, acked: number, handedOver: number): StreamPosition => ({
  stream: 's',
  read,
  acked,
  handedOver,
});

/** The answers to readings, one a second, of which each is a position of the stream. */
function seconds(positions: readonly (StreamPosition & { readonly isIdle?: boolean; readonly owner?: object })[]) {
  const noProgress = new NoProgress();
  return positions.map((position, second) =>
    noProgress.of(position.owner ?? OWNER, [position], second * 1_000, position.isIdle !== true),
  );
}

describe('no progress', () => {
  it.each([
    ['reading', [at(0, 0, 0), at(1, 0, 0), at(2, 0, 0), at(2, 0, 0)], [0, 0, 0, 1]],
    ['acking', [at(9, 0, 9), at(9, 1, 9), at(9, 1, 9), at(9, 2, 9)], [0, 0, 1, 0]],
    ['handing over', [at(9, 0, 1), at(9, 0, 2), at(9, 0, 3), at(9, 0, 3)], [0, 0, 0, 1]],
    // After a nack what was handed over counts from 0 again.
    ['the first pass after a nack', [at(9, 0, 9), at(9, 0, 0), at(9, 0, 3), at(9, 0, 6)], [0, 1, 0, 0]],
    [
      'later passes, once they are further',
      [at(9, 0, 9), at(9, 0, 0), at(9, 0, 3), at(9, 0, 1), at(9, 0, 3), at(9, 0, 4)],
      [0, 1, 0, 1, 2, 0],
    ],
    [
      'a pass after an ack, as the first',
      [at(9, 0, 9), at(9, 0, 0), at(9, 0, 3), at(9, 4, 6), at(9, 4, 0), at(9, 4, 1)],
      [0, 1, 0, 0, 1, 0],
    ],
    ['a new assignment', [at(9, 0, 9), at(9, 0, 9), { ...at(2, 0, 0), owner: {} }], [0, 1, 0]],
    ['nothing to do', [at(9, 0, 9), at(9, 0, 9), { ...at(9, 0, 9), isIdle: true }, at(9, 0, 9)], [0, 1, 0, 1]],
  ])('ends with %s', (_, positions, expected) => {
    expect(seconds(positions)).toEqual(expected);
  });

  it('grows while a storage takes a little, hangs, and is tried again', () => {
    const passes = Array.from({ length: 20 }, () => [at(9, 0, 0), at(9, 0, 2)]).flat();
    // The first pass again counts, the others don't.
    expect(seconds([at(9, 0, 2), ...passes]).at(-1)).toBe(38);
  });

  it('never grows while a long pass is stored well, from the second reading on', () => {
    const pass = Array.from({ length: 600 }, (_, second) => at(100_000, 0, second * 50));
    expect(Math.max(...seconds([at(100_000, 0, 100_000), ...pass]))).toBe(1);
  });
});

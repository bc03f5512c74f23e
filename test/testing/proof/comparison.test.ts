import { describe, expect, it } from '@jest/globals';
import { compare, isSame, linesOf, repeated, textLines, together } from '../../../src/testing/proof/comparison.js';
import { Roots } from '../../../src/testing/proof/roots.js';

const ROOTS = new Roots(['/lake'], ['/bad/']);

function lines(files: Readonly<Record<string, string>>) {
  const bytes = Object.entries(files).map(([path, text]) => [path, Buffer.from(text)] as const);
  return linesOf(bytes, ROOTS, textLines);
}

describe('what a reader sees', () => {
  it('is the lines of the files below the roots, without what is the sinks own', () => {
    const seen = lines({
      '/lake/p=1/x': 'a\nb\n',
      '/lake/p=1/y': 'a\n\n',
      '/lake/_rxflume/tmp/z': 'c\n',
      '/lake/_rxflumes': 'd',
      '/lakes/x': 'e\n',
      '/bad/x': 'f\n',
      '/bad/_rxflume/x': 'g\n',
    });
    expect(Object.fromEntries(seen)).toEqual({
      '/lake/p=1\na': ['/lake/p=1/x', '/lake/p=1/y'],
      '/lake/p=1\nb': ['/lake/p=1/x'],
      '/lake/p=1\n': ['/lake/p=1/y'],
      '/lake\nd': ['/lake/_rxflumes'],
      '/bad\nf': ['/bad/x'],
    });
  });

  it('differs by what is lost, stored twice, or foreign, each in its folder', () => {
    const expected = lines({ '/lake/p=1/x': 'a\nb\nb\n', '/lake/p=2/x': 'c\nd\n', '/bad/x': 'e\nf\n' });
    const actual = lines({
      '/lake/p=1/y': 'a\na\nb\n',
      '/lake/p=2/y': 'c\n',
      '/lake/p=1/z': 'c\n',
      '/bad/y': 'e\ne\n',
    });
    const { lost, twice, foreign } = compare(expected, actual, ROOTS);
    expect(twice).toEqual([{ folder: '/lake/p=1', line: 'a', expected: 1, files: ['/lake/p=1/y', '/lake/p=1/y'] }]);
    expect(foreign).toEqual([{ folder: '/lake/p=1', line: 'c', expected: 0, files: ['/lake/p=1/z'] }]);
    expect(lost).toEqual([
      { folder: '/lake/p=1', line: 'b', expected: 2, files: ['/lake/p=1/y'] },
      { folder: '/lake/p=2', line: 'd', expected: 1, files: [] },
      { folder: '/bad', line: 'f', expected: 1, files: [] },
    ]);
  });

  it('is the same in other files, and together as often as in each', () => {
    const one = lines({ '/lake/x': 'a\nb\n' });
    expect(isSame(one, lines({ '/lake/y': 'b\n', '/lake/z': 'a\n' }))).toBe(true);
    expect(isSame(one, lines({ '/lake/y': 'b\na\na\n' }))).toBe(false);
    expect(isSame(one, lines({ '/lake/y': 'a\n' }))).toBe(false);
    expect(isSame(together([one, one]), lines({ '/lake/y': 'a\na\nb\nb\n' }))).toBe(true);
  });

  it('has a line of one record twice only in different files', () => {
    expect(repeated(lines({ '/lake/x': 'a\na\n', '/bad/x': 'a\n', '/bad/y': 'a\n' }), ROOTS)).toEqual([]);
    expect(repeated(lines({ '/lake/x': 'a\n', '/lake/y': 'a\n' }), ROOTS)).toHaveLength(1);
  });
});

import { drawRows, type Mark } from './row.js';

/**
 * What happened is not what was drawn. The message shows both, one under the other.
 *
 * ```ts
 * import { MarbleError, marbles } from 'rxflume/testing';
 *
 * let thrown: unknown;
 * try {
 *   marbles((m) => m.expectAcks('--a'));
 * } catch (error) {
 *   thrown = error;
 * }
 * thrown instanceof MarbleError; // → true
 * ```
 */
export class MarbleError extends Error {
  override readonly name = 'MarbleError';
}

/** Throws a `MarbleError` where the marks are not the expected ones; those of one moment in any order. */
export function expectMarks(
  what: string,
  actual: readonly Mark[],
  expected: readonly Mark[],
  legend: string[] = [],
): void {
  const frame = firstDifference(actual, expected);
  if (frame === undefined) return;
  const at = (marks: readonly Mark[]) => labelsAt(marks, frame).join(', ') || 'nothing';
  const marks = [{ frame, label: '^' }];
  const rows = [
    { name: 'expected', marks: expected },
    { name: 'actual', marks: actual },
    { name: '', marks },
  ];
  const lines = drawRows(rows);
  const pointer = (lines[2] as string).replaceAll('-', ' ').replace(/ \d+ms /g, (time) => ' '.repeat(time.length));
  throw new MarbleError(
    [
      `The ${what} are not as drawn. At ${frame} ms: expected ${at(expected)}, got ${at(actual)}.`,
      ...lines.slice(0, 2),
      pointer.trimEnd(),
      ...legend,
    ].join('\n'),
  );
}

function firstDifference(actual: readonly Mark[], expected: readonly Mark[]): number | undefined {
  const frames = [...new Set([...actual, ...expected].map(({ frame }) => frame))].sort((a, b) => a - b);
  return frames.find((frame) => labelsAt(actual, frame).join('\n') !== labelsAt(expected, frame).join('\n'));
}

function labelsAt(marks: readonly Mark[], frame: number): string[] {
  return marks
    .filter((mark) => mark.frame === frame)
    .map(({ label, detail }) => label + (detail ? `(${detail})` : ''))
    .sort();
}

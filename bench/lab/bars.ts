/** A bar that a measurement must reach, by its own figures in the same run. */
export interface Bar {
  readonly what: string;
  /** As a person says it: `≥ 1.2`. */
  readonly wanted: string;
  /** Not a number where a contestant was missing. */
  readonly got: number;
  readonly holds: boolean;
  readonly unit?: string;
}

export function atLeast(what: string, got: number, least: number, unit = '×'): Bar {
  return { what, wanted: `≥ ${least} ${unit}`, got, holds: got >= least, unit };
}

export function atMost(what: string, got: number, most: number, unit = '×'): Bar {
  return { what, wanted: `≤ ${most} ${unit}`, got, holds: got <= most, unit };
}

export function barLines(bars: readonly Bar[]): string[] {
  return bars.map(({ what, wanted, got, holds, unit = '' }) => {
    const verdict = Number.isNaN(got) ? 'not measured' : holds ? 'holds' : 'DOES NOT HOLD';
    return `  ${what.padEnd(64)} ${wanted.padStart(10)}   got ${Number.isNaN(got) ? '–' : `${round(got)} ${unit}`}: ${verdict}`;
  });
}

export const round = (number: number): number => Number(number.toPrecision(3));

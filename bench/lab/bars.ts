/** A bar that a measurement must reach, by its own figures in the same run. */
export interface Bar {
  readonly what: string;
  /** As a person says it: `≥ 1.2`. */
  readonly wanted: string;
  /** Not a number where a contestant was missing. */
  readonly got: number;
  readonly holds: boolean;
  readonly unit: string;
}

export function atLeast(what: string, got: number, least: number, unit = '×'): Bar {
  return { what, wanted: `≥ ${least} ${unit}`, got, holds: got >= least, unit };
}

export function atMost(what: string, got: number, most: number, unit = '×'): Bar {
  return { what, wanted: `≤ ${most} ${unit}`, got, holds: got <= most, unit };
}

export function barLines(bars: readonly Bar[]): string[] {
  return bars.map((bar) => `  ${bar.what.padEnd(66)} ${bar.wanted.padStart(10)}   ${barVerdict(bar)}`);
}

/** What was got, and whether the bar holds. */
export function barVerdict({ got, holds, unit }: Bar): string {
  // A result read from a file has null for what is not a number.
  if (!Number.isFinite(got ?? Number.NaN)) return 'not measured';
  return `${Number(got.toPrecision(3))} ${unit}, ${holds ? 'holds' : 'DOES NOT HOLD'}`;
}

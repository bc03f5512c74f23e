/** Lines by file, as runs of their numbers: each the first and the last. */
export type Ranges = Readonly<Record<string, readonly (readonly [first: number, last: number])[]>>;

/** The lines as ranges, files in the order of their names. */
export function rangesOf(lines: readonly { readonly file: string; readonly line: number }[]): Ranges {
  // Without a prototype: a file may be called `__proto__`.
  const ranges: Record<string, [number, number][]> = Object.create(null);
  for (const { file, line } of [...lines].sort(byPlace)) {
    ranges[file] ??= [];
    const runs = ranges[file];
    const last = runs.at(-1);
    if (last !== undefined && line <= last[1] + 1) last[1] = Math.max(last[1], line);
    else runs.push([line, line]);
  }
  return ranges;
}

function byPlace(
  a: { readonly file: string; readonly line: number },
  b: { readonly file: string; readonly line: number },
): number {
  if (a.file === b.file) return a.line - b.line;
  return a.file < b.file ? -1 : 1;
}

/** How many lines they are. */
export function sizeOf(ranges: Ranges): number {
  let size = 0;
  for (const runs of Object.values(ranges)) for (const [first, last] of runs) size += last - first + 1;
  return size;
}

/** Which of ranges a line is in, looked up fast: what is said of a range is said of its lines. */
export class RangeIndex<T> {
  readonly #runs = new Map<string, { first: number; last: number; before: number; of: T }[]>();
  #isSorted = true;

  /** `before`: how many lines of the same ranges come before it. */
  add(ranges: Ranges, of: T): void {
    let before = 0;
    for (const [file, runs] of Object.entries(ranges).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const known = this.#runs.get(file) ?? [];
      for (const [first, last] of runs) {
        known.push({ first, last, before, of });
        before += last - first + 1;
      }
      this.#runs.set(file, known);
    }
    this.#isSorted = false;
  }

  /** What was said of the line, and which of its ranges' lines it is, from 0. */
  find(file: string, line: number): { readonly of: T; readonly index: number } | undefined {
    if (!this.#isSorted) for (const runs of this.#runs.values()) runs.sort((a, b) => a.first - b.first);
    this.#isSorted = true;
    const runs = this.#runs.get(file) ?? [];
    let low = 0;
    let high = runs.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const run = runs[middle];
      if (run === undefined) return undefined;
      if (line < run.first) high = middle - 1;
      else if (line > run.last) low = middle + 1;
      else return { of: run.of, index: run.before + line - run.first };
    }
    return undefined;
  }
}

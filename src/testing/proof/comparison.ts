import type { Roots } from './roots.js';

/** Makes the lines of a file from its bytes. */
export type ReadLines = (bytes: Uint8Array, path: string) => readonly string[];

/** The files that hold a line, by `lineKey`; a file is listed once for each time that it holds the line. */
export type Lines = ReadonlyMap<string, readonly string[]>;

/** A line that a folder holds more or fewer times than it should. */
export interface Difference {
  readonly folder: string;
  readonly line: string;
  readonly expected: number;
  /** The files that hold it. */
  readonly files: readonly string[];
}

export interface Differences {
  readonly lost: readonly Difference[];
  readonly twice: readonly Difference[];
  readonly foreign: readonly Difference[];
}

function lineKey(folder: string, line: string): string {
  return `${folder}\n${line}`;
}

/** The folder and the line of a key. */
export function ofKey(key: string): { readonly folder: string; readonly line: string } {
  const end = key.indexOf('\n');
  return { folder: key.slice(0, end), line: key.slice(end + 1) };
}

/** What a reader sees: each line of each visible file, by its folder. */
export function linesOf(
  files: readonly (readonly [path: string, bytes: Uint8Array])[],
  roots: Roots,
  readLines: ReadLines,
): Lines {
  const lines = new Map<string, string[]>();
  for (const [path, bytes] of files) {
    if (roots.placeOf(path) !== 'visible') continue;
    const folder = path.slice(0, path.lastIndexOf('/'));
    for (const line of readLines(bytes, path)) addTo(lines, lineKey(folder, line), path);
  }
  return lines;
}

/** How the lines differ from those expected. */
export function compare(expected: Lines, actual: Lines, roots: Roots): Differences {
  const lost: Difference[] = [];
  const twice: Difference[] = [];
  const foreign: Difference[] = [];
  for (const [key, files] of actual) {
    const count = expected.get(key)?.length ?? 0;
    if (files.length <= count) continue;
    const difference = { ...ofKey(key), expected: count, files };
    if (count === 0) foreign.push(difference);
    else if (!roots.mayRepeat(difference.folder)) twice.push(difference);
  }
  for (const [key, { length }] of expected) {
    const files = actual.get(key) ?? [];
    if (files.length < length) lost.push({ ...ofKey(key), expected: length, files });
  }
  return { lost, twice, foreign };
}

/** The lines of all, together. */
export function together(all: Iterable<Lines>): Lines {
  const lines = new Map<string, string[]>();
  for (const one of all) for (const [key, files] of one) for (const file of files) addTo(lines, key, file);
  return lines;
}

/** Lines that one record alone has brought into several files. */
export function repeated(lines: Lines, roots: Roots): readonly Difference[] {
  return [...lines]
    .filter(([key, files]) => new Set(files).size > 1 && !roots.mayRepeat(ofKey(key).folder))
    .map(([key, files]) => ({ ...ofKey(key), expected: 1, files }));
}

/** Whether both hold the same lines as often, in whichever files. */
export function isSame(one: Lines, other: Lines): boolean {
  return one.size === other.size && [...one].every(([key, files]) => other.get(key)?.length === files.length);
}

/** The lines of a text file. */
export function textLines(bytes: Uint8Array): readonly string[] {
  const lines = new TextDecoder().decode(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function addTo(lines: Map<string, string[]>, key: string, file: string): void {
  const files = lines.get(key);
  if (files === undefined) lines.set(key, [file]);
  else files.push(file);
}

import type { MemoryKafka } from '../memory/memory-kafka.js';
import { type Lines, linesOf, ofKey, type ReadLines } from './comparison.js';
import type { FileWatch } from './gated-files.js';
import { isWithin, type Roots } from './roots.js';

/** The lines that each record becomes, by `topic/partition` and offset. */
export type LinesOfRecords = ReadonlyMap<string, readonly Lines[]>;

/** The store that is watched. */
export interface Store {
  files(): Record<string, Uint8Array>;
  unfinished(): readonly string[];
  take(path: string): Uint8Array;
}

/** Looks for what must never be, while the stores are used: at the end it may no longer be seen. */
export class Recorder implements FileWatch {
  readonly #fs: Store;
  readonly #kafka: MemoryKafka;
  readonly #roots: Roots;
  readonly #readLines: ReadLines;
  readonly #linesOfRecords: LinesOfRecords | undefined;
  readonly #partial = new Set<string>();
  readonly #withdrawn = new Set<string>();
  readonly #outside = new Set<string>();
  readonly #ahead: string[] = [];
  readonly #checkedUpTo = new Map<string, number>();
  readonly #taken: [string, Uint8Array][] = [];
  #commitsSeen = 0;

  constructor(
    fs: Store,
    kafka: MemoryKafka,
    reading: {
      readonly roots: Roots;
      readonly readLines: ReadLines;
      readonly linesOfRecords: LinesOfRecords | undefined;
    },
  ) {
    this.#fs = fs;
    this.#kafka = kafka;
    this.#roots = reading.roots;
    this.#readLines = reading.readLines;
    this.#linesOfRecords = reading.linesOfRecords;
  }

  /** Files that were visible while they were written, so that a reader may have seen a part of one. */
  get partial(): readonly string[] {
    return [...this.#partial];
  }

  /** Visible files that were taken away, or moved elsewhere, after a reader may have read them. */
  get withdrawn(): readonly string[] {
    return [...this.#withdrawn];
  }

  /** Files in none of the roots. */
  get outside(): readonly string[] {
    return [...this.#outside];
  }

  /** Commits of offsets below which something was not stored. */
  get ahead(): readonly string[] {
    return this.#ahead;
  }

  /** What a reader sees now, and has taken away before. */
  visible(): Lines {
    return linesOf([...this.#taken, ...Object.entries(this.#fs.files())], this.#roots, this.#readLines);
  }

  /** A reader takes all away that it sees. */
  take(): void {
    for (const path of Object.keys(this.#fs.files())) {
      if (this.#roots.placeOf(path) === 'visible') this.#taken.push([path, this.#fs.take(path)]);
    }
  }

  written(path: string): void {
    const place = this.#roots.placeOf(path);
    if (place === 'visible') this.#partial.add(path);
    if (place === 'outside') this.#outside.add(path);
  }

  moved(from: string, to: string): void {
    this.removed(from);
    this.named(from, to);
  }

  named(from: string, to: string): void {
    const place = this.#roots.placeOf(to);
    if (place === 'outside') this.#outside.add(to);
    if (place !== 'visible' || !this.#fs.unfinished().includes(from)) return;
    if (!(to in this.#fs.files())) this.#partial.add(to);
  }

  removed(path: string): void {
    if (this.#roots.placeOf(path) === 'own') return;
    for (const file of Object.keys(this.#fs.files())) {
      if (isWithin(file, path) && this.#roots.placeOf(file) === 'visible') this.#withdrawn.add(file);
    }
  }

  committed(): void {
    const fresh = this.#kafka.commits.slice(this.#commitsSeen);
    this.#commitsSeen = this.#kafka.commits.length;
    let visible: Lines | undefined;
    for (const { topic, partition, offset } of fresh) {
      const stream = `${topic}/${partition}`;
      const records = this.#linesOfRecords?.get(stream);
      const checked = this.#checkedUpTo.get(stream) ?? 0;
      if (records === undefined || offset <= checked) continue;
      this.#checkedUpTo.set(stream, offset);
      visible ??= this.visible();
      for (let at = checked; at < offset; at += 1) this.#look(stream, at, offset, records[at], visible);
    }
  }

  #look(stream: string, at: number, committed: number, lines: Lines | undefined, visible: Lines): void {
    for (const key of lines?.keys() ?? []) {
      if (visible.has(key)) continue;
      this.#ahead.push(`${stream} was committed up to ${committed} when ${ofKey(key).line} (${at}) was not stored`);
    }
  }
}

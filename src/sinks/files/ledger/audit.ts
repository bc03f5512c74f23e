import { quarantinePath } from '../names.js';
import type { LedgerEntry, StoredFile } from './entry.js';
import { type LedgerProblem, LedgerProblems } from './problem.js';
import type { LedgerReading } from './reading.js';

/** An entry that could be read. */
interface Known {
  readonly path: string;
  readonly modifiedMs: number;
  readonly entry: LedgerEntry;
}

/** Entries that follow each other, oldest first. */
type Run = readonly Known[];

export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** What a ledger comes to. Verified where there are no problems. */
export interface LedgerAudit {
  readonly stream: string;
  /** Entries that exist, stale and damaged ones too. */
  readonly entries: number;
  /** What the kept entries account for without a gap up to the newest; null where none can be read. */
  readonly from: number | null;
  readonly next: number | null;
  /** What is in the files of the kept entries. */
  readonly values: number;
  readonly files: number;
  readonly bytes: number;
  readonly newest: {
    readonly from: number;
    readonly next: number;
    readonly writer: string;
    readonly modifiedMs: number;
  } | null;
  /** Files of the newest entry that are still at their temporary paths: renamed at the next assignment. */
  readonly unpublished: Amount;
  /** Entries whose writer had been overtaken; none of their files was ever made visible. */
  readonly stale: readonly {
    readonly path: string;
    readonly from: number;
    readonly next: number;
    readonly writer: string;
  }[];
  /** Offsets that a person moved the ledger past, because the source no longer had them. */
  readonly skipped: readonly {
    readonly from: number;
    readonly next: number;
    readonly modifiedMs: number;
  }[];
  /** Temporary files that are being written, or that their writer may still commit. */
  readonly inProgress: Amount;
  /** Temporary files that nobody can commit any more: removed at the next assignment. */
  readonly orphans: Amount;
  /** Whole files that cannot be made visible; they stay where they are until somebody moves them. */
  readonly quarantined: Amount;
  readonly problems: readonly LedgerProblem[];
}

/**
 * Verifies a ledger from what was read of it: every entry can be read; each begins where the one before ends, back to the
 * oldest that is kept; every file they name exists, at its final path, with its length and with offsets of its entry.
 */
export function auditLedger(read: LedgerReading): LedgerAudit {
  const problems = new LedgerProblems(read.root, read.stream);
  const entries = [...read.entries].sort((a, b) => a.from - b.from);
  const newestFrom = entries.at(-1)?.from ?? -1;
  const damaged = new Set<number>();
  const known: Known[] = [];
  for (const found of entries) {
    if ('entry' in found) known.push(found);
    else {
      damaged.add(found.from);
      problems.damaged(found.path, found.damage, found.from === newestFrom);
    }
  }

  const files = new FilesRead(read);
  const { stale, chain, others } = sortOut(runsOf(known, damaged, newestFrom), files);
  compare(chain, others, files, problems);

  const unpublished: StoredFile[] = [];
  const kept = [...others.flat(), ...chain].sort((a, b) => a.entry.from - b.entry.from);
  for (const { entry, path } of kept) {
    for (const file of entry.files) {
      if (file.first < entry.from || file.last < file.first || file.last >= entry.next) {
        problems.offsets(path, entry, file);
      }
      const isNewest = entry.from === newestFrom;
      if (files.isUnpublished(file) && isNewest) unpublished.push(file);
      else checkFile(entry, file, files, problems, isNewest);
    }
  }

  for (const file of read.quarantined) problems.quarantined(file);

  const newest = chain.at(-1);
  const stillNamed = new Set(unpublished.map(({ temporary }) => files.full(temporary)));
  // While the newest entry cannot be read, what lies where it begins may be its files.
  const oldest = damaged.has(newestFrom) ? newestFrom : newestFrom + 1;
  const inProgress = read.temporaries.filter(({ from }) => from >= oldest);
  const orphans = read.temporaries.filter(({ from, path }) => from < oldest && !stillNamed.has(path));
  const committed = kept.flatMap(({ entry }) => entry.files);
  return {
    stream: read.stream,
    entries: entries.length,
    from: chain[0]?.entry.from ?? null,
    next: newest?.entry.next ?? null,
    values: committed.reduce((sum, { values }) => sum + values, 0),
    ...amountOf(committed),
    newest: newest === undefined ? null : newestOf(newest),
    unpublished: amountOf(unpublished),
    stale: stale.map(({ path, entry: { from, next, writer } }) => ({ path, from, next, writer })),
    skipped: kept
      .filter(({ entry }) => entry.skipped)
      .map(({ entry: { from, next }, modifiedMs }) => ({ from, next, modifiedMs })),
    inProgress: amountOf(inProgress),
    orphans: amountOf(orphans),
    quarantined: amountOf(read.quarantined),
    problems: problems.found,
  };
}

/**
 * Entries that follow each other without a gap, the run of the newest entry first, each run oldest first. A damaged
 * entry, whose end is not known, joins what is before it to what is after it.
 */
function runsOf(known: readonly Known[], damaged: ReadonlySet<number>, newestFrom: number): Run[] {
  const left = [...known];
  const runs: Run[] = [];
  // Where the newest is damaged, the one that leads to it is of the chain, rather than a stale one after it.
  const beforeDamage = left.findLastIndex(({ entry }) => damaged.has(newestFrom) && entry.next === newestFrom);
  left.push(...left.splice(beforeDamage < 0 ? left.length - 1 : beforeDamage, 1));
  for (let newest = left.pop(); newest !== undefined; newest = left.pop()) {
    const run = [newest];
    for (;;) {
      const { from } = (run[0] as Known).entry;
      // Of several the latest: a writer is overtaken only after the entry at its place was folded away, oldest first.
      const at = left.findLastIndex(
        ({ entry }) => entry.from < from && (entry.next === from || (entry.next < from && damaged.has(entry.next))),
      );
      if (at < 0) break;
      run.unshift(...left.splice(at, 1));
    }
    runs.push(run);
  }
  return runs;
}

/**
 * Tells entries that count from stale ones. A writer that was overtaken publishes nothing, so entries that lead nowhere and
 * of which no file exists are stale. So is one at the chain's beginning whose files were all left at their temporary paths:
 * it ends where the chain begins by chance.
 */
function sortOut([whole = [], ...rest]: readonly Run[], files: FilesRead) {
  const newest = whole.at(-1);
  const begins = whole.findIndex((one) => one === newest || !files.isLeft(one.entry));
  const isStale = (run: Run) => files.countOfFinals(run) === 0;
  return {
    stale: [...rest.filter(isStale).flat(), ...whole.slice(0, begins)].sort((a, b) => a.entry.from - b.entry.from),
    chain: whole.slice(begins),
    others: rest.filter((run) => !isStale(run)),
  };
}

/** Says of each run beside the chain whether it lies apart from the others, or over one of them. */
function compare(chain: Run, others: readonly Run[], files: FilesRead, problems: LedgerProblems): void {
  const seen = [rangeOf(chain)];
  for (const run of others) {
    const range = rangeOf(run);
    const crossed = seen.find(({ from, next }) => from < range.next && range.from < next);
    if (crossed === undefined) {
      problems.gap(range.next, Math.min(...seen.map(({ from }) => from).filter((from) => from >= range.next)));
    } else {
      const both = { from: Math.max(range.from, crossed.from), next: Math.min(range.next, crossed.next) };
      problems.overlap(range, both, files.countOfFinals(run));
    }
    seen.push(range);
  }
}

function rangeOf(run: Run): { readonly from: number; readonly next: number } {
  return { from: run[0]?.entry.from ?? 0, next: run.at(-1)?.entry.next ?? 0 };
}

function checkFile(
  entry: LedgerEntry,
  file: StoredFile,
  files: FilesRead,
  problems: LedgerProblems,
  isNewest: boolean,
): void {
  const final = files.final(file);
  const temporary = files.temporary(file);
  if (final === file.bytes || files.isQuarantined(file)) return;
  if (final !== undefined) problems.length(entry, file, final, isNewest);
  else if (temporary === undefined) problems.missing(entry, file);
  else if (isNewest) problems.cutShort(entry, file, temporary);
  else problems.stranded(entry, file);
}

/** The files that were found, by what an entry says of them. */
class FilesRead {
  readonly #read: LedgerReading;
  readonly #temporaries: ReadonlyMap<string, number>;
  readonly #quarantined: ReadonlySet<string>;

  constructor(read: LedgerReading) {
    this.#read = read;
    this.#temporaries = new Map(read.temporaries.map(({ path, bytes }) => [path, bytes]));
    this.#quarantined = new Set(read.quarantined.map(({ path }) => path));
  }

  isQuarantined({ temporary }: StoredFile): boolean {
    return this.#quarantined.has(quarantinePath(this.#read.root, this.#read.stream, temporary));
  }

  full(path: string): string {
    return `${this.#read.root}/${path}`;
  }

  final(file: StoredFile): number | undefined {
    return this.#read.finals.get(this.full(file.final));
  }

  temporary(file: StoredFile): number | undefined {
    return this.#temporaries.get(this.full(file.temporary));
  }

  /** Whether it is whole, and still at its temporary path. */
  isUnpublished(file: StoredFile): boolean {
    return this.final(file) === undefined && this.temporary(file) === file.bytes;
  }

  /** Whether it has files, and all of them are still at their temporary paths. */
  isLeft({ files }: LedgerEntry): boolean {
    return files.length > 0 && files.every((file) => this.isUnpublished(file));
  }

  /** A file in quarantine counts too: its entry was carried out. */
  countOfFinals(run: Run): number {
    const files = run.flatMap(({ entry }) => entry.files);
    return files.filter((file) => this.final(file) !== undefined || this.isQuarantined(file)).length;
  }
}

function newestOf({ entry: { from, next, writer }, modifiedMs }: Known) {
  return { from, next, writer, modifiedMs };
}

function amountOf(files: readonly { readonly bytes: number }[]): Amount {
  return { files: files.length, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}

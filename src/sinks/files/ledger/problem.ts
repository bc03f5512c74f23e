import { ledgerFolder, ledgerPath } from '../names.js';
import type { LedgerEntry, StoredFile } from './entry.js';
import type { QuarantineReading } from './reading.js';

export type ProblemKind = 'damaged' | 'gap' | 'overlap' | 'missing' | 'length' | 'stranded' | 'quarantined' | 'offsets';

/** Something wrong with a ledger, as a person wants to read it: sentences without their paths repeated. */
export interface LedgerProblem {
  readonly kind: ProblemKind;
  /** The file or folder. */
  readonly where: string;
  readonly what: string;
  readonly means: string;
  readonly advice: string;
}

/** Offsets from `from` up to, without, `next`. */
export interface Range {
  readonly from: number;
  readonly next: number;
}

/** The problems of one stream's ledger: what each is, what it means, what to do. */
export class LedgerProblems {
  readonly found: LedgerProblem[] = [];
  readonly #root: string;
  readonly #stream: string;

  constructor(root: string, stream: string) {
    this.#root = root;
    this.#stream = stream;
  }

  damaged(path: string, why: string, isNewest: boolean): void {
    this.#add('damaged', path, `The entry cannot be used: ${why}.`, {
      means: isNewest
        ? 'It is the newest, which says where the stream resumes: no flow reads the stream until the entry can be read.'
        : 'The flow goes on, since it reads only the newest entry. The files of this one are not checked.',
      advice: isNewest
        ? 'Find out what wrote to it, and restore it from a snapshot or the trash. Do not remove it: what it has committed would be read again.'
        : 'Find out what wrote to it, and restore it from a snapshot or the trash. Left as it is, it goes when old entries are folded away.',
    });
  }

  /** Entries end at `end`, and the next ones begin at `start`. */
  gap(end: number, start: number): void {
    this.#add(
      'gap',
      ledgerFolder(this.#root, this.#stream),
      `No entry accounts for ${span(end, start - 1)}: one ends at ${end}, the next begins at ${start}.`,
      {
        means:
          'Something other than rxflume removed entries: rxflume folds away only the oldest. The flow goes on; files of these offsets are not checked.',
        advice:
          'Restore the entries from a snapshot or the trash, or look by hand whether files of these offsets exist.',
      },
    );
  }

  /** Entries that lead to no others, whose offsets others have in `both` too; so many of their files exist. */
  overlap(run: Range, both: Range, files: number): void {
    const path = ledgerPath(this.#root, this.#stream, run.from);
    this.#add(
      'overlap',
      path,
      `The entry, from ${run.from} to ${run.next}, is not on the chain, whose entries have ${span(both.from, both.next - 1)} too, ` +
        `and ${files === 1 ? 'one file' : `${files} files`} of it can be seen.`,
      {
        means:
          'Values of these offsets may be stored twice. rxflume makes no such file visible, so something else moved or copied it.',
        advice:
          'Stop the flow, compare the files that the entry names with those of the others, and move away the duplicates.',
      },
    );
  }

  missing(entry: LedgerEntry, file: StoredFile): void {
    this.#add('missing', this.#full(file.final), `The file is gone: ${describe(file)}, committed by ${of(entry)}.`, {
      means: 'A reader of the folder has moved it, or it was removed by hand. If neither, its values are lost.',
      advice: `See what takes files from the folder. Its values are not read again by themselves: where they are needed, restore the file, or read ${span(file.first, file.last)} into another sink.`,
    });
  }

  length(entry: LedgerEntry, file: StoredFile, found: number, isNewest: boolean): void {
    const stops = isNewest ? ' It is of the newest entry, so no flow resumes the stream until this is repaired.' : '';
    this.#add(
      'length',
      this.#full(file.final),
      `The file has ${found} bytes, not ${file.bytes}: ${describe(file)}, committed by ${of(entry)}.`,
      {
        means: `It was cut short, added to or replaced after it was made visible.${stops}`,
        advice: `See what writes to it, and restore it; or move it away, and read ${span(file.first, file.last)} into another sink.`,
      },
    );
  }

  cutShort(entry: LedgerEntry, file: StoredFile, found: number): void {
    this.#add(
      'length',
      this.#full(file.temporary),
      `The file has ${found} bytes, not ${file.bytes}: ${describe(file)}, committed by ${of(entry)}, not yet published.`,
      {
        means: 'It was changed after its commit, and is made visible as it is at the next assignment.',
        advice: 'Stop the flow, see what writes under _rxflume/tmp, and restore the file.',
      },
    );
  }

  stranded(entry: LedgerEntry, file: StoredFile): void {
    this.#add(
      'stranded',
      this.#full(file.temporary),
      `The file was never made visible: ${describe(file)}, committed by ${of(entry)}, after which others were committed.`,
      {
        means: 'No reader sees its values, and it is removed as an orphan at the next assignment.',
        advice: `Stop the flow, and move it to ${this.#full(file.final)} before it starts again.`,
      },
    );
  }

  quarantined({ path, bytes, reason }: QuarantineReading): void {
    const what =
      reason === null
        ? `The file of ${bytes} bytes could not be made visible; the reason beside it cannot be read.`
        : `The file could not be made visible at ${this.#full(reason.final)}: ${describe(reason)}. ${reason.reason}`;
    this.#add('quarantined', path, what, {
      means: 'No reader sees its values. They are safe here, and are not read again; the flow goes on.',
      advice:
        'Move the file to where readers find it, under a name that the store takes, and remove the reason beside it. See what makes such a bucket.',
    });
  }

  offsets(path: string, { from, next }: LedgerEntry, { final, first, last }: StoredFile): void {
    this.#add(
      'offsets',
      path,
      `Its file ${final} has ${span(first, last)}, the entry those from ${from} to ${next - 1}.`,
      {
        means: 'The entry was changed after its commit, or something else than rxflume made it.',
        advice: 'Find out what wrote to it, and restore it from a snapshot or the trash.',
      },
    );
  }

  #add(
    kind: ProblemKind,
    where: string,
    what: string,
    { means, advice }: Pick<LedgerProblem, 'means' | 'advice'>,
  ): void {
    this.found.push({ kind, where, what, means, advice });
  }

  #full(path: string): string {
    return `${this.#root}/${path}`;
  }
}

function describe({ values, bytes, first, last }: Pick<StoredFile, 'values' | 'bytes' | 'first' | 'last'>): string {
  return `${values} value${values === 1 ? '' : 's'} in ${bytes} bytes, ${span(first, last)}`;
}

function of({ from, next, writer }: LedgerEntry): string {
  return `writer ${writer} in the entry from ${from} to ${next}`;
}

function span(first: number, last: number): string {
  return first === last ? `offset ${first}` : `offsets ${first} to ${last}`;
}

import { describe, expect, it } from '@jest/globals';
import { auditLedger } from '../../../../src/sinks/files/ledger/audit.js';
import type { LedgerEntry, StoredFile } from '../../../../src/sinks/files/ledger/entry.js';
import type { EntryReading, QuarantineReading } from '../../../../src/sinks/files/ledger/reading.js';
import { ledgerPath, temporaryFolder } from '../../../../src/sinks/files/names.js';

const root = '/lake';
const stream = 'kafka:chat/3';

/** A ledger as it is read, made entry by entry, with all files at their final paths. */
class Made {
  readonly entries: EntryReading[] = [];
  readonly temporaries: { from: number; path: string; bytes: number }[] = [];
  readonly finals = new Map<string, number>();
  readonly quarantined: QuarantineReading[] = [];

  /** An entry of so many files of ten bytes, which have its offsets. */
  entry(from: number, next: number, { writer = `w${from}`, files = 1 } = {}): this {
    const made = Array.from({ length: files }, (_, n): StoredFile => {
      const temporary = `_rxflume/tmp/kafka+chat~3/${String(from).padStart(16, '0')}/${writer}-${n}`;
      const final = `b${n}/kafka+chat~3+${from}+${next - 1}+${writer}.jsonl`;
      return { temporary, final, bytes: 10, values: 2, first: from, last: next - 1 };
    });
    return this.hasEntry({ writer, stream, from, next, files: made });
  }

  hasEntry(entry: LedgerEntry): this {
    const path = ledgerPath(root, stream, entry.from);
    this.entries.push({ from: entry.from, path, modifiedMs: entry.from * 1_000, entry });
    for (const { final, bytes } of entry.files) this.finals.set(`${root}/${final}`, bytes);
    return this;
  }

  damaged(from: number): this {
    this.entries.push({ from, path: ledgerPath(root, stream, from), modifiedMs: 0, damage: 'it is not an object' });
    return this;
  }

  temporary(from: number, name: string, bytes = 7): this {
    this.temporaries.push({ from, path: `${temporaryFolder(root, stream, from)}/${name}`, bytes });
    return this;
  }

  /** The files of the entry from there are not at their final paths; `left`: at their temporary ones, so long. */
  unpublish(from: number, left?: number): this {
    for (const { temporary, final } of this.filesOf(from)) {
      this.finals.delete(`${root}/${final}`);
      if (left !== undefined) this.temporaries.push({ from, path: `${root}/${temporary}`, bytes: left });
    }
    return this;
  }

  filesOf(from: number): readonly StoredFile[] {
    const found = this.entries.find((one) => one.from === from);
    return found !== undefined && 'entry' in found ? found.entry.files : [];
  }

  get audit() {
    return auditLedger({ root, stream, ...this });
  }

  /** Kind and place of each problem. */
  get problems(): string[] {
    return this.audit.problems.map(({ kind, where }) => `${kind} ${where}`);
  }
}

const place = (from: number) => ledgerPath(root, stream, from);

describe('auditLedger', () => {
  it('verifies a chain whose files all exist, and sums it up', () => {
    const made = new Made().entry(10, 20, { files: 2 }).entry(0, 10).entry(20, 20).entry(20, 35);
    made.entries.splice(2, 1);
    expect(made.audit).toEqual({
      stream,
      entries: 3,
      from: 0,
      next: 35,
      values: 8,
      files: 4,
      bytes: 40,
      newest: { from: 20, next: 35, writer: 'w20', modifiedMs: 20_000 },
      unpublished: { files: 0, bytes: 0 },
      stale: [],
      inProgress: { files: 0, bytes: 0 },
      orphans: { files: 0, bytes: 0 },
      skipped: [],
      quarantined: { files: 0, bytes: 0 },
      problems: [],
    });
  });

  it('takes a chain that begins later than 0, one of a single entry, one without files, and none at all', () => {
    expect(new Made().entry(70, 80).entry(80, 90).audit).toMatchObject({ from: 70, next: 90, problems: [] });
    expect(new Made().entry(70, 80).audit).toMatchObject({ from: 70, next: 80, problems: [] });
    expect(new Made().entry(0, 9, { files: 0 }).entry(9, 12).audit).toMatchObject({ from: 0, files: 1, problems: [] });
    expect(new Made().temporary(0, 'w-0').audit).toMatchObject({
      entries: 0,
      from: null,
      next: null,
      newest: null,
      inProgress: { files: 1, bytes: 7 },
      problems: [],
    });
  });

  it('takes files of the newest entry that are still at their temporary paths for committed, not yet published', () => {
    const made = new Made().entry(0, 10).entry(10, 20, { files: 2 }).unpublish(10, 10);
    expect(made.audit).toMatchObject({ unpublished: { files: 2, bytes: 20 }, orphans: { files: 0 }, problems: [] });
  });

  it('tells temporary files in progress from orphans', () => {
    const made = new Made().entry(0, 10).entry(10, 20);
    made.temporary(0, 'old-0', 1).temporary(10, 'late-0', 2).temporary(15, 'other-0', 4).temporary(20, 'now-0', 8);
    expect(made.audit).toMatchObject({
      orphans: { files: 2, bytes: 3 },
      inProgress: { files: 2, bytes: 12 },
      problems: [],
    });
  });

  it('finds a missing file, of the newest entry and of an older one', () => {
    const made = new Made().entry(0, 10).entry(10, 20).entry(20, 30).unpublish(10).unpublish(20);
    expect(made.problems).toEqual([10, 20].map((from) => `missing ${root}/${made.filesOf(from)[0]?.final}`));
    expect(made.audit.problems[0]).toMatchObject({
      what: 'The file is gone: 2 values in 10 bytes, offsets 10 to 19, committed by writer w10 in the entry from 10 to 20.',
      means: expect.stringContaining('A reader of the folder has moved it, or it was removed by hand'),
      advice: expect.stringContaining('read offsets 10 to 19'),
    });
  });

  it('finds a file with another length, at its final path or still at its temporary one', () => {
    const made = new Made().entry(0, 10).entry(10, 20).unpublish(10, 9);
    const [older, newest] = [made.filesOf(0)[0], made.filesOf(10)[0]];
    made.finals.set(`${root}/${older?.final}`, 3);
    expect(made.problems).toEqual([`length ${root}/${older?.final}`, `length ${root}/${newest?.temporary}`]);
    expect(made.audit.problems[0]?.what).toMatch(/^The file has 3 bytes, not 10: /);
    made.finals.set(`${root}/${newest?.final}`, 0);
    expect(made.audit.problems[1]?.means).toContain('no flow resumes the stream');
  });

  it('finds a gap between entries whose files exist', () => {
    const made = new Made().entry(0, 5).entry(5, 10).entry(20, 30);
    expect(made.problems).toEqual(['gap /lake/_rxflume/ledger/kafka+chat~3']);
    expect(made.audit.problems[0]?.what).toBe(
      'No entry accounts for offsets 10 to 19: one ends at 10, the next begins at 20.',
    );
    expect(made.audit).toMatchObject({ from: 20, next: 30, values: 6, stale: [] });
    made.entry(40, 50);
    expect(made.audit.problems.map(({ what }) => what.match(/\d+ to \d+/)?.[0])).toEqual(['30 to 39', '10 to 19']);
  });

  it('ignores an entry that leads nowhere and none of whose files exists', () => {
    const made = new Made().entry(3, 14).unpublish(3, 10).entry(10, 20).entry(20, 30);
    expect(made.audit).toMatchObject({
      entries: 3,
      from: 10,
      files: 2,
      stale: [{ path: place(3), from: 3, next: 14, writer: 'w3' }],
      orphans: { files: 1, bytes: 10 },
      problems: [],
    });
    expect(new Made().entry(0, 40, { files: 0 }).entry(10, 20).audit).toMatchObject({ problems: [], from: 10 });
  });

  it('ignores such an entry also where it ends by chance at the beginning of the chain', () => {
    const made = new Made().entry(3, 10).unpublish(3, 10).entry(10, 20).entry(20, 30);
    expect(made.audit).toMatchObject({ from: 10, stale: [{ from: 3 }], problems: [] });
    // Of two that end at one offset the later is of the chain.
    made.entry(6, 10);
    expect(made.audit).toMatchObject({ from: 6, stale: [{ from: 3 }], problems: [] });
  });

  it('finds an overlap: an entry that leads nowhere, whose files exist all the same', () => {
    const made = new Made().entry(3, 14, { files: 2 }).entry(10, 20).entry(20, 30);
    expect(made.problems).toEqual([`overlap ${place(3)}`]);
    expect(made.audit.problems[0]?.what).toContain('offsets 10 to 13 too, and 2 files of it');
    expect(new Made().entry(0, 10).entry(5, 8).entry(10, 20).problems).toEqual([`overlap ${place(5)}`]);
  });

  it('finds a damaged entry: the newest stops the flow, another one joins those beside it', () => {
    const older = new Made().entry(0, 10).damaged(10).entry(20, 30);
    expect([older.problems, older.audit.from]).toEqual([[`damaged ${place(10)}`], 0]);
    expect(older.audit.problems[0]).toMatchObject({
      what: 'The entry cannot be used: it is not an object.',
      means: expect.stringContaining('The flow goes on'),
    });
    const newest = new Made().entry(0, 10).damaged(10).temporary(10, 'w-0').temporary(0, 'w-1');
    expect(newest.problems).toEqual([`damaged ${place(10)}`]);
    expect(newest.audit.problems[0]?.means).toContain('no flow reads the stream');
    expect(newest.audit).toMatchObject({ inProgress: { files: 1 }, orphans: { files: 1 }, newest: { from: 0 } });
    const beside = new Made().entry(0, 10).entry(4, 9).unpublish(4).damaged(10);
    expect(beside.audit).toMatchObject({ from: 0, next: 10, stale: [{ from: 4 }], problems: [{ kind: 'damaged' }] });
    expect(new Made().damaged(10).audit).toMatchObject({ entries: 1, from: null, newest: null });
  });

  it('finds a file of an older entry that was never made visible', () => {
    const made = new Made().entry(0, 10).entry(10, 20).entry(20, 30).unpublish(10, 10);
    expect(made.problems).toEqual([`stranded ${root}/${made.filesOf(10)[0]?.temporary}`]);
    expect(made.audit.problems[0]?.advice).toContain(`move it to ${root}/${made.filesOf(10)[0]?.final}`);
  });

  it.each([
    [9, 12],
    [12, 20],
    [15, 14],
  ])('finds offsets %i to %i that are not of the entry from 10 to 20', (first, last) => {
    const file = { temporary: '_rxflume/tmp/t/w-0', final: 'f', bytes: 1, values: 1, first, last };
    const made = new Made().hasEntry({ writer: 'w', stream, from: 10, next: 20, files: [file] });
    expect(made.problems).toEqual([`offsets ${place(10)}`]);
  });

  it('says of each problem what it means and what to do, in sentences', () => {
    const made = new Made().entry(0, 4).entry(3, 14).damaged(15).entry(20, 30).entry(30, 40).entry(40, 50);
    const wrong = made.unpublish(30, 10).unpublish(40).audit.problems;
    expect(wrong.map(({ kind }) => kind)).toEqual(['damaged', 'gap', 'overlap', 'stranded', 'missing']);
    const loose = wrong.flatMap(({ what, means, advice }) => [what, means, advice]);
    expect(loose.filter((text) => !/^[A-Z].{15,}\.$/.test(text))).toEqual([]);
  });

  it('names what is in quarantine, and does not take it for missing, nor ignores its entry', () => {
    const final = 'b0/kafka+chat~3+0+9+w0.jsonl';
    const reason = {
      stream,
      final,
      bytes: 10,
      values: 2,
      first: 0,
      last: 9,
      code: 'RXF_FILES_NAME',
      reason: 'no such name',
    };
    const path = '/lake/_rxflume/quarantine/kafka+chat~3/w0-0';
    const made = new Made().entry(0, 10).entry(10, 20).unpublish(0);
    made.quarantined.push({ path, bytes: 10, reason }, { path: `${path}x`, bytes: 3, reason: null });
    expect(made.audit).toMatchObject({ quarantined: { files: 2, bytes: 13 }, from: 0, next: 20, stale: [] });
    expect(made.audit.problems).toEqual([
      expect.objectContaining({ kind: 'quarantined', where: path, what: expect.stringContaining(`/lake/${final}`) }),
      expect.objectContaining({ kind: 'quarantined', what: expect.stringContaining('3 bytes') }),
    ]);
    expect(made.audit.problems[0]?.what).toContain('no such name');
  });
});

import { COMMIT_RULES, type CommitRules } from '../../../lifecycle/commit-gate.js';
import type { LedgerEntry } from './entry.js';

/**
 * What a commit came to:
 * `committed`: our entry exists, and none after it: its files may be published.
 * `fenced`: another's entry is at its place; `overtaken`: ours is there, or was, and others have gone on.
 * `unknown`: it may still be carried out.
 */
export type CommitOutcome = 'committed' | 'fenced' | 'overtaken' | 'unknown';

/**
 * The decisions of the ledger, without the I/O: an entry for each commit of a stream, named by the offset it begins at, so
 * that the rename to that name decides who commits. Each is a rule whose absence loses values or doubles them, as
 * `test/sinks/files/ledger/rules.proof.test.ts` shows by leaving each of them out.
 */
export interface LedgerRules extends CommitRules {
  /** What a commit came to: by what is in the ledger now, never by the answer alone. */
  outcomeOf(tried: {
    readonly ours: LedgerEntry;
    /** The entry at our entry's place; null where there is none. */
    readonly existing: LedgerEntry | null;
    /** Where the existing entries begin. */
    readonly listed: readonly number[];
  }): CommitOutcome;
  /** Whether a writer that gives a segment up may remove the files it wrote. */
  mayDropOwn(segment: { readonly isCommitSent: boolean }): boolean;
  /** Whether the temporary files of the commit that begins there may be removed. */
  mayRemove(from: number, newest: number): boolean;
  /** Which of the newest entry's files must be seen to their final paths before the stream is read on. */
  toFinish(newest: LedgerEntry): LedgerEntry['files'];
  /** Where the stream resumes. */
  resumeAt(newest: LedgerEntry): number;
  /** Which entries may go. */
  toFold(listed: readonly number[]): readonly number[];
}

/** Entries of a stream that are kept, for `rxflume ledger` to look at; one would be enough. */
const KEPT = 100;
/** Entries folded away after one commit. */
const MAX_FOLDED = 100;

export const LEDGER_RULES: LedgerRules = {
  ...COMMIT_RULES,

  outcomeOf: ({ ours, existing, listed }) => {
    if (existing !== null && existing.writer !== ours.writer) return 'fenced';
    // This writer slept while others went on and folded the old entries away: its name was free, and its entry is stale.
    if (listed.some((from) => from > ours.from)) return 'overtaken';
    return existing === null ? 'unknown' : 'committed';
  },

  // A commit that was sent may be carried out at any time, and then its files are all there is.
  mayDropOwn: ({ isCommitSent }) => !isCommitSent,

  // Where no entry exists yet the files may still be committed by their writer, however silent it is.
  mayRemove: (from, newest) => from <= newest,

  toFinish: ({ files }) => files,

  resumeAt: ({ next }) => next,

  // Oldest first, so that what is left has no gap; never the newest, which is what stops a writer that was overtaken.
  toFold: (listed) =>
    [...listed].sort((a, b) => a - b).slice(0, Math.min(MAX_FOLDED, Math.max(0, listed.length - KEPT))),
};

import {
  expectFunction,
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  withDefaults,
} from '../../core/options.js';
import type { DiskSystem } from '../../ports/disk-system.js';
import type { FileSystem } from '../../ports/file-system.js';
import { type ReadLines, textLines } from './comparison.js';
import { FAULT_KINDS, type FaultKind, USUAL_FAULT_KINDS } from './schedule.js';
import type { ProofInput } from './trial.js';

export interface ProofOptions {
  /** Random schedules of several faults, beside every single fault at every step. Default 1,000. */
  readonly schedules?: number;
  /** Whether each single fault is tried alone at every step that it can strike. Default `every`. */
  readonly singleFaults?: 'every' | 'none';
  /** Decides the random schedules, and all chance in the flow: `Math.random` is replaced meanwhile. Default 1. */
  readonly seed?: number;
  /** The folder of the sink, or of each sink; what is below `<root>/_rxflume` is its own. Default `/lake`. */
  readonly root?: string | readonly string[];
  /** Folders of sinks that may store a value more than once, such as dead letters; they must not lose it. Default: none. */
  readonly atLeastOnceRoot?: string | readonly string[];
  /** What may go wrong. Default: everything but `power` and `take`. */
  readonly faults?: readonly FaultKind[];
  /** The most faults of a random schedule. Default 3. */
  readonly maxFaults?: number;
  /** The time between two records, in virtual milliseconds. Default 10. */
  readonly produceIntervalMs?: number;
  /** The most records of one partition that come at once. Default 3. */
  readonly recordsPerFetch?: number;
  /** When the group gives the partitions of a silent collector away, in virtual milliseconds. Default 80. */
  readonly sessionTimeoutMs?: number;
  /** How long nothing must happen before a collector counts as having read all, in virtual milliseconds. Default 400. */
  readonly quietMs?: number;
  /** The longest a drain may take, in virtual milliseconds. Default 60,000. */
  readonly withinMs?: number;
  /**
   * The longest that a partition with records may not be committed further while nothing is wrong, in virtual milliseconds:
   * longer than the flow holds a value on purpose, such as a roll of files. Default 120,000.
   */
  readonly maxWaitMs?: number;
  /**
   * Whether a commit may be ahead of what is stored. Checked only where each record becomes its lines by itself. Default
   * `checked`.
   */
  readonly commits?: 'checked' | 'unchecked';
  /** The lines of a file, such as after decompression. Default: its lines as UTF-8 text. */
  readonly readLines?: ReadLines;
  /**
   * The file system that a collector has over a disk in memory, of which each call is a step: a driver of local files.
   * Default: none, the files are in a store of their own, as HDFS is, whose verbs are the steps.
   */
  readonly disk?: ((system: DiskSystem) => FileSystem) | undefined;
  /** Runs only this schedule, as a failure printed it, and tells all that happened. Default: none. */
  readonly replay?: string | undefined;
}

/** The defaults of `proveExactlyOnce`. */
export const PROOF_DEFAULTS = {
  schedules: 1_000,
  singleFaults: 'every',
  seed: 1,
  root: '/lake',
  atLeastOnceRoot: [],
  faults: USUAL_FAULT_KINDS,
  maxFaults: 3,
  produceIntervalMs: 10,
  recordsPerFetch: 3,
  sessionTimeoutMs: 80,
  quietMs: 400,
  withinMs: 60_000,
  maxWaitMs: 120_000,
  commits: 'checked',
  readLines: textLines,
  disk: undefined,
  replay: undefined,
} as const satisfies ProofOptions;

export type CheckedOptions = Required<ProofOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: ProofOptions): CheckedOptions {
  const checked: CheckedOptions = withDefaults('proveExactlyOnce options', PROOF_DEFAULTS, given);
  const { root, atLeastOnceRoot } = checked;
  expectWhole('schedules', checked.schedules, 0);
  expectOneOf('singleFaults', checked.singleFaults, ['every', 'none']);
  expectOneOf('commits', checked.commits, ['checked', 'unchecked']);
  expectWhole('seed', checked.seed, 0, 2 ** 32 - 1);
  expectOption('root', root, areFolders(root) && root.length > 0, 'an absolute path, or an array of them');
  expectOption(
    'atLeastOnceRoot',
    atLeastOnceRoot,
    areFolders(atLeastOnceRoot),
    'an absolute path, or an array of them',
  );
  const areKinds = Array.isArray(checked.faults) && checked.faults.every((kind) => FAULT_KINDS.includes(kind));
  expectOption('faults', checked.faults, areKinds, `an array of ${FAULT_KINDS.join(', ')}`);
  expectWhole('maxFaults', checked.maxFaults, 1, 10);
  expectMs('produceIntervalMs', checked.produceIntervalMs);
  expectWhole('recordsPerFetch', checked.recordsPerFetch, 1);
  expectMs('sessionTimeoutMs', checked.sessionTimeoutMs, 1);
  expectMs('quietMs', checked.quietMs, checked.sessionTimeoutMs);
  expectMs('withinMs', checked.withinMs, 1);
  expectMs('maxWaitMs', checked.maxWaitMs, 1);
  expectFunction('readLines', checked.readLines);
  if (checked.disk !== undefined) expectFunction('disk', checked.disk);
  if (checked.replay !== undefined) expectText('replay', checked.replay);
  return checked;
}

/** Throws `OptionError` where the input is not topics with partitions with records. */
export function checkInput(input: ProofInput): void {
  expectOption('input', input, typeof input === 'object' && input !== null, 'an object: topic → partitions → records');
  for (const [topic, partitions] of Object.entries(input)) {
    const areLogs = Array.isArray(partitions) && partitions.length > 0 && partitions.every(Array.isArray);
    expectOption(`input.${topic}`, partitions, areLogs, 'an array of partitions, each an array of records');
  }
}

function areFolders(given: unknown): boolean {
  return [given].flat().every((folder) => typeof folder === 'string' && /^\/./.test(folder));
}

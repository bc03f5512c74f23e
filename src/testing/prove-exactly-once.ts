import { describeError } from '../core/errors.js';
import { expectFunction } from '../core/options.js';
import { failureOf, isSound } from './proof/failure.js';
import { type CheckedOptions, checkInput, checkOptions, type ProofOptions } from './proof/options.js';
import { everySingleFault, randomSchedule, shrunk } from './proof/plan.js';
import { type Outcome, play } from './proof/play.js';
import { Roots } from './proof/roots.js';
import { FAULT_KINDS, type FaultKind, parseSchedule, type Schedule, type Verb } from './proof/schedule.js';
import { traceRecords } from './proof/trace.js';
import type { BuildCollector, ProofInput } from './proof/trial.js';
import { feedOf } from './proof/trial.js';

export interface ProofReport {
  /** How many schedules were run. */
  readonly schedules: number;
  /** How many steps the run without faults has. */
  readonly steps: number;
  /** How many lines are stored in the end. */
  readonly lines: number;
  /** How often each kind of fault struck. */
  readonly faults: Readonly<Record<FaultKind, number>>;
  /** Whether commits were compared with what was stored: only where each record becomes its lines by itself. */
  readonly commits: 'checked' | 'unchecked';
  /** The longest that a partition waited to be committed further while nothing was wrong, in virtual milliseconds. */
  readonly longestWaitMs: number;
  /** How long it took, in real milliseconds. */
  readonly ms: number;
}

/**
 * Proves that a flow from Kafka to files stores every value exactly once: runs it over stores in memory and in virtual
 * time, once without faults, then with each fault at each single step, then with several faults at random, and compares
 * what a reader of the files sees in the end with the run without faults. `build` is called for each collector that
 * starts, and must build it over nothing but what it is given.
 *
 * Every file must be whole when it becomes visible and must stay; no commit may be ahead of what is stored; every drain
 * must end. No partition may wait for longer than `maxWaitMs` to be committed further: while something is wrong that does
 * not count, and once it is over it counts from there.
 *
 * ```ts
 * import { fileSink, flow, jsonLines, kafkaSource } from 'rxflume';
 * import { mapValue } from 'rxflume/operators';
 * import { proveExactlyOnce } from 'rxflume/testing';
 *
 * export function prove(): void {
 *   proveExactlyOnce(
 *     ({ kafka, fs }) => {
 *       const lake = fileSink<string>(fs, { root: '/lake', format: jsonLines() });
 *       const source$ = kafkaSource(kafka, { topics: ['chat'], groupId: 'g', resumeFrom: lake.offsetStore });
 *       return flow('chat', source$, mapValue(String), lake.write());
 *     },
 *     { chat: [['a', 'b', 'c']] },
 *     { schedules: 10 },
 *   );
 * }
 * ```
 *
 * Bounds: time for about ten runs for each step, and `schedules` more; a run takes a few milliseconds.
 * Fails: throws a `ProofError` at the first schedule that breaks the promise, with what is wrong, the schedule in words,
 * and a text that replays it; an `OptionError` for a wrong option.
 */
export function proveExactlyOnce(build: BuildCollector, input: ProofInput, options: ProofOptions = {}): ProofReport {
  expectFunction('build', build);
  checkInput(input);
  const checked = checkOptions(options);
  const roots = new Roots([checked.root].flat(), [checked.atLeastOnceRoot].flat());
  const trial = { ...checked, build, input, roots, expected: undefined, linesOfRecords: undefined };
  const feed = feedOf(input);
  const startedAt = performance.now();
  const faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  let played = 0;
  let longestWaitMs = 0;

  const plain = play(trial, { seed: checked.seed, pace: 0, faults: [] }, feed);
  expectSound(plain, checked.seed);
  const { linesOfRecords, twice } = traceRecords(trial, checked.seed, plain.lines);
  expectSound({ ...plain, twice }, checked.seed);
  const watched = checked.commits === 'checked' ? linesOfRecords : undefined;
  const proving = { ...trial, expected: plain.lines, linesOfRecords: watched };

  const tryOne = (schedule: Schedule, isLogged = false) => {
    const outcome = play(proving, schedule, feed, isLogged);
    played += 1;
    longestWaitMs = Math.max(longestWaitMs, outcome.longestWait?.ms ?? 0);
    for (const { fault } of outcome.struck) faults[fault.kind] += 1;
    return outcome;
  };
  const { replay } = checked;
  for (const schedule of replay === undefined ? schedulesFor(plain.steps, checked) : [parseSchedule(replay)]) {
    const isLogged = replay !== undefined;
    const outcome = tryOne(schedule, isLogged);
    if (isSound(outcome)) continue;
    const number = played;
    const least = isLogged ? schedule : shrunk(schedule, (less) => !isSound(tryOne(less)));
    const shown = least === schedule ? outcome : tryOne(least);
    throw failureOf(shown, least, { linesOfRecords, number, isLogged });
  }
  return {
    schedules: played,
    steps: plain.steps.length,
    lines: [...plain.lines.values()].reduce((sum, files) => sum + files.length, 0),
    faults,
    commits: watched === undefined ? 'unchecked' : 'checked',
    longestWaitMs,
    ms: Math.round(performance.now() - startedAt),
  };
}

/** The paces at which the flow is run without faults. */
const PLAIN_PACES = 5;

/** Without faults at several paces, then each fault alone, then several at random. */
function* schedulesFor(steps: readonly Verb[], checked: CheckedOptions): Iterable<Schedule> {
  const { seed, schedules } = checked;
  for (let pace = 0; pace < PLAIN_PACES; pace += 1) yield { seed, pace, faults: [] };
  if (checked.singleFaults === 'every') yield* everySingleFault(steps, checked.faults, seed);
  for (let number = 0; number < schedules; number += 1) {
    yield randomSchedule(steps, checked.faults, { ...checked, number });
  }
}

/** The run that all others are compared with must itself be without fault. */
function expectSound(plain: Outcome, seed: number): void {
  const [error] = plain.errors;
  const why = error === undefined ? 'nothing is stored; is `root` the folder of the sink?' : describeError(error);
  const isFailed = error !== undefined || plain.lines.size === 0;
  const outcome = isFailed ? { ...plain, stuck: plain.stuck || `without any fault, ${why}` } : plain;
  if (isSound(outcome)) return;
  throw failureOf(outcome, { seed, pace: 0, faults: [] }, { linesOfRecords: undefined, number: 0, isLogged: false });
}

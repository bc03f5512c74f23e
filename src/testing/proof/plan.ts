import { chanceOf } from './chance.js';
import {
  FAULTS,
  type Fault,
  type FaultKind,
  inOrder,
  isChange,
  type Schedule,
  strikes,
  type Verb,
} from './schedule.js';

/** How much later a late call is carried out: while its collector tries again, after another took over, after all. */
const LATER_MS = [15, 60, 200, 700, 3_000] as const;
/** How long a collector sleeps: shorter than its session, until another took over, until that one is done. */
const SLEEP_MS = [30, 150, 400, 1_000, 4_000] as const;
/** The paces of random schedules. */
const PACES = 10;
/** Within so many steps of the last fault its recovery goes on. */
const NEAR_STEPS = 30;

/** Each fault alone, at each step of the run without faults. */
export function everySingleFault(steps: readonly Verb[], kinds: readonly FaultKind[], seed: number): Schedule[] {
  return steps.flatMap((verb, at) =>
    kinds
      .filter((kind) => strikes(kind, verb) && (isChange(verb) || AT_READS.includes(kind)))
      .flatMap((kind) => faultsAt(kind, verb, at + 1))
      .map((fault): Schedule => ({ seed, pace: 0, faults: [fault] })),
  );
}

/** What is the same between two reads as before the next change is tried there only. */
const AT_READS: readonly FaultKind[] = ['crash', 'fail', 'stop'];
/** Where the collector itself is stopped it matters on which side of a change. */
const AROUND: readonly FaultKind[] = ['crash', 'stop', 'power', 'take'];

function faultsAt(kind: FaultKind, verb: Verb, step: number): Fault[] {
  const whens = FAULTS[kind].whens.filter((when) => when !== 'after' || (AROUND.includes(kind) && isChange(verb)));
  return whens.flatMap((when) => durationsOf(kind, verb).map((ms): Fault => ({ kind, when, step, ms })));
}

function durationsOf(kind: FaultKind, verb: Verb): readonly number[] {
  if (kind === 'late' || kind === 'orphan') return [60, 700];
  if (kind === 'stop') return isChange(verb) ? [400, 4_000] : [400];
  return kind === 'deaf' ? [400] : [0];
}

/** The random schedule of that number: two faults or more, often near each other. */
export function randomSchedule(
  steps: readonly Verb[],
  kinds: readonly FaultKind[],
  { seed, number, maxFaults }: { readonly seed: number; readonly number: number; readonly maxFaults: number },
): Schedule {
  const random = chanceOf(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b));
  const upTo = (most: number) => Math.floor(random() * most);
  const pick = <T>(choices: readonly T[]): T => choices[upTo(choices.length)] as T;
  const count = Math.max(1, maxFaults - Math.floor(random() ** 2 * maxFaults));
  const faults: Fault[] = [];
  if (kinds.includes('join') && random() < 0.25) faults.push({ kind: 'join', when: 'after', step: 1 + upTo(3), ms: 0 });
  let last = 0;
  for (let made = 0; made < count; made += 1) {
    const step = last > 0 && random() < 0.6 ? last + 1 + upTo(NEAR_STEPS) : 1 + upTo(steps.length);
    const verb = last === 0 ? steps[step - 1] : undefined;
    const possible = verb === undefined ? kinds : kinds.filter((kind) => strikes(kind, verb));
    if (possible.length === 0) continue;
    const kind = pick(possible);
    const { whens, hasMs } = FAULTS[kind];
    const ms = hasMs ? pick(kind === 'late' || kind === 'orphan' ? LATER_MS : SLEEP_MS) : 0;
    faults.push({ kind, when: pick(whens), step, ms });
    last = step;
  }
  return { seed, pace: upTo(PACES), faults: inOrder(faults) };
}

/** The same without what is not needed for it to fail: each fault dropped alone, and the pace, as long as it still fails. */
export function shrunk(schedule: Schedule, stillFails: (schedule: Schedule) => boolean): Schedule {
  let least = schedule;
  for (const fault of schedule.faults) {
    if (least.faults.length === 1) break;
    const without = { ...least, faults: least.faults.filter((one) => one !== fault) };
    if (stillFails(without)) least = without;
  }
  const even = { ...least, pace: 0 };
  return least.pace !== 0 && stillFails(even) ? even : least;
}

import { expectOption } from '../../core/options.js';

/** What a step is: a call of a port's verb, or a call of the driver back to the source. */
export type Verb =
  | 'makeFolder'
  | 'link'
  | 'sync'
  | 'write'
  | 'close'
  | 'rename'
  | 'remove'
  | 'status'
  | 'list'
  | 'read'
  | 'connect'
  | 'commit'
  | 'leave'
  | 'assigned'
  | 'began'
  | 'revoking'
  | 'records';

/**
 * What may go wrong at a step:
 * `crash`: the collector is killed; nothing of it reaches the stores any more.
 * `orphan`: it is killed, and the call it had just made is carried out some time later.
 * `fail`: the call is not carried out, and fails. `lose`: it is carried out, and seems to fail.
 * `late`: it seems to fail, and is carried out some time later.
 * `hang`: it is not carried out, and is never answered; of a file system, whose driver gives up by itself, that is `fail`.
 * `stop`: the collector sleeps for a time as by SIGSTOP, and goes on from where it was before the group tells it anything.
 * `deaf`: for a time the group does not reach it; all else works.
 * `join`: another collector starts. `leave`: the collector drains. `expire`: all sessions of the group expire.
 * `forget`: the group's committed offsets are gone.
 * `power`: the power goes: all collectors are dead, and a disk has what was synced, and of the rest what it happened to write.
 * `take`: a reader of the files removes all that are visible; they count as stored.
 */
export type FaultKind = keyof typeof FAULTS;

export type When = 'before' | 'at' | 'after';

export interface Fault {
  readonly kind: FaultKind;
  readonly when: When;
  /** The number of the step, counted from 1 over all collectors in the order in which they made them. */
  readonly step: number;
  /** For how long, or how much later, in milliseconds; 0 where the kind has no such thing. */
  readonly ms: number;
}

export interface Schedule {
  /** Decides all that is left to chance. */
  readonly seed: number;
  /** 0: every answer of the files takes as long; others: a pattern of different times. */
  readonly pace: number;
  /** In order of their steps. */
  readonly faults: readonly Fault[];
}

const CHANGES: readonly Verb[] = ['makeFolder', 'write', 'close', 'rename', 'link', 'sync', 'remove', 'commit'];
const READS: readonly Verb[] = ['status', 'list', 'read'];
const CALLBACKS: readonly Verb[] = ['assigned', 'began', 'revoking', 'records'];
const CALLS: readonly Verb[] = [...CHANGES, ...READS, 'connect', 'leave'];
const ALL: readonly Verb[] = [...CALLS, ...CALLBACKS];

interface Rule {
  readonly whens: readonly When[];
  readonly hasMs: boolean;
  readonly verbs: readonly Verb[];
}

const AROUND: readonly When[] = ['before', 'after'];
const AT: readonly When[] = ['at'];

export const FAULTS = {
  crash: { whens: AROUND, hasMs: false, verbs: ALL },
  orphan: { whens: AT, hasMs: true, verbs: CHANGES },
  fail: { whens: AT, hasMs: false, verbs: [...CHANGES, ...READS, 'connect'] },
  lose: { whens: AT, hasMs: false, verbs: CHANGES },
  late: { whens: AT, hasMs: true, verbs: CHANGES },
  hang: { whens: AT, hasMs: false, verbs: ['commit', 'leave'] },
  stop: { whens: AROUND, hasMs: true, verbs: ALL },
  deaf: { whens: AROUND, hasMs: true, verbs: ALL },
  join: { whens: AROUND, hasMs: false, verbs: ALL },
  leave: { whens: AROUND, hasMs: false, verbs: ALL },
  expire: { whens: AROUND, hasMs: false, verbs: ALL },
  forget: { whens: AROUND, hasMs: false, verbs: ALL },
  power: { whens: AROUND, hasMs: false, verbs: ALL },
  take: { whens: AROUND, hasMs: false, verbs: ALL },
} as const satisfies Record<string, Rule>;

export const FAULT_KINDS = Object.keys(FAULTS) as readonly FaultKind[];

/** Those of every flow; a power cut is one of disks, and readers that take files away are not everybody's. */
export const USUAL_FAULT_KINDS = FAULT_KINDS.filter((kind) => kind !== 'power' && kind !== 'take');

/** Whether such a fault can strike such a step. */
export function strikes(kind: FaultKind, verb: Verb): boolean {
  return (FAULTS[kind].verbs as readonly Verb[]).includes(verb);
}

/** Whether the step can change anything; what comes after one that cannot is the same as what comes before the next. */
export function isChange(verb: Verb): boolean {
  return !READS.includes(verb);
}

/** The schedule as a text that `parseSchedule` takes. */
export function printSchedule({ seed, pace, faults }: Schedule): string {
  return `seed ${seed} pace ${pace}: ${faults.length === 0 ? 'no fault' : faults.map(printFault).join(', ')}`;
}

function printFault({ kind, when, step, ms }: Fault): string {
  return `${kind} ${when} ${step}${FAULTS[kind].hasMs ? ` ${ms}ms` : ''}`;
}

/** Reads what `printSchedule` wrote. Throws `OptionError` that names the part it does not understand. */
export function parseSchedule(text: string): Schedule {
  const head = /^seed (\d+) pace (\d+): (.+)$/.exec(text);
  expectOption('replay', text, head !== null, 'a schedule as a failure prints it, such as `seed 1 pace 0: fail at 7`');
  const [, seed, pace, list] = head as RegExpExecArray;
  const faults = list === 'no fault' ? [] : (list as string).split(', ').map(parseFault);
  return { seed: Number(seed), pace: Number(pace), faults: inOrder(faults) };
}

function parseFault(text: string): Fault {
  const [, kind, when, step, ms] = /^([a-z]+) (before|at|after) (\d+)(?: (\d+)ms)?$/.exec(text) ?? [];
  const rule: Rule | undefined = FAULTS[kind as FaultKind];
  const isSound = rule?.whens.includes(when as When) === true && rule.hasMs === (ms !== undefined);
  expectOption('replay', text, isSound, `faults such as \`crash before 17\` or \`late at 9 60ms\``);
  return { kind: kind as FaultKind, when: when as When, step: Number(step), ms: Number(ms ?? 0) };
}

export function inOrder(faults: readonly Fault[]): readonly Fault[] {
  return [...faults].sort((one, other) => one.step - other.step);
}

/** What the fault does, in words, given the words of the step it strikes. */
export function faultInWords({ kind, when, step, ms }: Fault, call: string): string {
  const at = `step ${step} (${call})`;
  switch (kind) {
    case 'crash':
      return `crash ${when} ${at}`;
    case 'orphan':
      return `crash at ${at}, which is carried out ${ms} ms later`;
    case 'fail':
      return `${at} fails and is not carried out`;
    case 'lose':
      return `${at} is carried out and its answer is lost`;
    case 'late':
      return `${at} seems to fail and is carried out ${ms} ms later`;
    case 'hang':
      return `${at} is not carried out and never answered`;
    case 'stop':
      return `the collector sleeps ${ms} ms ${when} ${at}`;
    case 'deaf':
      return `the collector does not hear the group for ${ms} ms, from ${when} ${at}`;
    case 'join':
      return `another collector joins ${when} ${at}`;
    case 'leave':
      return `the collector leaves ${when} ${at}`;
    case 'expire':
      return `all sessions expire ${when} ${at}`;
    case 'forget':
      return `the group's committed offsets are forgotten ${when} ${at}`;
    case 'power':
      return `the power goes ${when} ${at}`;
    case 'take':
      return `a reader takes all visible files away ${when} ${at}`;
  }
}

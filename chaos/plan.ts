import { Random } from './random.js';
import type { Service } from './services.js';

/** What a collector is doing on the wire. `commit`: the rename that makes a ledger entry; `rename`: any other. */
export type Moment = 'data' | 'rename' | 'commit' | 'offsets';

/**
 * What becomes of the request of that moment. `unsent`: cut before it is forwarded (`data`: half way). `unanswered`:
 * forwarded, and cut before the answer. `late`: cut, and forwarded seconds later. `held`: forwarded seconds later, not
 * cut. `passed`: forwarded.
 */
export type Way = 'unsent' | 'unanswered' | 'late' | 'held' | 'passed';

/** A moment to wait for, and what to do with its request. */
export interface Point {
  readonly moment: Moment;
  readonly way: Way;
}

/**
 * `kill`: SIGKILL a collector, and start a new one. `freeze`: SIGSTOP it until its partitions are others', then SIGCONT.
 * `cut`: its connection only. `restart`: SIGKILL a service, and start it again.
 */
export type Fault =
  | {
      readonly kind: 'kill';
      readonly atMs: number;
      readonly slot: number;
      readonly point: Point | null;
      readonly lateMs: number;
      readonly absentMs: number;
    }
  | {
      readonly kind: 'freeze';
      readonly atMs: number;
      readonly slot: number;
      readonly point: Point | null;
      readonly lateMs: number;
      readonly frozenMs: number;
    }
  | { readonly kind: 'cut'; readonly atMs: number; readonly point: Point; readonly lateMs: number }
  | { readonly kind: 'restart'; readonly atMs: number; readonly service: Service };

export interface Plan {
  readonly seed: number;
  readonly collectors: number;
  /** In order of time, counted from when all collectors work. */
  readonly faults: readonly Fault[];
}

export interface PlanOptions {
  /** How many collectors are killed. */
  readonly kills: number;
  /** Over how many seconds the faults are spread. */
  readonly seconds: number;
}

/** After how long without a heartbeat the group gives a collector's partitions away. */
export const SESSION_TIMEOUT_MS = 2_000;

const at = (moment: Moment, way: Way): Point => ({ moment, way });

const KILLED_AT: readonly (Point | null)[] = [
  null,
  null,
  null,
  at('commit', 'unsent'),
  at('commit', 'unanswered'),
  at('commit', 'late'),
  at('rename', 'unsent'),
  at('rename', 'unanswered'),
  at('rename', 'late'),
  at('data', 'unsent'),
  at('data', 'unanswered'),
  at('offsets', 'unanswered'),
];

const FROZEN_AT: readonly (Point | null)[] = [
  null,
  at('commit', 'held'),
  at('commit', 'passed'),
  null,
  at('rename', 'held'),
  at('data', 'passed'),
];

const CUT_AT: readonly Point[] = [
  at('commit', 'unsent'),
  at('commit', 'unanswered'),
  at('commit', 'late'),
  at('rename', 'unsent'),
  at('rename', 'unanswered'),
  at('rename', 'late'),
  at('data', 'unsent'),
  at('data', 'unanswered'),
  at('offsets', 'unsent'),
  at('offsets', 'unanswered'),
];

const SERVICES: readonly Service[] = ['kafka', 'namenode', 'datanode'];
const SECONDS_A_RESTART = 30;

/** The faults of a run and their times: the same for the same seed and options. */
export function planOf(seed: number, { kills, seconds }: PlanOptions): Plan {
  const random = new Random(seed);
  const collectors = random.between(2, 3);
  const slot = () => random.between(0, collectors - 1);
  const lateMs = () => random.between(1_000, 6_000);
  const spread = <T extends Fault>(count: number, fault: (atMs: number, index: number) => T): T[] =>
    Array.from({ length: count }, (_, index) =>
      fault(Math.floor(((index + random.next()) / count) * seconds * 1_000), index),
    );

  const killedAt = random.deal(KILLED_AT, kills);
  const frozenAt = random.deal(FROZEN_AT, Math.ceil(kills / 4));
  const cutAt = random.deal(CUT_AT, Math.ceil(kills * 0.6));
  const restarted = random.deal(SERVICES, Math.floor(seconds / SECONDS_A_RESTART));
  const faults: Fault[] = [
    ...spread(killedAt.length, (atMs, index) => ({
      kind: 'kill' as const,
      atMs,
      slot: slot(),
      point: killedAt[index] ?? null,
      lateMs: lateMs(),
      absentMs: random.between(0, 1_000),
    })),
    ...spread(frozenAt.length, (atMs, index) => {
      const frozenMs = SESSION_TIMEOUT_MS + random.between(1_000, 4_000);
      const point = frozenAt[index] ?? null;
      return { kind: 'freeze' as const, atMs, slot: slot(), point, lateMs: frozenMs - 500, frozenMs };
    }),
    ...spread(cutAt.length, (atMs, index) => ({
      kind: 'cut' as const,
      atMs,
      point: cutAt[index] as Point,
      lateMs: lateMs(),
    })),
    ...spread(restarted.length, (atMs, index) => ({
      kind: 'restart' as const,
      atMs,
      service: restarted[index] as Service,
    })),
  ];
  return { seed, collectors, faults: faults.sort((one, other) => one.atMs - other.atMs) };
}

/** A fault as the table names it. */
export function nameOf(fault: Fault): string {
  if (fault.kind === 'restart') return `restart ${fault.service}`;
  if (fault.point === null) return fault.kind;
  return `${fault.kind} at ${fault.point.moment}, ${fault.point.way}`;
}

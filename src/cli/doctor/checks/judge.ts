import { describeError } from '../../../core/errors.js';
import type { Fact, FactOf } from '../../../delivery/probe.js';
import { durationText } from '../duration-text.js';
import { bad, type Finding, ok } from '../finding.js';
import { checkEndpoints } from './endpoints.js';
import { checkRoll, checkSpace } from './storage.js';
import { checkGroup, checkStreams } from './streams.js';

/** Clocks that are further apart make times of records and files wrong; Kerberos fails from the second on. */
const APART_MS = 5_000;
const FAR_APART_MS = 300_000;

/**
 * What the facts of one part mean. Pure. `streams` is how many streams the flow reads, where that is known: a sink makes
 * files for each.
 */
export function judge(facts: readonly Fact[], nowMs: number, streams: number): Finding[] {
  const of = <K extends Fact['kind']>(kind: K) => facts.filter((fact): fact is FactOf<K> => fact.kind === kind);
  return [
    ...checkEndpoints(of('endpoint'), nowMs),
    ...of('server').map(({ role, version }) => ok('version', `${role} ${version}`)),
    ...of('clock').map(checkClock),
    ...checkRights(of('right')),
    ...of('group').map(checkGroup),
    ...checkStreams(of('stream'), nowMs),
    ...of('space').map(checkSpace),
    ...of('roll').map((fact) => checkRoll(fact, streams)),
    ...of('unknown').map(({ what, error, fix }) =>
      bad('warning', 'unknown', `Cannot tell about ${what}: ${reasonOf(error)}`, fix),
    ),
  ];
}

/** What a driver has put into words is not quoted. */
function reasonOf(error: unknown): string {
  return typeof error === 'string' ? error : describeError(error);
}

function checkClock({ of, aheadMs, roundTripMs }: FactOf<'clock'>): Finding {
  const apartMs = Math.max(0, Math.abs(aheadMs) - roundTripMs / 2);
  const side = aheadMs > 0 ? 'ahead of' : 'behind';
  const text = `The clock of ${of} is ${durationText(Math.abs(aheadMs))} ${side} this machine's`;
  const fix = 'Synchronize both clocks (chronyc tracking, or timedatectl timesync-status).';
  if (apartMs >= FAR_APART_MS) return bad('problem', 'clock', text, fix);
  if (apartMs >= APART_MS) return bad('warning', 'clock', text, fix);
  return ok('clock', `The clocks of ${of} and of this machine agree`);
}

/** Those that are held in one line for each thing; each that is not by itself. */
function checkRights(facts: readonly FactOf<'right'>[]): Finding[] {
  const held = new Map<string, string[]>();
  const lacking: Finding[] = [];
  for (const { action, on, error, fix } of facts) {
    if (error === undefined) held.set(on, [...(held.get(on) ?? []), action]);
    else lacking.push(bad('problem', 'rights', `Cannot ${action}: ${reasonOf(error)}`, fix, on));
  }
  const well = [...held].map(([on, actions]) => ok('rights', `May ${actions.join(', ')}: ${on}`));
  return [...well, ...lacking];
}

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NEVER, type Observable, ReplaySubject } from 'rxjs';
import { timeOfDayMs } from '../../core/clock.js';
import { describeError } from '../../core/errors.js';
import { innerPartsOf } from '../../delivery/inner-parts.js';
import type { Fact, Probe } from '../../delivery/probe.js';
import type { SinkTraits } from '../../delivery/traits.js';
import { type Flow, insideOf } from '../../flow/flow.js';
import { levelText } from '../check/check-text.js';
import type { CommandContext } from '../command.js';
import { isOwn, loadFlow } from '../load-flow.js';
import { judge } from './checks/judge.js';
import { deepProbe } from './deep.js';
import { bad, exitCodeOf, type Finding, type Group, ok } from './finding.js';
import { gather } from './gather.js';
import { innerOf, unshown } from './inner.js';
import { checkInstallation, installationOf } from './installation.js';
import { type Report, reportJson, reportText } from './report.js';

/** What `rxflume doctor` is asked for. */
export interface DoctorAsked {
  readonly file: string;
  readonly isDeep: boolean;
  readonly record: string | undefined;
  readonly withinMs: number;
  readonly isJson: boolean;
}

/** What else the run of one record takes: each of its steps a third. */
const STEPS = 3;

/**
 * Examines a flow and its surroundings, and prints what is well and what is not, with what to do.
 *
 * Bounds: `withinMs` for the source and the sink, side by side, and again for one record; 15 s to remove scratch files.
 * Fails: never; exit code 0 well, perhaps with warnings; 1 a problem; 2 wrong use; 3 this installation is wrong.
 */
export async function doctor(asked: DoctorAsked, { out, err }: Pick<CommandContext, 'out' | 'err'>): Promise<number> {
  const { file, isJson } = asked;
  if (!existsSync(file)) {
    err.write(`rxflume: There is no file ${file}. Pass a .ts or .js file that exports a flow as default.\n`);
    return 2;
  }
  const report = await examined(asked);
  out.write(isJson ? reportJson(report) : reportText(report));
  return exitCodeOf(report.groups);
}

async function examined(asked: DoctorAsked): Promise<Report> {
  const { file } = asked;
  const installation: Group = { name: 'Installation', findings: checkInstallation(installationOf(resolve(file))) };
  let flow: Flow;
  try {
    flow = await loadFlow(file);
  } catch (error) {
    return { file, flow: undefined, groups: [installation, { name: 'Flow', findings: [notLoaded(file, error)] }] };
  }
  return { file, flow: flow.name, groups: [installation, ...(await examineFlow(flow, asked, interrupted()))] };
}

/** Emits at the first signal to end, from now on, also to who subscribes later: then the scratch files are removed first. */
function interrupted(): Observable<unknown> {
  const stop$ = new ReplaySubject<unknown>(1);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop$.next(signal));
  return stop$;
}

/** What is found of a flow and of what it connects to. */
export async function examineFlow(
  flow: Flow,
  asked: Omit<DoctorAsked, 'file' | 'isJson'>,
  stop$: Observable<unknown> = NEVER,
): Promise<Group[]> {
  return [{ name: 'Flow', findings: flowFindings(flow) }, ...(await partsOf(flow, asked, stop$))];
}

function notLoaded(file: string, error: unknown): Finding {
  const code = isOwn(error) ? error.code : undefined;
  const level = code === 'RXF_DRIVER_MISSING' ? 'environment' : 'problem';
  const fix = 'Correct what the message names; `rxflume check` shows the line.';
  return bad(level, 'flow', `${file} cannot be loaded: ${describeError(error)}`, fix);
}

function flowFindings({ name, guarantee, warnings }: Flow): Finding[] {
  const fix = 'The warning says what to change.';
  return [
    ok('guarantee', `${name} stores each value ${levelText(guarantee)}`),
    ...warnings.map((text) => bad('warning', 'flow', text, fix)),
  ];
}

async function partsOf(
  flow: Flow,
  { isDeep, record, withinMs }: Omit<DoctorAsked, 'file' | 'isJson'>,
  stop$: Observable<unknown>,
): Promise<Group[]> {
  const inside = insideOf(flow);
  if (inside === undefined) {
    const fix = 'Install one version of rxflume (npm ls rxflume).';
    return [
      {
        name: 'Parts',
        findings: [
          bad('environment', 'flow', 'The flow is of another version of rxflume, whose parts cannot be seen', fix),
        ],
      },
    ];
  }
  const { traits } = inside.source;
  const inner = innerOf(inside.steps);
  const last = inside.steps.at(-1) as SinkTraits & { readonly name: string };
  const isHolder = last.probe === undefined && innerPartsOf(last).length > 0;
  const [source, sink, ...others] = await Promise.all([
    factsOf(traits?.probe, withinMs, stop$),
    isHolder ? [] : factsOf(last.probe, withinMs, stop$),
    ...inner.shown.map(({ part }) => factsOf(part.probe, withinMs, stop$)),
  ]);
  const streams = source.filter(({ kind }) => kind === 'stream').length;
  const groupOf = (name: string, facts: readonly Fact[]) => ({ name, findings: judge(facts, timeOfDayMs(), streams) });
  const groups = [
    groupOf(`Source ${traits?.name ?? ''}`.trimEnd(), source),
    groupOf(`Sink ${last.name}`.trimEnd(), sink),
    ...inner.shown.map(({ name }, at) => groupOf(name, others[at] ?? [])),
    ...unshown(inner.more),
  ].filter(({ findings }) => findings.length > 0);
  if (!isDeep) return groups;
  const deep = await gather(deepProbe(inside, { record, stepMs: withinMs / STEPS }), withinMs, stop$);
  return [...groups, groupOf('One record, end to end', deep)];
}

function factsOf(probe: Probe | undefined, withinMs: number, stop$: Observable<unknown>): Promise<Fact[]> | Fact[] {
  if (probe !== undefined) return gather(probe, withinMs, stop$);
  const error = new Error('it has no probe');
  return [
    {
      kind: 'unknown',
      what: 'this part',
      error,
      fix: 'Look yourself whether what it writes to or reads from is reached.',
    },
  ];
}

import type { StreamPositions } from '../core/flow-sources.js';
import type { CommittedFile } from '../flow/committed-file.js';
import type { Flow } from '../flow/flow.js';
import { partsOf } from '../flow/flow-parts.js';
import { culpritOf } from '../metrics/culprit.js';
import { ageOf, type FlowStatus, oldestOf } from '../metrics/status.js';
import type { EdgeView, FlowCommand, FlowView, PartView, StreamView } from './contract.js';
import type { Rates } from './rates.js';

/** What a view of a flow is made of. */
export interface FlowFacts {
  readonly status: FlowStatus;
  /** Undefined where it does not run any more. */
  readonly flow: Flow<unknown> | undefined;
  readonly state: string;
  readonly positions: Iterable<StreamPositions>;
  readonly files: readonly CommittedFile[];
  readonly isTapped: (edge: number) => boolean;
  readonly commands: readonly FlowCommand[];
  /** Where its dead letters are stored, as far as the console knows. */
  readonly deadLettersAt?: string | undefined;
}

/** Something is busy all the time; a part that waits for less does not hold up the others. */
const LEAST_SECONDS = 1;

/** A flow as the page shows it: its parts and edges in order, with what the metrics know of each. */
export function flowView(facts: FlowFacts, rates: Rates): FlowView {
  const { status, flow, files, isTapped, commands, deadLettersAt } = facts;
  const parts = partViews(facts, rates);
  const age = oldestOf(status)?.ageSeconds;
  const culprit = culpritView(status, parts);
  return {
    name: status.flow,
    state: facts.state as FlowView['state'],
    guarantee: flow?.guarantee.level.replaceAll('-', ' ') ?? '',
    why: flow?.guarantee.because.join('; ') ?? '',
    warnings: flow?.warnings ?? [],
    ...(age !== undefined && { ageSeconds: age }),
    parts,
    edges: parts.slice(1).map((_, at) => edgeView(at, parts, status, rates, isTapped(at))),
    ...(culprit !== undefined && { culprit }),
    streams: streamViews(status, facts.positions),
    files,
    deadLetters: status.deadLetters,
    ...(deadLettersAt !== undefined && { deadLettersAt }),
    commands,
  };
}

function partViews({ status, flow }: FlowFacts, rates: Rates): PartView[] {
  const known = flow === undefined ? [] : partsOf(flow);
  const parts = known.length > 0 ? known : partsOfStatus(status);
  return parts.map(({ kind, name, about }, at) => {
    if (kind === 'source') return { kind, name, about, ...sourceNumbers(status, rates) };
    if (kind === 'sink') return { kind, name, about, ...sinkNumbers(status, rates) };
    const operator = status.operators.find((one) => Number.parseInt(one.operator, 10) === at);
    const shown = known.length > 0 ? `${at} ${name}` : name;
    return { kind, name: shown, about, ...operatorNumbers(operator, status.flow, rates) };
  });
}

/** Of a flow that has ended, of which only the metrics are left. */
function partsOfStatus({ sources, operators, sinks }: FlowStatus): Pick<PartView, 'kind' | 'name' | 'about'>[] {
  const [source] = sources;
  const [sink] = sinks;
  return [
    ...(source === undefined ? [] : [{ kind: 'source', name: source.source, about: source.name } as const]),
    ...operators.map(({ operator }) => ({ kind: 'operator', name: operator, about: '' }) as const),
    ...(sink === undefined ? [] : [{ kind: 'sink', name: sink.sink, about: sink.to } as const]),
  ];
}

type Numbers = Omit<PartView, 'kind' | 'name' | 'about'>;

/** Without what is not known. */
function known<T extends object>(numbers: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== undefined)) as T;
}

const sum = (numbers: readonly (number | undefined)[]): number | undefined =>
  numbers.reduce((all, one) => (one === undefined ? all : (all ?? 0) + one), undefined);
const most = (numbers: readonly number[]): number | undefined =>
  numbers.length === 0 ? undefined : Math.max(...numbers);

function sourceNumbers({ flow, sources }: FlowStatus, rates: Rates): Numbers {
  return known<Numbers>({
    inFlight: sum(sources.map(({ inFlight }) => inFlight)),
    waitingSeconds: sum(sources.map(({ noProgressSeconds }) => noProgressSeconds)),
    perSecond: rates.perSecond('rxflume_source_records_total', flow),
    failures: sum(sources.map(({ nacked }) => nacked)),
    latencyMs: rates.latency('rxflume_source_settle_duration_seconds', flow),
  });
}

function operatorNumbers(operator: FlowStatus['operators'][number] | undefined, flow: string, rates: Rates): Numbers {
  if (operator === undefined) return {};
  const { inFlight, waitingSeconds, nacked } = operator;
  const perSecond = rates.perSecond('rxflume_operator_received_total', flow, operator.operator);
  return known<Numbers>({ inFlight, waitingSeconds, perSecond, failures: nacked });
}

function sinkNumbers({ flow, sinks }: FlowStatus, rates: Rates): Numbers {
  const waiting = sinks.flatMap(({ waitingSeconds }) => Object.values(waitingSeconds));
  return known<Numbers>({
    inFlight: sum(sinks.map(({ inFlightBatches }) => inFlightBatches)),
    waitingSeconds: most(waiting),
    perSecond: rates.perSecond('rxflume_sink_values_total', flow),
    failures: sum(sinks.map(({ failures }) => failures)),
    latencyMs: rates.latency('rxflume_sink_write_duration_seconds', flow),
  });
}

/** What the part before an edge emits; of what emits nothing that is counted, what the part behind takes. */
function edgeView(at: number, parts: readonly PartView[], status: FlowStatus, rates: Rates, tapped: boolean): EdgeView {
  const { flow } = status;
  const [before, behind] = [parts[at], parts[at + 1]];
  const emitted =
    before?.kind === 'source'
      ? rates.perSecond('rxflume_source_emitted_records_total', flow)
      : rates.perSecond('rxflume_operator_emitted_total', flow, before?.name);
  const isFirst = at === 0;
  const bytes = isFirst
    ? rates.perSecond('rxflume_source_bytes_total', flow)
    : behind?.kind === 'sink'
      ? rates.perSecond('rxflume_sink_bytes_total', flow)
      : undefined;
  return {
    from: at,
    to: at + 1,
    perSecond: emitted ?? behind?.perSecond ?? 0,
    ...known<Pick<EdgeView, 'bytesPerSecond' | 'inFlight'>>({
      bytesPerSecond: bytes,
      inFlight: isFirst ? before?.inFlight : undefined,
    }),
    tapped,
  };
}

function culpritView(status: FlowStatus, parts: readonly PartView[]): FlowView['culprit'] {
  const { kind, name, seconds = 0, message } = culpritOf(status);
  const isInterrupted = kind === 'source' && status.sources.some(({ interrupted }) => interrupted === 1);
  if (seconds < LEAST_SECONDS && !isInterrupted) return undefined;
  const part =
    kind === 'operator'
      ? parts.findIndex((one) => `operator ${one.name}` === name)
      : parts.findIndex((one) => one.kind === kind);
  return part < 0 ? undefined : { part, because: message };
}

function streamViews(status: FlowStatus, positions: Iterable<StreamPositions>): StreamView[] {
  const engine = new Map([...positions].map((one) => [one.stream, one]));
  const isPaused = status.state === 'paused';
  return status.sources
    .flatMap(({ streams }) => streams)
    .map((one) => {
      const { logStart, logEnd, released } = engine.get(one.stream) ?? {};
      return {
        stream: one.stream,
        ...known<Omit<StreamView, 'stream' | 'paused'>>({
          logStart,
          logEnd: one.logEnd ?? logEnd,
          committed: one.committed,
          acked: one.acked,
          released,
          read: one.read,
          backlog: one.backlog,
          lag: one.committedLag,
          ageSeconds: ageOf(one),
          headroomSeconds: one.retentionHeadroomSeconds,
        }),
        paused: isPaused,
      };
    });
}

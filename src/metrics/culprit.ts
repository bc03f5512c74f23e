import type { FlowStatus } from './status.js';

/** Where the oldest unsettled record of a flow waits, as far as its metrics show. */
export interface Culprit {
  readonly kind: 'source' | 'operator' | 'sink' | 'unknown';
  /** Such as `sink files (/lake)` or `operator 2 mapValueAsync`. */
  readonly name: string;
  /** For how long it has been waiting there; undefined where that is not known. */
  readonly seconds: number | undefined;
  /** A sentence for people. */
  readonly message: string;
}

/** Something is busy all the time; only what stays as it is for so long holds up what is before it. */
const LEAST_SECONDS = 1;

/**
 * What holds up a flow: the first part that is busy while everything before it waits. Where several wait, that is the one furthest
 * downstream, since those before it wait for it: a sink whose call is not answered, before an operator that holds values, before
 * the source.
 *
 * ```ts
 * import { defaultMonitor } from 'rxflume';
 * import { culpritOf, statusOf } from 'rxflume/metrics';
 *
 * for (const status of statusOf(defaultMonitor)) {
 *   const { name, seconds, message } = culpritOf(status);
 *   console.log(status.flow, name, seconds, message);
 * }
 * ```
 */
export function culpritOf(status: FlowStatus): Culprit {
  const [call] = unansweredCalls(status);
  const [operator] = holdingOperators(status);
  const isStuck = ({ seconds = 0 }: Culprit) => seconds >= LEAST_SECONDS;
  const parts = [call, operator].filter((part) => part !== undefined);
  return parts.find(isStuck) ?? paused(status) ?? interrupted(status) ?? parts[0] ?? gathering(status);
}

/** Those of sinks, longest first. */
function unansweredCalls({ sinks }: FlowStatus): Culprit[] {
  return sinks
    .flatMap(({ sink, to, waitingSeconds }) =>
      Object.entries(waitingSeconds).map(([call, seconds]): Culprit & { readonly seconds: number } => {
        const name = `sink ${sink} (${to})`;
        const message = `A ${call} of ${name} has been unanswered for ${seconds.toFixed(1)} s.`;
        return { kind: 'sink', name, seconds, message };
      }),
    )
    .sort((a, b) => b.seconds - a.seconds);
}

/** The last of those that have held their values for long, or else the last. */
function holdingOperators({ operators }: FlowStatus): Culprit[] {
  return operators
    .filter(({ inFlight = 0 }) => inFlight > 0)
    .map(({ operator, inFlight = 0, waitingSeconds: seconds = 0 }): Culprit & { readonly seconds: number } => {
      const name = `operator ${operator}`;
      const values = inFlight === 1 ? '1 value' : `${inFlight} values`;
      const message = `Operator ${operator} holds ${values}, and has passed on or settled none for ${seconds.toFixed(1)} s.`;
      return { kind: 'operator', name, seconds, message };
    })
    .reverse()
    .sort((a, b) => Number(b.seconds >= LEAST_SECONDS) - Number(a.seconds >= LEAST_SECONDS));
}

function paused({ flow, state, sources: [source] }: FlowStatus): Culprit | undefined {
  if (state !== 'paused') return undefined;
  const name = source === undefined ? '' : `source ${source.source} (${source.name})`;
  return { kind: 'source', name, seconds: undefined, message: `Flow ${flow} is paused, until it is resumed.` };
}

function interrupted({ sources }: FlowStatus): Culprit | undefined {
  const source = sources.find(({ interrupted }) => interrupted === 1);
  if (source === undefined) return undefined;
  const name = `source ${source.source} (${source.name})`;
  return { kind: 'source', name, seconds: undefined, message: 'A source cannot read or commit some partitions.' };
}

/** Nothing is known to wait: values are gathered somewhere, or there are none. */
function gathering({ sources, sinks }: FlowStatus): Culprit {
  if (sources.some(({ inFlight = 0 }) => inFlight > 0)) {
    const message =
      'No call of a sink is unanswered, so records wait in an operator, or in a sink that gathers a batch or file.';
    return { kind: 'unknown', name: '', seconds: undefined, message };
  }
  const open = sinks.find(({ openFiles = 0 }) => openFiles > 0);
  if (open !== undefined) {
    const message = 'Records are in open files, which are published at the next roll.';
    return { kind: 'sink', name: `sink ${open.sink} (${open.to})`, seconds: undefined, message };
  }
  const [source] = sources;
  const name = source === undefined ? '' : `source ${source.source} (${source.name})`;
  return {
    kind: 'source',
    name,
    seconds: undefined,
    message: 'No record is in flight, so the source waits for its broker.',
  };
}

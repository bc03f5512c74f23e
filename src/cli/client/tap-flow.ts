import type { FlowView, TapStarted, TapValue } from '../../console/contract.js';
import { ConnectError } from '../../core/errors.js';
import { shownText } from '../../core/text.js';
import type { CommandContext } from '../command.js';
import { untilStopped } from './ask-console.js';
import { type ClientAsked, consolesOf, consoleWith } from './console-client.js';

/** What `rxflume tap` is asked for. */
export interface TapAsked extends ClientAsked {
  readonly flow: string;
  /** The number of an edge, or the name of the part before it; undefined for the edge before the sink. */
  readonly edge: string | undefined;
  readonly contains: string | undefined;
  readonly everyN: number | undefined;
  /** Ends after so many values; undefined: at a signal. */
  readonly count: number | undefined;
  readonly isJson: boolean;
}

/** Prints values that pass an edge of a flow, as they pass. */
export async function tapFlow(asked: TapAsked, { out, env }: CommandContext): Promise<number> {
  const { client, snapshot } = await consoleWith(asked.flow, consolesOf(asked, env));
  const flow = snapshot.flows.find(({ name }) => name === asked.flow) as FlowView;
  const { flow: name, contains, everyN, count = Number.POSITIVE_INFINITY, isJson } = asked;
  const wanted = {
    flow: name,
    edge: edgeOf(flow, asked.edge),
    ...(contains && { contains }),
    ...(everyN && { everyN }),
  };
  const { id } = await client.ask<TapStarted>('api/taps', wanted);
  const stopped = untilStopped();
  let seen = 0;
  try {
    for await (const { event, data } of client.events(`?tap=${id}`, stopped.signal)) {
      if (event !== 'tap') continue;
      const value = JSON.parse(data) as TapValue;
      out.write(
        isJson ? `${JSON.stringify(value)}\n` : `${shownText(`${value.stream} ${value.offset}  ${value.text}`)}\n`,
      );
      seen += 1;
      if (seen >= count) break;
    }
  } catch (error) {
    if (!stopped.signal.aborted) throw error;
  } finally {
    stopped.end();
  }
  return 0;
}

function edgeOf({ name, parts, edges }: FlowView, given: string | undefined): number {
  if (given === undefined) return edges.length - 1;
  const byName = parts.findIndex((part) => part.name === given || part.name.replace(/^\d+ /, '') === given);
  const edge = /^\d+$/.test(given) ? Number(given) : byName;
  if (edges[edge] !== undefined) return edge;
  const those = edges.map(({ from, to }) => `${from} from ${parts[from]?.name} to ${parts[to]?.name}`).join(', ');
  throw new ConnectError('RXF_CONSOLE_UNREACHABLE', `Flow \`${name}\` has no edge \`${given}\`. It has ${those}.`);
}

import { type Location, sharedName } from '../../core/location.js';
import type { SinkTraits } from '../../delivery/traits.js';
import { type Flow, insideOf } from '../../flow/flow.js';

/** A flow's sink that writes to what another flow reads from. */
export interface Connection {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly name: string;
  readonly addresses: readonly string[];
}

/** What a flow reads and writes, as far as its parts say. */
interface Ends {
  readonly flow: string;
  readonly reads: readonly Location[];
  readonly writes: readonly Location[];
}

/** Where flows hand over to each other. */
export function connectionsOf(flows: readonly Flow[]): Connection[] {
  const ends = flows.map(endsOf);
  return ends.flatMap((from) => ends.flatMap((to) => (from === to ? [] : connections(from, to))));
}

function endsOf(flow: Flow): Ends {
  const inside = insideOf(flow);
  const { reads = [] } = inside?.source.traits ?? {};
  const { writes = [] } = (inside?.steps.at(-1) ?? {}) as SinkTraits;
  return { flow: flow.name, reads, writes };
}

function connections(from: Ends, to: Ends): Connection[] {
  return from.writes.flatMap((written) =>
    to.reads.flatMap((read) => {
      const name = sharedName(read, written);
      const { kind, addresses } = written;
      return name === undefined ? [] : [{ from: from.flow, to: to.flow, kind, name, addresses }];
    }),
  );
}

/** Circles of flows: what goes into one comes back to it, again and again. Each begins with the flow that comes first. */
export function circlesOf(connections: readonly Connection[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of connections) next.set(from, [...new Set([...(next.get(from) ?? []), to])]);
  const circles = new Map<string, string[]>();
  const done = new Set<string>();
  const follow = (flow: string, path: readonly string[]): void => {
    const at = path.indexOf(flow);
    if (at >= 0) {
      const circle = path.slice(at);
      const first = circle.indexOf([...circle].sort()[0] as string);
      const begun = [...circle.slice(first), ...circle.slice(0, first)];
      circles.set(begun.join('\n'), begun);
      return;
    }
    if (done.has(flow)) return;
    for (const to of next.get(flow) ?? []) follow(to, [...path, flow]);
    done.add(flow);
  };
  for (const flow of next.keys()) follow(flow, []);
  return [...circles.values()];
}

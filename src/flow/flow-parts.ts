import type { Location } from '../core/location.js';
import type { SinkTraits } from '../delivery/traits.js';
import { type Flow, insideOf } from './flow.js';

/** One part of a flow, as it is drawn. */
export interface FlowPart {
  readonly kind: 'source' | 'operator' | 'sink';
  readonly name: string;
  /** What it reads or writes, where it says so. */
  readonly about: string;
}

/** The parts of a flow in order: its source, its operators, its sink. Empty where it is of a copy of this package that does not say. */
export function partsOf(flow: Flow<unknown>): FlowPart[] {
  const inside = insideOf(flow as Flow);
  if (inside === undefined) return [];
  const { source, steps } = inside;
  const sink = steps.at(-1) as SinkTraits & { readonly name: string };
  return [
    { kind: 'source', name: source.traits?.name ?? 'source', about: placesText(source.traits?.reads) },
    ...steps.slice(0, -1).map(({ name }): FlowPart => ({ kind: 'operator', name: name || 'operator', about: '' })),
    { kind: 'sink', name: sink.name || 'sink', about: sink.ledger?.at ?? placesText(sink.writes) },
  ];
}

function placesText(locations: readonly Location[] = []): string {
  return locations
    .map(
      ({ kind, names, addresses }) =>
        `${kind} ${names instanceof RegExp ? names : names.join(', ')} at ${addresses.join(', ')}`,
    )
    .join('; ');
}

import type { Location } from '../core/location.js';
import type { SinkTraits } from '../delivery/traits.js';
import { type Flow, insideOf } from '../flow/flow.js';

export type GraphForm = 'text' | 'mermaid' | 'json';

interface Part {
  readonly kind: 'source' | 'operator' | 'sink';
  readonly name: string;
  /** What it reads or writes, where it says so. */
  readonly about: string;
}

/** What `rxflume graph` prints: the parts of a flow in order, as text, a Mermaid flowchart, or JSON. */
export function graphOf(flow: Flow, form: GraphForm): string {
  const parts = partsOf(flow);
  if (form === 'json') return `${JSON.stringify({ flow: flow.name, guarantee: flow.guarantee.level, parts })}\n`;
  if (form === 'mermaid') return mermaid(flow.name, parts);
  const [source, ...others] = parts.map(({ name, about }) => (about === '' ? name : `${name}  ${about}`));
  return `${flow.name}\n\n  ${[source, ...others].join('\n    │\n    ▼\n  ')}\n`;
}

function partsOf(flow: Flow): Part[] {
  const inside = insideOf(flow);
  if (inside === undefined) return [];
  const { source, steps } = inside;
  const sink = steps.at(-1) as SinkTraits & { readonly name: string };
  return [
    { kind: 'source', name: source.traits?.name ?? 'source', about: placesText(source.traits?.reads) },
    ...steps.slice(0, -1).map(({ name }): Part => ({ kind: 'operator', name: name || 'operator', about: '' })),
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

function mermaid(title: string, parts: readonly Part[]): string {
  const text = (value: string) => value.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;');
  const nodes = parts.map(({ kind, name, about }, at) => {
    const label = `"${text(name)}${about === '' ? '' : `<br>${text(about)}`}"`;
    return `  p${at}${kind === 'operator' ? `[${label}]` : `[(${label})]`}`;
  });
  const edges = parts.slice(1).map((_, at) => `  p${at} --> p${at + 1}`);
  return [`---`, `title: ${title}`, `---`, 'flowchart LR', ...nodes, ...edges, ''].join('\n');
}

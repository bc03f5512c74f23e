import type { Flow } from '../flow/flow.js';
import { type FlowPart, partsOf } from '../flow/flow-parts.js';

export type GraphForm = 'text' | 'mermaid' | 'json';

/** What `rxflume graph` prints: the parts of a flow in order, as text, a Mermaid flowchart, or JSON. */
export function graphOf(flow: Flow, form: GraphForm): string {
  const parts = partsOf(flow);
  if (form === 'json') return `${JSON.stringify({ flow: flow.name, guarantee: flow.guarantee.level, parts })}\n`;
  if (form === 'mermaid') return mermaid(flow.name, parts);
  const [source, ...others] = parts.map(({ name, about }) => (about === '' ? name : `${name}  ${about}`));
  return `${flow.name}\n\n  ${[source, ...others].join('\n    │\n    ▼\n  ')}\n`;
}

function mermaid(title: string, parts: readonly FlowPart[]): string {
  const text = (value: string) => value.replaceAll('&', '#amp;').replaceAll('"', '#quot;').replaceAll('<', '#lt;');
  const nodes = parts.map(({ kind, name, about }, at) => {
    const label = `"${text(name)}${about === '' ? '' : `<br>${text(about)}`}"`;
    return `  p${at}${kind === 'operator' ? `[${label}]` : `[(${label})]`}`;
  });
  const edges = parts.slice(1).map((_, at) => `  p${at} --> p${at + 1}`);
  return [`---`, `title: ${title}`, `---`, 'flowchart LR', ...nodes, ...edges, ''].join('\n');
}

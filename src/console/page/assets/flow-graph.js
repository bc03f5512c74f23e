import { bytes, compact, count, duration, milliseconds, rate } from './format.js';
import { graphLayout } from './graph-layout.js';
import { html, loadDagre, useLayoutEffect, useMemo, useRef, useState } from './libraries.js';

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('../../contract.js').PartView} PartView */

/**
 * The parts of a flow and what passes between them.
 * @param {{ flow: FlowView, tapEdge?: ((edge: number) => void) | undefined }} props
 */
export function FlowGraph({ flow, tapEdge }) {
  const own = useRef(/** @type {HTMLElement | null} */ (null));
  const [width, setWidth] = useState(0);
  const [dagre, setDagre] = useState(/** @type {{ library: typeof import('@dagrejs/dagre') } | null} */ (null));
  useLayoutEffect(() => {
    loadDagre().then((library) => setDagre({ library }));
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    if (own.current) observer.observe(own.current);
    return () => observer.disconnect();
  }, []);
  const shape = `${flow.parts.length} ${flow.edges.map(({ from, to }) => `${from}-${to}`).join()}`;
  const layout = useMemo(
    () => (dagre === null || width === 0 ? undefined : graphLayout(dagre.library, flow, width)),
    [dagre, width, shape],
  );
  return html`
    <section aria-label="Flow graph">
      ${flow.culprit && html`<${Culprit} flow=${flow} />`}
      <div class="graph-room" ref=${own}>
        ${layout && html`<${Drawing} flow=${flow} layout=${layout} tapEdge=${tapEdge} />`}
      </div>
    </section>`;
}

/** @param {{ flow: FlowView }} props */
function Culprit({ flow }) {
  const { part = 0, because = '' } = flow.culprit ?? {};
  const look = () => document.getElementById(`part-${part}`)?.scrollIntoView({ block: 'center' });
  return html`
    <p class="note bad culprit">
      <span><strong>${flow.parts[part]?.name}</strong> is what the others wait for: ${because}</span>
      <button type="button" onClick=${look}>Show</button>
    </p>`;
}

/** @param {{ flow: FlowView, layout: import('./graph-layout.js').GraphLayout, tapEdge?: ((edge: number) => void) | undefined }} props */
function Drawing({ flow, layout, tapEdge }) {
  const { width, height } = layout;
  return html`
    <div class=${`graph ${layout.isDown ? 'down' : 'across'}`} style=${{ width, height }}>
      <svg width=${width} height=${height} aria-hidden="true">
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0 L8 4 L0 8 Z" />
          </marker>
        </defs>
        ${layout.edges.map(
          ({ path }, index) =>
            html`<path key=${index} class=${`edge ${isMoving(flow, index) ? 'moving' : ''}`} d=${path} marker-end="url(#arrow)" />`,
        )}
      </svg>
      <ol>
        ${flow.parts.map(
          (part, index) =>
            html`<${Part} key=${index} part=${part} index=${index} box=${layout.parts[index]}
              isCulprit=${flow.culprit?.part === index} age=${index === 0 ? flow.ageSeconds : undefined} />`,
        )}
      </ol>
      ${layout.edges.map(
        ({ x, y }, index) =>
          html`<${EdgeLabel} key=${index} flow=${flow} index=${index} left=${x} top=${y} tapEdge=${tapEdge} />`,
      )}
    </div>`;
}

/** @param {FlowView} flow @param {number} edge */
function isMoving(flow, edge) {
  return (flow.edges[edge]?.perSecond ?? 0) > 0;
}

/**
 * @param {{ part: PartView, index: number, box: import('./graph-layout.js').Box, isCulprit: boolean, age?: number | undefined }} props
 */
function Part({ part, index, box, isCulprit, age }) {
  const { inFlight, waitingSeconds, failures, latencyMs } = part;
  const numbers = [
    ['in flight', inFlight !== undefined && compact(inFlight)],
    ['age', age !== undefined && duration(age)],
    ['waits', waitingSeconds !== undefined && waitingSeconds >= 1 && duration(waitingSeconds)],
    ['p95', latencyMs !== undefined && milliseconds(latencyMs.p95)],
    ['failures', failures !== undefined && failures > 0 && compact(failures)],
  ];
  return html`
    <li id=${`part-${index}`} class=${`part ${isCulprit ? 'is-culprit' : ''}`} style=${{ ...box }}>
      <div class="part-name">
        <span class="kind">${part.kind}${isCulprit && html` <b class="badge bad">culprit</b>`}</span>
        <strong title=${part.name}>${part.name}</strong>
        <span class="muted about" title=${part.about}>${part.about}</span>
      </div>
      <dl>
        ${numbers.map(
          ([name, value]) =>
            value !== false &&
            html`<div key=${name} class=${name === 'failures' ? 'is-bad' : ''}><dt>${name}</dt><dd>${value}</dd></div>`,
        )}
      </dl>
    </li>`;
}

/** @param {{ flow: FlowView, index: number, left: number, top: number, tapEdge?: ((edge: number) => void) | undefined }} props */
function EdgeLabel({ flow, index, left, top, tapEdge }) {
  const edge = flow.edges[index];
  if (edge === undefined) return null;
  const { perSecond, bytesPerSecond, inFlight, tapped } = edge;
  const ends = `from ${flow.parts[edge.from]?.name} to ${flow.parts[edge.to]?.name}`;
  // The part before it shows the same number.
  const isShown = flow.parts[edge.from]?.inFlight === undefined;
  const more = [
    bytesPerSecond === undefined ? '' : `${bytes(bytesPerSecond)}/s`,
    isShown && inFlight ? `${count(inFlight)} in flight` : '',
  ];
  const text = html`
    <b>${rate(perSecond)}</b>
    ${more.filter(Boolean).map((one) => html`<span key=${one.replace(/[\d.,]+/, '')}>${one}</span>`)}`;
  const where = { left, top };
  if (tapEdge === undefined) return html`<div class="edge-label" style=${where}>${text}</div>`;
  return html`
    <button type="button" class=${`edge-label ${tapped ? 'is-tapped' : ''}`} style=${where} title=${`Tap ${ends}`}
      onClick=${() => tapEdge(index)}>
      ${text}<span class="hidden"> ${ends}: tap</span>
    </button>`;
}

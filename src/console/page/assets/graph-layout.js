// Where the parts of a flow and the edges between them are drawn.

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {{ left: number, top: number, width: number, height: number }} Box */
/**
 * @typedef {object} GraphLayout
 * @property {boolean} isDown From top to bottom, as where the flow is too long for the width.
 * @property {number} width
 * @property {number} height
 * @property {readonly Box[]} parts
 * @property {readonly { path: string, x: number, y: number }[]} edges With the middle of each.
 */

const ACROSS = { width: 210, leastWidth: 150, height: 160, gap: 80 };
const DOWN = { width: 620, height: 74, gap: 40 };
const MARGIN = 4;

/**
 * @param {typeof import('@dagrejs/dagre')} dagre
 * @param {Pick<FlowView, 'parts' | 'edges'>} flow
 * @param {number} width
 * @returns {GraphLayout}
 */
export function graphLayout(dagre, { parts, edges }, width) {
  const room = width - 2 * MARGIN;
  const share = Math.floor((room + ACROSS.gap) / parts.length - ACROSS.gap);
  const isDown = share < ACROSS.leastWidth;
  const size = isDown
    ? { ...DOWN, width: Math.min(DOWN.width, room) }
    : { ...ACROSS, width: Math.min(ACROSS.width, share) };
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({
    rankdir: isDown ? 'TB' : 'LR',
    ranksep: size.gap,
    nodesep: 24,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const index of parts.keys()) graph.setNode(String(index), { width: size.width, height: size.height });
  for (const { from, to } of edges) if (parts[from] && parts[to]) graph.setEdge(String(from), String(to));
  dagre.layout(graph);
  const boxes = parts.map((_, index) => {
    const { x, y } = graph.node(String(index));
    return { left: x - size.width / 2, top: y - size.height / 2, width: size.width, height: size.height };
  });
  const { width: drawn = 0, height = 0 } = graph.graph();
  return {
    isDown,
    width: drawn,
    height,
    parts: boxes,
    edges: edges.map(({ from, to }) => edgeBetween(boxes[from], boxes[to], isDown)),
  };
}

/** @param {Box | undefined} from @param {Box | undefined} to @param {boolean} isDown */
function edgeBetween(from, to, isDown) {
  if (from === undefined || to === undefined) return { path: '', x: 0, y: 0 };
  const x1 = isDown ? from.left + from.width / 2 : from.left + from.width;
  const y1 = isDown ? from.top + from.height : from.top + from.height / 2;
  const x2 = isDown ? to.left + to.width / 2 : to.left;
  const y2 = isDown ? to.top : to.top + to.height / 2;
  const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
  const curve = isDown ? `${x1} ${y} ${x2} ${y}` : `${x} ${y1} ${x} ${y2}`;
  return { path: `M${x1} ${y1} C${curve} ${x2} ${y2}`, x, y };
}

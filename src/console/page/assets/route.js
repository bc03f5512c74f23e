// Where in the page the user is, as the address after `#`. The token, which comes there too, is no route.

/** @typedef {'graph' | 'lanes' | 'partitions' | 'files' | 'dead-letters' | 'charts' | 'tap'} Tab */
/**
 * `process` is absent for a flow of the process that serves the page.
 * @typedef {{ view: 'overview' | 'alerts' | 'log' } | { view: 'flow', flow: string, tab: Tab, process?: string }} Route
 */

/** @type {readonly { tab: Tab, label: string }[]} */
export const TABS = [
  { tab: 'graph', label: 'Graph' },
  { tab: 'lanes', label: 'Lanes' },
  { tab: 'partitions', label: 'Partitions' },
  { tab: 'files', label: 'Files' },
  { tab: 'dead-letters', label: 'Dead letters' },
  { tab: 'charts', label: 'Charts' },
  { tab: 'tap', label: 'Tap' },
];

/** @param {string} hash @returns {Route} */
export function routeOf(hash) {
  const [view, ...rest] = hash.replace(/^#\/?/, '').split('/').map(decoded);
  if (view === 'alerts' || view === 'log') return { view };
  if (view === 'flow' && rest[0]) return { view, flow: rest[0], tab: tabOf(rest[1]) };
  if (view === 'peer' && rest[0] && rest[1]) {
    return { view: 'flow', process: rest[0], flow: rest[1], tab: tabOf(rest[2]) };
  }
  return { view: 'overview' };
}

/** @param {Route} route */
export function hashOf(route) {
  if (route.view !== 'flow') return route.view === 'overview' ? '#/' : `#/${route.view}`;
  const parts = route.process === undefined ? ['flow'] : ['peer', route.process];
  return `#/${[...parts, route.flow, route.tab].map(encodeURIComponent).join('/')}`;
}

/** @param {string} hash */
export function tokenOf(hash) {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token') ?? undefined;
}

/** @param {string | undefined} name @returns {Tab} */
function tabOf(name) {
  return TABS.find(({ tab }) => tab === name)?.tab ?? 'graph';
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

import { Charts } from './charts.js';
import { CommandButtons } from './commands.js';
import { DeadLetters } from './dead-letters.js';
import { Files } from './files.js';
import { FlowGraph } from './flow-graph.js';
import { compact, duration, rate } from './format.js';
import { Lanes } from './lanes.js';
import { html } from './libraries.js';
import { STATE_TONES } from './overview.js';
import { Partitions } from './partitions.js';
import { hashOf, TABS } from './route.js';
import { flowOf, sumOf } from './state.js';
import { StoredDeadLetters } from './stored-dead-letters.js';
import { TapPanel } from './tap.js';

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('./state.js').State} State */
/** @typedef {Extract<import('./route.js').Route, { view: 'flow' }>} FlowRoute */
/**
 * @typedef {object} FlowActions
 * @property {(command: import('../../contract.js').FlowCommand) => void} openCommand
 * @property {(stream: string, offset: number) => void} ask
 * @property {(edge: number) => void} tapEdge
 * @property {import('./tap.js').TapActions} tap
 * @property {import('./letter-dialog.js').LetterRequests} requests
 * @property {(text: string) => void} notify
 */

/** One flow: its head, and the view that was chosen. @param {{ state: State, actions: FlowActions }} props */
export function FlowPage({ state, actions }) {
  const route = /** @type {FlowRoute} */ (state.route);
  const found = flowOf(state);
  if (found === undefined) {
    return html`<h1>${route.flow}</h1><p class="empty">This flow does not run${route.process ? ` in ${route.process}` : ' in this process'}. It may have ended, or have another name.</p>`;
  }
  const { flow, peer } = found;
  const isRemote = peer !== undefined;
  const isReadOnly = isRemote || state.snapshot?.readOnly === true;
  const tabs = TABS.filter(({ tab }) => tab !== 'tap' || !isReadOnly).filter(
    ({ tab }) => tab !== 'charts' || !isRemote,
  );
  return html`
    <header class="flow-head">
      <div class="flow-title">
        <h1 title=${flow.name}>${flow.name}</h1>
        <b class=${`badge ${STATE_TONES[flow.state]}`}>${flow.state}</b>
        ${!isReadOnly && html`<${CommandButtons} flow=${flow} open=${actions.openCommand} />`}
      </div>
      ${peer && html`<p class="note">This flow runs in <strong>${peer.process}</strong>. For its commands, taps and charts, open <a href=${peer.url} rel="noreferrer">its own console</a>.</p>`}
      <${Summary} flow=${flow} />
      ${flow.warnings.map((warning) => html`<p key=${warning} class="note warn">${warning}</p>`)}
    </header>
    <nav class="tabs" aria-label="Views of the flow">
      ${tabs.map(({ tab, label }) => html`<a key=${tab} href=${hashOf({ ...route, tab })} aria-current=${route.tab === tab ? 'page' : undefined}>${label}</a>`)}
    </nav>
    <${View} key=${`${route.process} ${flow.name} ${route.tab}`} state=${state} flow=${flow} isRemote=${isRemote} isReadOnly=${isReadOnly} actions=${actions} />`;
}

/** @param {{ flow: FlowView }} props */
function Summary({ flow }) {
  const { streams, parts } = flow;
  /** @type {readonly (readonly [name: string, value: string, title?: string])[]} */
  const numbers = [
    ['received', rate(parts[0]?.perSecond)],
    ['in flight', compact(parts[0]?.inFlight)],
    ['oldest record', duration(flow.ageSeconds), 'Age of the oldest record that is not settled'],
    ['backlog', compact(sumOf(streams.map(({ backlog }) => backlog))), 'Records that are not read yet'],
    ['streams', compact(streams.length)],
    ['guarantee', flow.guarantee, flow.why],
  ];
  return html`
    <dl class="summary">
      ${numbers.map(([name, value, title]) => html`<div key=${name} title=${title}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>
    <p class="muted why">${flow.why}</p>`;
}

/** @param {{ state: State, flow: FlowView, isRemote: boolean, isReadOnly: boolean, actions: FlowActions }} props */
function View({ state, flow, isRemote, isReadOnly, actions }) {
  const { tab } = /** @type {FlowRoute} */ (state.route);
  const tap = state.tap?.flow === flow.name ? state.tap : undefined;
  switch (tab) {
    case 'lanes':
      return html`<${Lanes} streams=${flow.streams} files=${flow.files} ask=${isRemote ? undefined : actions.ask} />`;
    case 'partitions':
      return html`<${Partitions} streams=${flow.streams} />`;
    case 'files':
      return html`<${Files} files=${flow.files} />`;
    case 'dead-letters':
      return html`
        <${DeadLetters} deadLetters=${flow.deadLetters} />
        ${!isRemote && flow.deadLettersAt !== undefined && html`<${StoredDeadLetters} flow=${flow} isReadOnly=${isReadOnly} requests=${actions.requests} done=${actions.notify} />`}`;
    case 'charts':
      return isRemote ? null : html`<${Charts} flow=${flow} history=${state.history} />`;
    case 'tap':
      return isReadOnly
        ? html`<p class="empty">Taps are not allowed here.</p>`
        : html`<${TapPanel} flow=${flow} tap=${tap} edge=${state.tapEdge ?? 0} message=${state.tapMessage} actions=${actions.tap} />`;
    default:
      return html`<${FlowGraph} flow=${flow} tapEdge=${isReadOnly ? undefined : actions.tapEdge} />`;
  }
}

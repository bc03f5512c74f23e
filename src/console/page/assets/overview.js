import { clockTime, compact, duration, plural, rate } from './format.js';
import { html } from './libraries.js';
import { hashOf } from './route.js';
import { allFlows, sumOf } from './state.js';

/** @typedef {import('../../contract.js').ConsoleSnapshot} ConsoleSnapshot */
/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('./state.js').State} State */

/** @type {Readonly<Record<FlowView['state'], string>>} */
export const STATE_TONES = {
  running: 'ok',
  draining: 'warn',
  paused: 'warn',
  completed: '',
  failed: 'bad',
  abandoned: 'bad',
};

/** The flows of all processes. @param {{ snapshot: ConsoleSnapshot }} props */
export function Overview({ snapshot }) {
  const flows = allFlows(snapshot);
  const lost = snapshot.peers.filter(({ ok }) => !ok);
  return html`
    <section aria-labelledby="overview-title">
      <h1 id="overview-title">Flows</h1>
      <p class="muted">${plural(flows.length, 'flow')} in ${plural(1 + snapshot.peers.length, 'process', 'processes')}</p>
      ${lost.map(({ process, url, message }) => html`<p key=${url} class="note bad"><strong>${process || url}</strong> did not answer: ${message ?? 'no reason was given'}</p>`)}
      ${flows.length === 0 && html`<p class="empty">No flow runs in this process.</p>`}
      <ul class="flow-cards">
        ${flows.map(({ process, flow, route }) => html`<${FlowCard} key=${`${process} ${flow.name}`} process=${process} flow=${flow} href=${hashOf(route)} />`)}
      </ul>
    </section>`;
}

/** @param {{ process: string, flow: FlowView, href: string }} props */
function FlowCard({ process, flow, href }) {
  const culprit = flow.culprit === undefined ? undefined : flow.parts[flow.culprit.part];
  const letters = Object.values(flow.deadLetters).reduce((sum, one) => sum + one, 0);
  const numbers = [
    ['received', rate(flow.parts[0]?.perSecond)],
    ['age', duration(flow.ageSeconds)],
    ['backlog', compact(sumOf(flow.streams.map(({ backlog }) => backlog)))],
    ['dead letters', compact(letters)],
  ];
  return html`
    <li class="card flow-card">
      <div class="flow-card-head">
        <a href=${href} title=${flow.name}>${flow.name}</a>
        <b class=${`badge ${STATE_TONES[flow.state]}`}>${flow.state}</b>
      </div>
      <p class="muted process" title=${process}>${process}</p>
      ${culprit && html`<p class="note bad">Waits for <strong>${culprit.name}</strong>: ${flow.culprit?.because}</p>`}
      <dl>${numbers.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    </li>`;
}

/** What is beside every view: where one can go. @param {{ state: State, snapshot: ConsoleSnapshot }} props */
export function Navigation({ state, snapshot }) {
  const here = hashOf(state.route);
  const firing = snapshot.alerts.filter(({ phase }) => phase === 'firing').length;
  const link = (/** @type {string} */ href, /** @type {unknown} */ label, /** @type {boolean} */ isHere) =>
    html`<a href=${href} aria-current=${isHere ? 'page' : undefined}>${label}</a>`;
  /** @type {Map<string, ReturnType<typeof allFlows>>} */
  const byProcess = new Map();
  for (const one of allFlows(snapshot)) byProcess.set(one.process, [...(byProcess.get(one.process) ?? []), one]);
  return html`
    <nav aria-label="Console">
      <ul>
        <li>${link('#/', 'Overview', here === '#/')}</li>
        <li>${link('#/alerts', html`Alerts ${firing > 0 && html`<b class="badge bad">${firing}<span class="hidden"> firing</span></b>`}`, here === '#/alerts')}</li>
        <li>${link('#/log', 'Log', here === '#/log')}</li>
      </ul>
      ${[...byProcess].map(
        ([process, flows], index) => html`
          <h2 key=${process} id=${`process-${index}`} title=${process}>${process}</h2>
          <ul aria-labelledby=${`process-${index}`}>
            ${flows.map(({ flow, route }) => {
              const isHere =
                state.route.view === 'flow' && hashOf({ .../** @type {any} */ (route), tab: state.route.tab }) === here;
              const label = html`
                <i class=${`dot ${flow.culprit ? 'bad' : STATE_TONES[flow.state]}`} /><span class="name" title=${flow.name}>${flow.name}</span>
                <span class="hidden">${flow.state}${flow.culprit && ', stalled'}</span>`;
              return html`<li key=${flow.name}>${link(hashOf({ .../** @type {any} */ (route), tab: state.route.view === 'flow' ? state.route.tab : 'graph' }), label, isHere)}</li>`;
            })}
          </ul>`,
      )}
    </nav>`;
}

/** Whether what is shown is live. @param {{ state: State, retry: () => void }} props */
export function Connection({ state, retry }) {
  const { lost, snapshot, nowMs, updatedMs } = state;
  const silentSeconds = Math.floor((nowMs - updatedMs) / 1_000);
  if (lost !== undefined) {
    const waitSeconds = Math.max(0, Math.ceil((lost.retryAtMs - nowMs) / 1_000));
    return html`
      <div class="note bad connection" role="alert">
        <span><strong>No connection to ${snapshot?.process ?? 'the process'} since ${clockTime(lost.sinceMs)}.</strong>
          ${' '}It may have ended, or the network is down. What you see is from then.
          <span aria-live="off">${' '}The next attempt is ${waitSeconds === 0 ? 'now' : `in ${waitSeconds} s`}.</span></span>
        <button type="button" onClick=${retry}>Try now</button>
      </div>`;
  }
  if (snapshot !== undefined && silentSeconds >= 10) {
    return html`<p class="note warn" role="status">The process has sent nothing for ${duration(silentSeconds)}. It may hang; what you see is from then.</p>`;
  }
  return null;
}

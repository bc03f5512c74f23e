import { clockTime, duration } from './format.js';
import { html } from './libraries.js';

/** @typedef {import('../../contract.js').AlertView} AlertView */

const PHASES = ['firing', 'pending', 'resolved'];
/** @type {Readonly<Record<string, string>>} */
const TONES = { firing: 'bad', pending: 'warn', resolved: 'ok' };

/** @param {{ alerts: readonly AlertView[], watches: boolean, nowMs: number }} props */
export function Alerts({ alerts, watches, nowMs }) {
  const sorted = [...alerts].sort((a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || b.since - a.since);
  const empty = watches
    ? 'Nothing is firing, pending or resolved.'
    : 'No alert rules run in this process. The guide to alerts shows how to add them.';
  return html`
    <section aria-labelledby="alerts-title">
      <h1 id="alerts-title">Alerts</h1>
      ${sorted.length === 0 && html`<p class="empty">${empty}</p>`}
      <ul class="alerts">
        ${sorted.map(
          ({ name, flow, phase, since, message }) => html`
            <li key=${`${name} ${flow} ${message}`} class=${`card alert ${TONES[phase]}`}>
              <div><b class=${`badge ${TONES[phase]}`}>${phase}</b> <strong>${name}</strong> ${flow && html`<span class="muted">${flow}</span>`}</div>
              <p>${message}</p>
              <p class="muted">since ${clockTime(since)}, ${duration(Math.max(0, nowMs - since) / 1_000)}</p>
            </li>`,
        )}
      </ul>
    </section>`;
}

import { Dialog } from './dialog.js';
import { html } from './libraries.js';
import { TABS } from './route.js';

/** @type {readonly (readonly [key: string, what: string])[]} */
const SHORTCUTS = [
  ['?', 'Show this list'],
  ['o', 'Overview of all flows'],
  ['a', 'Alerts'],
  ['l', 'Log'],
  ['[ and ]', 'Previous and next flow'],
  [`1 to ${TABS.length}`, `Views of a flow: ${TABS.map(({ label }) => label.toLowerCase()).join(', ')}`],
  ['w', 'Why: where a record is'],
  ['p', 'Pause or continue the log or the tap'],
  ['/', 'Go to the filter of a view'],
  ['Esc', 'Close a dialog'],
];

/**
 * The key of a shortcut, or undefined where the user writes or a dialog is open.
 * @param {KeyboardEvent} event
 */
export function shortcutOf(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return undefined;
  const target = /** @type {HTMLElement} */ (event.target);
  if (target.closest('input, textarea, select, [contenteditable], dialog')) return undefined;
  return event.key;
}

/** @param {{ isOn: boolean, turn: (on: boolean) => void, close: () => void }} props */
export function Help({ isOn, turn, close }) {
  return html`
    <${Dialog} title="Keyboard" close=${close}>
      <table class="plain">
        <thead><tr><th scope="col">Key</th><th scope="col">What it does</th></tr></thead>
        <tbody>
          ${SHORTCUTS.map(([key, what]) => html`<tr key=${key}><td><kbd>${key}</kbd></td><td>${what}</td></tr>`)}
        </tbody>
      </table>
      <label class="check">
        <input type="checkbox" checked=${isOn} onChange=${(/** @type {any} */ event) => turn(event.target.checked)} />
        Single-key shortcuts
      </label>
    <//>`;
}

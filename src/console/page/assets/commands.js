import { Dialog } from './dialog.js';
import { count, plural } from './format.js';
import { html, useState } from './libraries.js';

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('../../contract.js').FlowCommand} FlowCommand */
/** @typedef {import('../../contract.js').ResetRequest} ResetRequest */
/** @typedef {import('../../contract.js').ResetPreview} ResetPreview */
/**
 * What a command asks the server; each answers with the message to show, or fails with one.
 * @typedef {object} CommandRequests
 * @property {(flow: string, command: FlowCommand) => Promise<{ message: string }>} command
 * @property {(flow: string, body: ResetRequest) => Promise<ResetPreview>} previewReset
 * @property {(flow: string, body: ResetRequest) => Promise<{ message: string }>} reset
 */

/** @type {Readonly<Record<FlowCommand, { label: string, title: string, effect: string, isGrave?: boolean }>>} */
export const COMMANDS = {
  pause: {
    label: 'Pause',
    title: 'Pause',
    effect:
      'The source stops reading. What is in flight is finished and committed. Nothing is lost, and the backlog grows until you resume.',
  },
  resume: { label: 'Resume', title: 'Resume', effect: 'The source reads on from where it stopped.' },
  roll: {
    label: 'Roll now',
    title: 'Roll the files of',
    effect: 'Open files are finished and committed now, as if their time had passed. The next records start new files.',
  },
  reset: { label: 'Reset position', title: 'Reset the position of', effect: '' },
  drain: {
    label: 'Drain',
    title: 'Drain',
    effect:
      'The source stops reading, everything in flight is written and committed, and the flow ends. It does not start again until you start the process.',
    isGrave: true,
  },
};

/** The buttons of what may be done now. @param {{ flow: FlowView, open: (command: FlowCommand) => void }} props */
export function CommandButtons({ flow, open }) {
  if (flow.commands.length === 0) return null;
  const offered = /** @type {FlowCommand[]} */ (Object.keys(COMMANDS)).filter((name) => flow.commands.includes(name));
  return html`
    <div class="commands" role="group" aria-label="Commands">
      ${offered.map((name) => html`<button key=${name} type="button" onClick=${() => open(name)}>${COMMANDS[name].label}</button>`)}
    </div>`;
}

/**
 * @param {{ flow: FlowView, command: FlowCommand, requests: CommandRequests, close: () => void, done: (text: string) => void }} props
 */
export function CommandDialog({ flow, command, requests, close, done }) {
  const { title, label, effect, isGrave } = COMMANDS[command];
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const attempt = async (/** @type {() => Promise<unknown>} */ act) => {
    setBusy(true);
    setFailure('');
    try {
      await act();
    } catch (error) {
      setFailure(/** @type {Error} */ (error).message);
    } finally {
      setBusy(false);
    }
  };
  const confirm = () => attempt(async () => done((await requests.command(flow.name, command)).message));
  return html`
    <${Dialog} title=${`${title} ${flow.name}?`} close=${close} wide=${command === 'reset'}>
      ${failure && html`<p class="note bad" role="alert">${failure}</p>`}
      ${
        command === 'reset'
          ? html`<${Reset} flow=${flow} requests=${requests} attempt=${attempt} isBusy=${isBusy} close=${close} done=${done} />`
          : html`
            <p>${effect}</p>
            <div class="actions">
              <button type="button" onClick=${close}>Cancel</button>
              <button type="button" class=${isGrave ? 'grave' : 'primary'} disabled=${isBusy} onClick=${confirm}>${label}</button>
            </div>`
      }
    <//>`;
}

/**
 * @param {{ flow: FlowView, requests: CommandRequests, attempt: (act: () => Promise<unknown>) => Promise<void>, isBusy: boolean, close: () => void, done: (text: string) => void }} props
 */
function Reset({ flow, requests, attempt, isBusy, close, done }) {
  const [kind, setKind] = useState(/** @type {'offset' | 'time'} */ ('offset'));
  const [offset, setOffset] = useState('0');
  const [time, setTime] = useState('');
  const [text, setText] = useState('');
  const [preview, setPreview] = useState(/** @type {{ answer: ResetPreview, body: ResetRequest } | null} */ (null));
  const streams = flow.streams.map(({ stream }) => stream).filter((stream) => stream.includes(text));
  const change = (/** @type {(value: any) => void} */ set) => (/** @type {any} */ event) => {
    set(event.target.value);
    setPreview(null);
  };
  const ask = (/** @type {Event} */ event) => {
    event.preventDefault();
    const to = kind === 'offset' ? { offset: Number(offset) } : { time: new Date(time).getTime() };
    const body = { to, ...(text === '' ? {} : { streams }) };
    attempt(async () => setPreview({ answer: await requests.previewReset(flow.name, body), body }));
  };
  const confirm = () => attempt(async () => preview && done((await requests.reset(flow.name, preview.body)).message));
  const isReady = streams.length > 0 && (kind === 'offset' ? /^\d+$/.test(offset) : time !== '');
  return html`
    <form onSubmit=${ask}>
      <p>The flow reads on from another position. You see what that means before anything changes.</p>
      <fieldset class="choice">
        <legend>To</legend>
        <label><input type="radio" name="to" value="time" checked=${kind === 'time'} onChange=${change(setKind)} /> a time</label>
        <label><input type="radio" name="to" value="offset" checked=${kind === 'offset'} onChange=${change(setKind)} /> an offset</label>
        ${
          kind === 'time'
            ? html`<input type="datetime-local" step="1" aria-label="Time" value=${time} onInput=${change(setTime)} />`
            : html`<input type="number" min="0" aria-label="Offset" value=${offset} onInput=${change(setOffset)} />`
        }
      </fieldset>
      <label class="filter"><span>Streams with</span>
        <input value=${text} placeholder="all" onInput=${change(setText)} /> <span class="muted">${plural(streams.length, 'stream')}</span></label>
      ${preview && html`<${Preview} answer=${preview.answer} />`}
      <div class="actions">
        <button type="button" onClick=${close}>Cancel</button>
        ${
          preview === null
            ? html`<button key="preview" type="submit" class="primary" disabled=${isBusy || !isReady}>Preview</button>`
            : html`<button key="reset" type="button" class="grave" disabled=${isBusy} onClick=${confirm}>Reset position</button>`
        }
      </div>
    </form>`;
}

/** @param {{ answer: ResetPreview }} props */
function Preview({ answer }) {
  return html`
    <div role="status"><p class="note">${answer.message}</p></div>
    <div class="scroll preview" role="region" aria-label="Preview" tabindex="0">
      <table class="plain">
        <thead><tr><th scope="col">Stream</th><th scope="col" class="number">From</th><th scope="col" class="number">To</th><th scope="col">Effect</th></tr></thead>
        <tbody>
          ${answer.perStream.map(
            ({ stream, from, to, redelivered }) => html`
              <tr key=${stream}><td>${stream}</td><td class="number">${count(from)}</td><td class="number">${count(to)}</td>
                <td>${redelivered < 0 ? html`<b class="badge bad">${count(-redelivered)} skipped</b>` : `${count(redelivered)} redelivered`}</td></tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

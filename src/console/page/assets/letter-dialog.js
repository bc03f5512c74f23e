import { Dialog } from './dialog.js';
import { count, plural } from './format.js';
import { html, useState } from './libraries.js';

/** @typedef {import('../../dead-letter-contract.js').DeadLetterList} DeadLetterList */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterPreview} DeadLetterPreview */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterQuery} DeadLetterQuery */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterRequest} DeadLetterRequest */
/** @typedef {import('../../dead-letter-contract.js').ShownDeadLetter} ShownDeadLetter */
/**
 * What dead letters ask the server; each answers, or fails with a message.
 * @typedef {object} LetterRequests
 * @property {(flow: string, query: DeadLetterQuery) => Promise<DeadLetterList>} deadLetters
 * @property {(flow: string, body: DeadLetterRequest) => Promise<DeadLetterPreview>} previewDeadLetters
 * @property {(flow: string, command: 'replay' | 'drop', body: DeadLetterRequest) => Promise<{ message: string }>} commandDeadLetters
 */
/**
 * What is asked for: `letter` where it is about one, which may then be edited.
 * @typedef {{ command: 'replay' | 'drop', query: DeadLetterQuery, waiting: number, letter?: ShownDeadLetter }} Asked
 */

/** @param {{ flow: string, asked: Asked, requests: LetterRequests, close: () => void, done: (text: string) => void }} props */
export function LetterDialog({ flow, asked, requests, close, done }) {
  const { command, query, waiting, letter } = asked;
  const [value, setValue] = useState(letter?.value ?? '');
  const [key, setKey] = useState(letter?.key ?? '');
  const [preview, setPreview] = useState(/** @type {DeadLetterPreview | null} */ (null));
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const edits = letter && editsOf(letter, value, key);
  const body = { filter: query, ...(edits ? { edits } : {}) };
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
  const tryIt = (/** @type {Event} */ event) => {
    event.preventDefault();
    attempt(async () => setPreview(await requests.previewDeadLetters(flow, body)));
  };
  const act = () =>
    attempt(async () => done((await requests.commandDeadLetters(flow, command, { ...body, confirm: true })).message));
  const change = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => {
    set(event.target.value);
    setPreview(null);
  };
  const what = letter ? `the dead letter ${letter.place}` : plural(waiting, 'dead letter');
  const buttons = (/** @type {unknown} */ last) => html`
    <div class="actions"><button type="button" onClick=${close}>Cancel</button>${last}</div>`;
  if (command === 'drop') {
    return html`
      <${Dialog} title=${`Drop ${what}?`} close=${close}>
        ${failure && html`<p class="note bad" role="alert">${failure}</p>`}
        <p>Nothing replays a dropped dead letter, now or later. Its line stays where it is stored.${letter ? '' : ' All that fit the filter are dropped, also those that have come since you looked.'}</p>
        ${buttons(html`<button type="button" class="grave" disabled=${isBusy} onClick=${act}>Drop</button>`)}
      <//>`;
  }
  return html`
    <${Dialog} title=${`Replay ${what}?`} close=${close} wide=${true}>
      ${failure && html`<p class="note bad" role="alert">${failure}</p>`}
      <form onSubmit=${tryIt}>
        <p>It goes through the operators of ${flow}, from the one that set it aside, into its sink. First you see what would become of it.</p>
        ${letter && html`<${Editor} letter=${letter} value=${value} keyText=${key} setValue=${change(setValue)} setKey=${change(setKey)} />`}
        ${preview && html`<${Outcomes} preview=${preview} />`}
        ${buttons(
          preview === null
            ? html`<button key="preview" type="submit" class="primary" disabled=${isBusy}>Preview</button>`
            : html`<button key="replay" type="button" class="grave" disabled=${isBusy} onClick=${act}>Replay</button>`,
        )}
      </form>
    <//>`;
}

/** What differs from the letter as it was shown. @param {ShownDeadLetter} letter @param {string} value @param {string} key */
function editsOf(letter, value, key) {
  const edit = {
    ...(value === (letter.value ?? '') ? {} : { value }),
    ...(key === (letter.key ?? '') ? {} : { key }),
  };
  return Object.keys(edit).length === 0 ? undefined : { [letter.place]: edit };
}

/**
 * @param {{ letter: ShownDeadLetter, value: string, keyText: string, setValue: (event: unknown) => void, setKey: (event: unknown) => void }} props
 */
function Editor({ letter, value, keyText, setValue, setKey }) {
  const { cut, redacted, encoding, code, message } = letter;
  return html`
    <p class="note"><code>${code}</code> ${message}</p>
    ${cut && html`<p class="note warn">The value is longer than is shown, so it cannot be edited here. Use <code>rxflume dlq replay --edit</code>.</p>`}
    ${redacted && html`<p class="note warn">Fields of it are hidden. Without a change it is replayed as it is; to change it, write all of it, or use <code>rxflume dlq replay --edit</code>.</p>`}
    <label>Key <input value=${keyText} onInput=${setKey} /></label>
    <label for="letter-value">Value${encoding === 'base64' ? ', as base64' : ''}</label>
    <textarea id="letter-value" rows="10" spellcheck="false" readonly=${cut} value=${value} onInput=${setValue} />`;
}

/** @param {{ preview: DeadLetterPreview }} props */
function Outcomes({ preview: { outcomes, letters, cut } }) {
  const summary = Object.entries(outcomes).map(([outcome, n]) => `${count(n)} ${outcome}`);
  const others = letters.filter(({ outcome }) => outcome !== 'stored');
  return html`
    <div role="status"><p class="note">Today's flow: ${summary.join(', ') || 'none waits any more'}.${cut ? ' Only the first 1,000 were tried.' : ''} Nothing was written.</p></div>
    ${
      others.length > 0 &&
      html`
      <div class="scroll preview" role="region" aria-label="Those that would not be stored" tabindex="0">
        <table class="plain">
          <thead><tr><th scope="col">Outcome</th><th scope="col">Why</th><th scope="col">Dead letter</th></tr></thead>
          <tbody>${others.map(
            ({ place, outcome, message }) =>
              html`<tr key=${place}><td><b class=${`badge ${outcome === 'dropped' ? '' : 'bad'}`}>${outcome}</b></td><td class="wrapped">${message}</td><td class="path">${place}</td></tr>`,
          )}</tbody>
        </table>
      </div>`
    }`;
}

import { count, plural } from './format.js';
import { LetterDialog } from './letter-dialog.js';
import { html, useEffect, useState } from './libraries.js';
import { Table } from './table.js';

/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterGroup} DeadLetterGroup */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterList} DeadLetterList */
/** @typedef {import('../../dead-letter-contract.js').DeadLetterQuery} DeadLetterQuery */
/** @typedef {import('../../dead-letter-contract.js').ShownDeadLetter} ShownDeadLetter */
/** @typedef {import('./letter-dialog.js').Asked} Asked */
/** @typedef {import('./letter-dialog.js').LetterRequests} LetterRequests */

/** @type {import('./table-rows.js').Column<DeadLetterGroup>[]} */
const COLUMNS = [
  { name: 'Cause', value: ({ code }) => code, text: ({ code }) => html`<code>${code}</code>` },
  { name: 'Operator', value: ({ operator }) => operator ?? '' },
  { name: 'Waiting', value: ({ waiting }) => waiting, text: ({ waiting }) => count(waiting), isNumber: true },
  { name: 'In all', value: ({ total }) => total, text: ({ total }) => count(total), isNumber: true },
  { name: 'First', value: ({ first }) => first, text: ({ first }) => shortTime(first) },
  { name: 'Last', value: ({ last }) => last, text: ({ last }) => shortTime(last) },
];

/** `2026-11-27 10:15:01Z`. @param {string} iso */
const shortTime = (iso) => html`<time datetime=${iso}>${iso.replace('T', ' ').replace(/\.\d+Z$/, 'Z')}</time>`;

/**
 * The dead letters of a flow where they are stored: by cause, and the first of those that wait.
 * @param {{ flow: FlowView, isReadOnly: boolean, requests: LetterRequests, done: (text: string) => void }} props
 */
export function StoredDeadLetters({ flow, isReadOnly, requests, done }) {
  const [query, setQuery] = useState(/** @type {DeadLetterQuery} */ ({}));
  const [list, setList] = useState(/** @type {DeadLetterList | null} */ (null));
  const [failure, setFailure] = useState('');
  const [asked, setAsked] = useState(/** @type {Asked | null} */ (null));
  const find = async (/** @type {DeadLetterQuery} */ wanted) => {
    setFailure('');
    try {
      setList(await requests.deadLetters(flow.name, wanted));
    } catch (error) {
      setList(null);
      setFailure(/** @type {Error} */ (error).message);
    }
  };
  useEffect(() => {
    find(query);
  }, [query]);
  const ended = (/** @type {string} */ text) => {
    setAsked(null);
    done(text);
    find(query);
  };
  const fitting = list?.counts.waiting ?? 0;
  return html`
    <section aria-label="Stored dead letters">
      <${Search} codes=${list?.groups.map(({ code }) => code) ?? []} search=${setQuery} />
      <div role="status">
        ${failure && html`<p class="note bad">${failure}</p>`}
        ${list && html`<p class="muted">${summaryOf(list)}</p>`}
      </div>
      ${
        !isReadOnly &&
        fitting > 0 &&
        html`
        <div class="commands" role="group" aria-label="All that fit">
          <button type="button" onClick=${() => setAsked({ command: 'replay', query, waiting: fitting })}>Replay all ${count(fitting)}</button>
          <button type="button" onClick=${() => setAsked({ command: 'drop', query, waiting: fitting })}>Drop all ${count(fitting)}</button>
        </div>`
      }
      ${list && list.groups.length > 0 && html`<${Table} label="Stored dead letters by cause" rows=${list.groups} columns=${COLUMNS} keyOf=${(/** @type {DeadLetterGroup} */ one) => `${one.code} ${one.operator}`} order=${{ column: 2, isDown: true }} />`}
      ${isReadOnly && html`<p class="muted">This console is read-only: it shows no values, and replays nothing.</p>`}
      ${list && list.letters.length > 0 && html`<${Letters} letters=${list.letters} waiting=${fitting} ask=${setAsked} />`}
      ${asked && html`<${LetterDialog} key=${`${asked.command} ${asked.letter?.place}`} flow=${flow.name} asked=${asked} requests=${requests} close=${() => setAsked(null)} done=${ended} />`}
    </section>`;
}

/** @param {DeadLetterList} list */
function summaryOf({ where, counts, unreadable, cut }) {
  const found = Object.entries(counts).filter(([, n]) => n > 0);
  const states = found.map(([state, n]) => `${count(n)} ${state}`).join(', ') || 'none fits';
  const more = unreadable > 0 ? ` ${plural(unreadable, 'line is', 'lines are')} no dead letter.` : '';
  return `In ${where}: ${states}.${more}${cut ? ' Only the first 100,000 were read.' : ''}`;
}

/** @param {{ codes: readonly string[], search: (query: DeadLetterQuery) => void }} props */
function Search({ codes, search }) {
  const [code, setCode] = useState('');
  const [contains, setContains] = useState('');
  const [stream, setStream] = useState('');
  const [since, setSince] = useState('');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    search({
      ...(code === '' ? {} : { code }),
      ...(contains === '' ? {} : { contains }),
      ...(stream === '' ? {} : { stream }),
      ...(since === '' ? {} : { since: new Date(since).getTime() }),
    });
  };
  const value = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => set(event.target.value);
  return html`
    <form class="card tap-form" onSubmit=${submit} aria-label="Which dead letters">
      <label>Cause <input list="dead-letter-codes" value=${code} placeholder="any" onInput=${value(setCode)} /></label>
      <datalist id="dead-letter-codes">${[...new Set(codes)].map((one) => html`<option key=${one} value=${one} />`)}</datalist>
      <label>Text in message, key or value <input data-filter value=${contains} placeholder="any" onInput=${value(setContains)} /></label>
      <label>Stream <input value=${stream} placeholder="any; kafka:chat/*" onInput=${value(setStream)} /></label>
      <label>Set aside since <input type="datetime-local" step="1" value=${since} onInput=${value(setSince)} /></label>
      <button class="primary" type="submit">Find</button>
    </form>`;
}

/** @param {{ letters: readonly ShownDeadLetter[], waiting: number, ask: (asked: Asked) => void }} props */
function Letters({ letters, waiting, ask }) {
  const row = (/** @type {ShownDeadLetter} */ letter) => {
    const { place, code, message, stream, offset, setAsideAt, attempt, value, encoding, cut, redacted } = letter;
    const one = { query: { places: [place] }, waiting: 1, letter };
    return html`
      <li key=${place}>
        <div class="muted">${shortTime(setAsideAt)} ${stream}@${count(offset)}, attempt ${count(attempt)}
          ${cut && html` <b class="badge warn">cut</b>`}${redacted && html` <b class="badge">redacted</b>`}${encoding === 'base64' && html` <b class="badge">base64</b>`}</div>
        <p><code>${code}</code> ${message}</p>
        <pre>${value ?? '(no value)'}</pre>
        <div class="commands" role="group" aria-label=${`Dead letter ${place}`}>
          <button class="small" type="button" onClick=${() => ask({ command: 'replay', ...one })}>Edit and replay</button>
          <button class="small" type="button" onClick=${() => ask({ command: 'drop', ...one })}>Drop</button>
          <span class="muted path">${place}</span>
        </div>
      </li>`;
  };
  return html`
    <h2>Waiting${letters.length < waiting ? `, the first ${letters.length} of ${count(waiting)}` : ''}</h2>
    <div class="scroll tapped" role="region" aria-label="Dead letters that wait" tabindex="0"><ol>${letters.map(row)}</ol></div>`;
}

import { Dialog } from './dialog.js';
import { count, duration } from './format.js';
import { html, useLayoutEffect, useState } from './libraries.js';

/** @typedef {import('../../contract.js').WhyAnswer} WhyAnswer */

/** @type {Readonly<Record<WhyAnswer['state'], string>>} */
const TONES = { 'not read': '', 'in flight': 'warn', settled: 'ok', committed: 'ok', gone: 'bad', unknown: '' };

/**
 * Where a record is, and what it holds up.
 * @param {{ stream: string, offset: number, streams: readonly string[], ask: (stream: string, offset: number) => Promise<WhyAnswer>, close: () => void }} props
 */
export function Why({ stream: firstStream, offset: firstOffset, streams, ask, close }) {
  const [stream, setStream] = useState(firstStream);
  const [offset, setOffset] = useState(String(firstOffset));
  const [answer, setAnswer] = useState(/** @type {WhyAnswer | null} */ (null));
  const [failure, setFailure] = useState('');
  const find = async () => {
    setFailure('');
    try {
      setAnswer(await ask(stream, Number(offset)));
    } catch (error) {
      setAnswer(null);
      setFailure(/** @type {Error} */ (error).message);
    }
  };
  useLayoutEffect(() => {
    find();
  }, []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    find();
  };
  return html`
    <${Dialog} title="Why?" close=${close}>
      <form class="why-form" onSubmit=${submit}>
        <label>Stream
          <select value=${stream} onChange=${(/** @type {any} */ event) => setStream(event.target.value)}>
            ${streams.map((one) => html`<option key=${one} value=${one} selected=${one === stream}>${one}</option>`)}
          </select>
        </label>
        <label>Offset <input type="number" min="0" value=${offset} onInput=${(/** @type {any} */ event) => setOffset(event.target.value)} /></label>
        <button type="submit" class="primary">Find</button>
      </form>
      <div role="status">
        ${failure && html`<p class="note bad">${failure}</p>`}
        ${answer && html`<${Answer} answer=${answer} />`}
      </div>
    <//>`;
}

/** @param {{ answer: WhyAnswer }} props */
function Answer({ answer }) {
  const { state, at, sinceSeconds, attempt, holdsUp, file, message } = answer;
  const facts = [
    ['Where', at],
    ['For', sinceSeconds === undefined ? undefined : duration(sinceSeconds)],
    ['Attempt', attempt === undefined ? undefined : count(attempt)],
    [
      'Holds up',
      holdsUp === undefined || holdsUp === 0 ? undefined : `${count(holdsUp)} records that cannot be committed`,
    ],
    ['File', file],
  ];
  return html`
    <p class="why-answer"><b class=${`badge ${TONES[state]}`}>${state}</b> <strong>${answer.stream}@${answer.offset}</strong></p>
    <p>${message}</p>
    <dl class="facts">
      ${facts.map(([name, value]) => value !== undefined && html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}
    </dl>`;
}

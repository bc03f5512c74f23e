import { compact, count, duration, plural } from './format.js';
import { filesIn, NAMES, rangeOf, STEPS, segmentsOf } from './lane-scale.js';
import { html, useState } from './libraries.js';
import { Filter, useScrolled } from './table.js';
import { rowsInSight } from './table-rows.js';

/** @typedef {import('../../contract.js').StreamView} StreamView */
/** @typedef {import('../../../flow/committed-file.js').CommittedFile} CommittedFile */

const LANE_HEIGHT = 74;

/**
 * Each stream as a band from the start of its log to its end.
 * @param {{ streams: readonly StreamView[], files: readonly CommittedFile[], ask?: ((stream: string, offset: number) => void) | undefined }} props
 */
export function Lanes({ streams, files, ask }) {
  const [text, setText] = useState('');
  const [isWhole, setWhole] = useState(false);
  const { own, look, scrollTop, height } = useScrolled();
  const shown = streams.filter(({ stream }) => stream.includes(text));
  const { from, to, above, below } = rowsInSight(shown.length, scrollTop, height, LANE_HEIGHT);
  const choice = (/** @type {boolean} */ whole, /** @type {string} */ label) => html`
    <label><input type="radio" name="range" checked=${isWhole === whole} onChange=${() => setWhole(whole)} /> ${label}</label>`;
  return html`
    <section aria-label="Lanes">
      <div class="toolbar">
        <${Filter} label="Streams" value=${text} set=${setText} shown=${shown.length} all=${streams.length} />
        <fieldset class="choice"><legend>Show</legend>${choice(false, 'live end')}${choice(true, 'whole log')}</fieldset>
        <ul class="legend" aria-label="Colours of a lane">
          ${STEPS.map((step, index) => html`<li key=${step}><i class=${`swatch ${step}`} />${NAMES[index]}</li>`)}
          <li><i class="swatch file" />file</li>
        </ul>
      </div>
      ${shown.length === 0 && html`<p class="empty">${streams.length === 0 ? 'No streams are assigned to this flow yet.' : 'No stream has this in its name.'}</p>`}
      <div class=${`scroll lanes ${shown.length === 0 ? 'is-empty' : ''}`} ref=${own} onScroll=${look} role="region" aria-label="Streams" tabindex="0">
        <div style=${{ height: above }} />
        <ul>
          ${shown.slice(from, to).map(
            (stream) =>
              html`<${Lane} key=${stream.stream} stream=${stream} isWhole=${isWhole} ask=${ask}
                files=${files.filter((file) => file.stream === stream.stream)} />`,
          )}
        </ul>
        <div style=${{ height: below }} />
      </div>
    </section>`;
}

/** @param {{ stream: StreamView, files: readonly CommittedFile[], isWhole: boolean, ask?: ((stream: string, offset: number) => void) | undefined }} props */
function Lane({ stream, files, isWhole, ask }) {
  const range = rangeOf(stream, isWhole);
  const { stream: name, committed, paused, backlog, ageSeconds } = stream;
  const segments = range === undefined ? [] : segmentsOf(stream, range);
  const askAt = (/** @type {MouseEvent} */ event) => {
    if (range === undefined || ask === undefined) return;
    const { left, width } = /** @type {Element} */ (event.currentTarget).getBoundingClientRect();
    ask(name, Math.floor(range.from + ((event.clientX - left) / width) * (range.to - range.from)));
  };
  const next = committed ?? stream.acked ?? stream.logStart ?? 0;
  return html`
    <li class="lane">
      <div class="lane-head">
        <strong title=${name}>${name}</strong>
        ${paused && html`<b class="badge warn">paused</b>`}
        <span class="muted">backlog ${compact(backlog)}</span>
        <span class="muted">age ${duration(ageSeconds)}</span>
        ${ask && html`<button class="small" type="button" onClick=${() => ask(name, next)}>Why<span class="hidden"> does ${name} wait at ${next}</span></button>`}
      </div>
      ${
        range === undefined
          ? html`<p class="muted band-empty">No offsets are known yet.</p>`
          : html`
            <svg class="band" viewBox="0 0 1000 28" preserveAspectRatio="none" role="img" onClick=${askAt}
              aria-label=${segments.map((one) => `${one.name} ${count(one.records)}`).join(', ')}>
              <rect class="log" width="1000" height="16" />
              ${segments.map(({ step, from, to }) => html`<rect key=${step} class=${step} x=${from * 1_000} width=${(to - from) * 1_000} height="16" />`)}
              ${filesIn(files, range).map(({ path, x, width }) => html`<rect key=${path} class="file" x=${x} y="20" width=${width} height="6" />`)}
            </svg>
            <div class="scale"><span>${count(range.from)}</span><span>${plural(files.length, 'file')}</span><span>${count(range.to)}</span></div>`
      }
    </li>`;
}

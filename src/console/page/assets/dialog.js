import { html, useLayoutEffect, useRef } from './libraries.js';

/**
 * A dialog that has the focus until it is closed; then the focus returns to what had it.
 * @param {{ title: string, close: () => void, wide?: boolean, children?: unknown }} props
 */
export function Dialog({ title, close, wide = false, children }) {
  const own = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useLayoutEffect(() => {
    const before = /** @type {HTMLElement | null} */ (document.activeElement);
    own.current?.showModal();
    return () => before?.focus();
  }, []);
  const closeOutside = (/** @type {MouseEvent} */ event) => {
    if (event.target === own.current) close();
  };
  return html`
    <dialog ref=${own} class=${wide ? 'wide' : ''} aria-labelledby="dialog-title" onClose=${close} onClick=${closeOutside}>
      <div class="dialog-body">
        <header>
          <h2 id="dialog-title">${title}</h2>
          <button class="quiet" type="button" onClick=${close} aria-label="Close">✕</button>
        </header>
        ${children}
      </div>
    </dialog>`;
}

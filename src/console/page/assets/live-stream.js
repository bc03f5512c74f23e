// One stream of events a tab. It is closed while the tab is hidden, and opened again after a backoff when it breaks.

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 15_000;

/**
 * @param {object} on
 * @param {() => string} on.address Asked at each opening.
 * @param {Readonly<Record<string, (data: any) => void>>} on.messages By the name of the event.
 * @param {(retryAtMs: number) => void} on.lost
 * @param {() => Promise<boolean>} on.mayRetry Whether it helps to try again; a session that is over needs a sign-in.
 */
export function liveStream({ address, messages, lost, mayRetry }) {
  /** @type {EventSource | undefined} */
  let source;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry;
  let failures = 0;
  let stopped = true;

  const close = () => {
    clearTimeout(retry);
    retry = undefined;
    source?.close();
    source = undefined;
  };

  const open = () => {
    close();
    if (stopped || document.hidden) return;
    const opened = new EventSource(address());
    source = opened;
    for (const [name, read] of Object.entries(messages)) {
      opened.addEventListener(name, ({ data }) => {
        failures = 0;
        read(JSON.parse(data));
      });
    }
    opened.onerror = () => {
      if (source !== opened) return;
      close();
      const waitMs = Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
      failures += 1;
      lost(Date.now() + waitMs);
      retry = setTimeout(async () => {
        if (await mayRetry()) open();
      }, waitMs);
    };
  };

  document.addEventListener('visibilitychange', () => (document.hidden ? close() : open()));
  return {
    /** Opens it, or opens it anew with another address. */
    open() {
      stopped = false;
      open();
    },
    stop() {
      stopped = true;
      close();
    },
  };
}

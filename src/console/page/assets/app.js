import { Alerts } from './alerts.js';
import { api, RequestError } from './api.js';
import { CommandDialog } from './commands.js';
import { Dialog } from './dialog.js';
import { FlowPage } from './flow-page.js';
import { Help, shortcutOf } from './keys.js';
import { html, render } from './libraries.js';
import { liveStream } from './live-stream.js';
import { Log } from './log.js';
import { Connection, Navigation, Overview } from './overview.js';
import { hashOf, routeOf, TABS, tokenOf } from './route.js';
import { SignIn } from './sign-in.js';
import { allFlows, createStore, flowOf, initialState, withLogLine, withSnapshot, withTapped } from './state.js';
import { TestText } from './tap.js';
import { Why } from './why.js';

/** @typedef {import('./state.js').State} State */
/** @typedef {import('../../contract.js').ConsoleSnapshot} ConsoleSnapshot */

const HISTORY_MS = 5_000;
const NOTICE_MS = 8_000;
const SHORTCUTS_KEY = 'rxflume-shortcuts';

const store = createStore(
  initialState(routeOf(location.hash), Date.now(), localStorage.getItem(SHORTCUTS_KEY) !== 'off'),
);
const root = /** @type {HTMLElement} */ (document.getElementById('app'));

const stream = liveStream({
  address: () => {
    const { tap } = store.get();
    return tap === undefined ? 'api/stream' : `api/stream?tap=${encodeURIComponent(tap.id)}`;
  },
  messages: {
    snapshot: (/** @type {ConsoleSnapshot} */ snapshot) =>
      store.set((state) => withSnapshot(state, snapshot, Date.now())),
    log: (line) => store.set((state) => withLogLine(state, line)),
    tap: (value) => store.set((state) => withTapped(state, value)),
  },
  lost: (retryAtMs) =>
    store.set((state) => ({ ...state, lost: { sinceMs: state.lost?.sinceMs ?? Date.now(), retryAtMs } })),
  mayRetry: () => connect(),
});

/** Whether there is a session and an answer; without a session the sign-in is shown. */
async function connect() {
  try {
    const snapshot = await api.snapshot();
    store.set((state) => withSnapshot(state, snapshot, Date.now()));
  } catch (error) {
    if (error instanceof RequestError && error.status === 401) {
      stream.stop();
      store.set({ phase: 'sign-in' });
      return false;
    }
  }
  return true;
}

/** @param {{ token: string } | { password: string }} secret */
async function signIn(secret) {
  await api.signIn(secret);
  store.set(({ signInMessage: _, ...state }) => ({ ...state, phase: 'starting' }));
  if (await connect()) stream.open();
}

/** @param {string} secret */
async function signInByHand(secret) {
  try {
    await signIn({ token: secret }).catch((error) => {
      if (error.status !== 401 && error.status !== 400) throw error;
      return signIn({ password: secret });
    });
  } catch (error) {
    store.set({ phase: 'sign-in', signInMessage: /** @type {Error} */ (error).message });
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let noticeTimer;
/** @param {string} text */
function notify(text, isError = false) {
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => store.set(({ notice: _, ...state }) => state), NOTICE_MS);
  store.set({ notice: { text, isError } });
}

/** @param {unknown} error */
const notifyError = (error) => notify(/** @type {Error} */ (error).message, true);
const closeDialog = () => store.set(({ dialog: _, ...state }) => state);
/** @param {string} text */
const commandDone = (text) => {
  closeDialog();
  notify(text);
};

async function loadHistory() {
  const { route, phase } = store.get();
  if (phase !== 'live' || document.hidden || route.view !== 'flow' || route.tab !== 'charts') return;
  try {
    store.set({ history: await api.history() });
  } catch {
    // The stream tells that the process is gone.
  }
}

/** @param {import('../../contract.js').FlowCommand} command */
const openCommand = (command) => {
  const { route } = store.get();
  if (route.view === 'flow') store.set({ dialog: { kind: 'command', flow: route.flow, command } });
};

/** @param {boolean} isHeld */
const holdLog = (isHeld) =>
  store.set(({ heldLog: _, ...state }) => (isHeld ? { ...state, heldLog: state.log } : state));

const tapActions = {
  /** @param {number} edge @param {string} contains @param {number} everyN */
  async start(edge, contains, everyN) {
    const { route } = store.get();
    if (route.view !== 'flow') return;
    try {
      const { id } = await api.startTap({
        flow: route.flow,
        edge,
        ...(contains === '' ? {} : { contains }),
        ...(everyN > 1 ? { everyN } : {}),
      });
      store.set(({ tapMessage: _, ...state }) => ({
        ...state,
        tap: { id, flow: route.flow, edge, paused: false, values: [], seen: 0 },
      }));
      stream.open();
    } catch (error) {
      store.set({ tapMessage: /** @type {Error} */ (error).message });
    }
  },
  async stop() {
    const { tap } = store.get();
    store.set(({ tap: _, tapMessage: __, ...state }) => state);
    stream.open();
    // A tap that has ended by itself is not there any more.
    if (tap) await api.stopTap(tap.id).catch(() => undefined);
  },
  /** @param {boolean} paused */
  pause: (paused) => store.set((state) => (state.tap ? { ...state, tap: { ...state.tap, paused } } : state)),
  async copyTest() {
    const { tap } = store.get();
    if (tap === undefined) return;
    try {
      store.set({ dialog: { kind: 'test', text: await api.tapTest(tap.id) } });
    } catch (error) {
      notifyError(error);
    }
  },
};

const flowActions = {
  openCommand,
  /** @param {string} name @param {number} offset */
  ask: (name, offset) => store.set({ dialog: { kind: 'why', stream: name, offset } }),
  /** @param {number} edge */
  tapEdge(edge) {
    const { route } = store.get();
    if (route.view !== 'flow') return;
    store.set({ tapEdge: edge });
    location.hash = hashOf({ ...route, tab: 'tap' });
  },
  tap: tapActions,
  requests: api,
  /** @param {string} text */
  notify: (text) => notify(text),
};

/** @param {boolean} shortcuts */
function turnShortcuts(shortcuts) {
  localStorage.setItem(SHORTCUTS_KEY, shortcuts ? 'on' : 'off');
  store.set({ shortcuts });
}

/** @param {{ state: State }} props */
function Dialogs({ state }) {
  const { dialog, snapshot } = state;
  if (dialog === undefined || snapshot === undefined) return null;
  if (dialog.kind === 'help')
    return html`<${Help} isOn=${state.shortcuts} turn=${turnShortcuts} close=${closeDialog} />`;
  if (dialog.kind === 'test')
    return html`<${Dialog} title="As a marble test" wide=${true} close=${closeDialog}><${TestText} text=${dialog.text} /><//>`;
  if (dialog.kind === 'why') {
    const streams = snapshot.flows.flatMap((flow) => flow.streams.map(({ stream: name }) => name));
    return html`<${Why} ...${dialog} streams=${[...new Set(streams)]} ask=${api.why} close=${closeDialog} />`;
  }
  const flow = snapshot.flows.find(({ name }) => name === dialog.flow);
  if (flow === undefined) return null;
  return html`<${CommandDialog} flow=${flow} command=${dialog.command} requests=${api} close=${closeDialog} done=${commandDone} />`;
}

/** @param {{ state: State }} props */
function View({ state }) {
  const snapshot = /** @type {ConsoleSnapshot} */ (state.snapshot);
  switch (state.route.view) {
    case 'flow':
      return html`<${FlowPage} state=${state} actions=${flowActions} />`;
    case 'alerts':
      return html`<${Alerts} alerts=${snapshot.alerts} watches=${snapshot.watchesAlerts} nowMs=${state.nowMs} />`;
    case 'log':
      return html`<${Log} lines=${state.log} held=${state.heldLog} hold=${holdLog} />`;
    default:
      return html`<${Overview} snapshot=${snapshot} />`;
  }
}

/** @param {{ state: State }} props */
function App({ state }) {
  const { snapshot, notice } = state;
  if (state.phase === 'sign-in') return html`<${SignIn} message=${state.signInMessage} signIn=${signInByHand} />`;
  if (snapshot === undefined) {
    return html`<main class="boot"><${Connection} state=${state} retry=${stream.open} /><p>The console starts.</p></main>`;
  }
  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => {
      event.preventDefault();
      document.getElementById('main')?.focus();
    }}>To the content</a>
    <div class=${`shell ${state.lost ? 'is-lost' : ''}`}>
      <header class="top">
        <a class="brand" href="#/">rxflume</a>
        <span class="process" title=${snapshot.process}>${snapshot.process}</span>
        <span class="muted version">${snapshot.version}</span>
        ${snapshot.readOnly && html`<b class="badge">read-only</b>`}
        <button class="quiet" type="button" onClick=${() => store.set({ dialog: { kind: 'help' } })} aria-label="Keyboard shortcuts" title="Keyboard shortcuts">?</button>
      </header>
      <${Navigation} state=${state} snapshot=${snapshot} />
      <main id="main" tabindex="-1">
        <${Connection} state=${state} retry=${stream.open} />
        <${View} state=${state} />
      </main>
    </div>
    <div class="notice-room" role="status">${notice && html`<p class=${`note ${notice.isError ? 'bad' : 'ok'}`}>${notice.text}</p>`}</div>
    <${Dialogs} state=${state} />`;
}

/** @param {State} state @param {number} step */
function neighbour(state, step) {
  if (state.snapshot === undefined) return;
  const routes = allFlows(state.snapshot).map(({ route }) => route);
  const here = routes.findIndex(
    (route) => hashOf(route) === hashOf({ .../** @type {any} */ (state.route), tab: 'graph' }),
  );
  const next = routes.at((here + step + (here === -1 && step < 0 ? 1 : 0)) % routes.length);
  if (next !== undefined) location.hash = hashOf(next);
}

/** @param {string} key @param {State} state */
function act(key, state) {
  const tab = TABS[Number(key) - 1];
  const { route } = state;
  if (tab !== undefined && route.view === 'flow') location.hash = hashOf({ ...route, tab: tab.tab });
  else if (key === '?') store.set({ dialog: { kind: 'help' } });
  else if (key === 'o') location.hash = '#/';
  else if (key === 'a') location.hash = '#/alerts';
  else if (key === 'l') location.hash = '#/log';
  else if (key === ']') neighbour(state, 1);
  else if (key === '[') neighbour(state, -1);
  else if (key === '/') /** @type {HTMLElement | null} */ (document.querySelector('[data-filter]'))?.focus();
  else if (key === 'p' && route.view === 'log') holdLog(state.heldLog === undefined);
  else if (key === 'p' && state.tap) tapActions.pause(!state.tap.paused);
  else if (key === 'w') {
    const first = (flowOf(state)?.flow ?? state.snapshot?.flows[0])?.streams[0];
    if (first) flowActions.ask(first.stream, first.committed ?? first.acked ?? 0);
  } else return false;
  return true;
}

document.addEventListener('keydown', (event) => {
  const state = store.get();
  const key = shortcutOf(event);
  if (key === undefined || state.snapshot === undefined || (!state.shortcuts && key !== '?')) return;
  if (act(key, state)) event.preventDefault();
});

let isDrawn = false;
store.subscribe(() => {
  if (isDrawn) return;
  isDrawn = true;
  requestAnimationFrame(() => {
    isDrawn = false;
    render(html`<${App} state=${store.get()} />`, root);
  });
});

window.addEventListener('hashchange', () => {
  store.set({ route: routeOf(location.hash) });
  loadHistory();
});
setInterval(() => store.set({ nowMs: Date.now() }), 1_000);
setInterval(loadHistory, HISTORY_MS);

async function start() {
  const token = tokenOf(location.hash);
  if (token !== undefined) {
    // The token opens one session, and is not to stay in the address.
    history.replaceState(null, '', `${location.pathname}${location.search}#/`);
    store.set({ route: routeOf('') });
    return signIn({ token }).catch((error) => store.set({ phase: 'sign-in', signInMessage: error.message }));
  }
  if (await connect()) stream.open();
}

root.replaceChildren();
start().then(loadHistory);

// All that the page knows, in one store; and, as pure functions, what a message of the server makes of it.

/** @typedef {import('../../contract.js').ConsoleSnapshot} ConsoleSnapshot */
/** @typedef {import('../../contract.js').ConsoleHistory} ConsoleHistory */
/** @typedef {import('../../contract.js').FlowCommand} FlowCommand */
/** @typedef {import('../../contract.js').FlowView} FlowView */
/** @typedef {import('../../contract.js').PeerView} PeerView */
/** @typedef {import('../../contract.js').LogLine} LogLine */
/** @typedef {import('../../contract.js').TapValue} TapValue */
/** @typedef {import('./route.js').Route} Route */

/** @typedef {{ id: string, flow: string, edge: number, paused: boolean, values: readonly TapValue[], seen: number }} Tap */
/**
 * @typedef {{ kind: 'help' }
 *   | { kind: 'command', flow: string, command: FlowCommand }
 *   | { kind: 'why', stream: string, offset: number }
 *   | { kind: 'test', text: string }} Dialog
 */
/**
 * `lost`: since when there is no connection, and when it is tried again.
 * @typedef {object} State
 * @property {'starting' | 'sign-in' | 'live'} phase
 * @property {string} [signInMessage]
 * @property {{ sinceMs: number, retryAtMs: number }} [lost]
 * @property {number} nowMs
 * @property {number} updatedMs
 * @property {ConsoleSnapshot} [snapshot]
 * @property {ConsoleHistory} [history]
 * @property {readonly LogLine[]} log
 * @property {readonly LogLine[]} [heldLog] What is shown while the log is paused.
 * @property {Tap} [tap]
 * @property {string} [tapMessage]
 * @property {number} [tapEdge] The edge that the form of the tap proposes.
 * @property {Route} route
 * @property {Dialog} [dialog]
 * @property {{ text: string, isError: boolean }} [notice]
 * @property {boolean} shortcuts
 */

/** The most that is kept. */
export const MAX_LOG = 500;
export const MAX_TAPPED = 100;

/**
 * @template T
 * @param {T} initial
 */
export function createStore(initial) {
  let state = initial;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  return {
    get: () => state,
    /** @param {Partial<T> | ((state: T) => T)} change */
    set(change) {
      state = typeof change === 'function' ? change(state) : { ...state, ...change };
      for (const listener of listeners) listener();
    },
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
    },
  };
}

/** @param {Route} route @param {number} nowMs @param {boolean} shortcuts @returns {State} */
export function initialState(route, nowMs, shortcuts) {
  return { phase: 'starting', nowMs, updatedMs: nowMs, log: [], route, shortcuts };
}

/** @param {State} state @param {ConsoleSnapshot} snapshot @param {number} nowMs @returns {State} */
export function withSnapshot(state, snapshot, nowMs) {
  const isOther = state.snapshot !== undefined && state.snapshot.process !== snapshot.process;
  const { lost: _, ...rest } = state;
  return { ...rest, phase: 'live', snapshot, nowMs, updatedMs: nowMs, log: isOther ? [] : state.log };
}

/** A new stream begins with lines that are there already. @param {State} state @param {LogLine} line @returns {State} */
export function withLogLine(state, line) {
  const last = state.log.at(-1);
  if (last !== undefined && line.seq <= last.seq) {
    // A process that was started again counts from 1.
    if (line.atMs <= last.atMs) return state;
    return { ...state, log: [line] };
  }
  return { ...state, log: [...state.log, line].slice(-MAX_LOG) };
}

/** @param {State} state @param {TapValue} value @returns {State} */
export function withTapped(state, value) {
  const { tap } = state;
  if (tap === undefined || tap.id !== value.tap) return state;
  const seen = tap.seen + 1;
  if (tap.paused) return { ...state, tap: { ...tap, seen } };
  return { ...state, tap: { ...tap, seen, values: [...tap.values, value].slice(-MAX_TAPPED) } };
}

/**
 * The flow that a route is about, and the peer that runs it where that is not the process that serves the page.
 * @param {State} state
 * @returns {{ flow: FlowView, peer?: PeerView } | undefined}
 */
export function flowOf({ snapshot, route }) {
  if (snapshot === undefined || route.view !== 'flow') return undefined;
  const peer = route.process === undefined ? undefined : snapshot.peers.find((one) => one.process === route.process);
  if (route.process !== undefined && peer === undefined) return undefined;
  const flow = (peer ?? snapshot).flows.find(({ name }) => name === route.flow);
  if (flow === undefined) return undefined;
  return peer === undefined ? { flow } : { flow, peer };
}

/** Every flow of every process, with its route. @param {ConsoleSnapshot} snapshot */
export function allFlows(snapshot) {
  const own = snapshot.flows.map((flow) => ({ process: snapshot.process, flow, route: routeTo(flow.name) }));
  const others = snapshot.peers.flatMap((peer) =>
    peer.flows.map((flow) => ({ process: peer.process, flow, route: routeTo(flow.name, peer.process) })),
  );
  return [...own, ...others];
}

/** @param {readonly (number | undefined)[]} values @returns {number | undefined} */
export function sumOf(values) {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0);
}

/** @param {string} flow @param {string} [process] @returns {Route} */
function routeTo(flow, process) {
  return { view: 'flow', flow, tab: 'graph', ...(process === undefined ? {} : { process }) };
}

// Requests to the server of the page. Addresses are relative, since the console may be mounted below a path.

/** What the server answered, or that it did not. */
export class RequestError extends Error {
  /** @param {number} status 0 without an answer. @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @param {string} path @param {{ method?: string, body?: unknown }} [options] */
async function request(path, { method = 'GET', body } = {}) {
  /** @type {Response} */
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: 'same-origin',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch {
    throw new RequestError(0, 'The process did not answer. It may have ended, or the network is down.');
  }
  if (response.ok) return response;
  const failure = await response.json().catch(() => ({}));
  throw new RequestError(response.status, failure.message ?? `The process answered ${response.status}.`);
}

/**
 * @template T
 * @param {string} path
 * @param {{ method?: string, body?: unknown }} [options]
 * @returns {Promise<T>}
 */
async function json(path, options) {
  return (await request(path, options)).json();
}

const flowPath = (/** @type {string} */ flow, /** @type {string} */ command) =>
  `api/flows/${encodeURIComponent(flow)}/${command}`;

export const api = {
  /** @param {{ token: string } | { password: string }} secret */
  signIn: (secret) => request('api/session', { method: 'POST', body: secret }),
  /** @returns {Promise<import('../../contract.js').ConsoleSnapshot>} */
  snapshot: () => json('api/snapshot'),
  /** @returns {Promise<import('../../contract.js').ConsoleHistory>} */
  history: () => json('api/history'),
  /** @param {string} stream @param {number} offset @returns {Promise<import('../../contract.js').WhyAnswer>} */
  why: (stream, offset) => json(`api/why?${new URLSearchParams({ stream, offset: String(offset) })}`),
  /** @param {import('../../contract.js').TapRequest} tap @returns {Promise<import('../../contract.js').TapStarted>} */
  startTap: (tap) => json('api/taps', { method: 'POST', body: tap }),
  /** @param {string} id @returns {Promise<import('../../contract.js').TapValues>} */
  tapped: (id) => json(`api/taps/${encodeURIComponent(id)}`),
  /** @param {string} id */
  stopTap: (id) => request(`api/taps/${encodeURIComponent(id)}`, { method: 'DELETE' }),
  /** @param {string} id */
  tapTest: async (id) => (await request(`api/taps/${encodeURIComponent(id)}/test`)).text(),
  /** @param {string} flow @param {string} command @returns {Promise<import('../../contract.js').CommandDone>} */
  command: (flow, command) => json(flowPath(flow, command), { method: 'POST', body: { confirm: true } }),
  /** @param {string} flow @param {import('../../dead-letter-contract.js').DeadLetterQuery} query @returns {Promise<import('../../dead-letter-contract.js').DeadLetterList>} */
  deadLetters: (flow, query) => {
    const fields = Object.entries(query).map(([name, value]) => [name, String(value)]);
    return json(`${flowPath(flow, 'dead-letters')}?${new URLSearchParams(fields)}`);
  },
  /** @param {string} flow @param {import('../../dead-letter-contract.js').DeadLetterRequest} body @returns {Promise<import('../../dead-letter-contract.js').DeadLetterPreview>} */
  previewDeadLetters: (flow, body) => json(flowPath(flow, 'dead-letters/preview'), { method: 'POST', body }),
  /** @param {string} flow @param {'replay' | 'drop'} command @param {import('../../dead-letter-contract.js').DeadLetterRequest} body @returns {Promise<import('../../contract.js').CommandDone>} */
  commandDeadLetters: (flow, command, body) =>
    json(flowPath(flow, `dead-letters/${command}`), { method: 'POST', body }),
  /** @param {string} flow @param {import('../../contract.js').ResetRequest} body @returns {Promise<import('../../contract.js').ResetPreview>} */
  previewReset: (flow, body) => json(flowPath(flow, 'reset'), { method: 'POST', body }),
  /** @param {string} flow @param {import('../../contract.js').ResetRequest} body @returns {Promise<import('../../contract.js').CommandDone>} */
  reset: (flow, body) => json(flowPath(flow, 'reset'), { method: 'POST', body: { ...body, confirm: true } }),
};

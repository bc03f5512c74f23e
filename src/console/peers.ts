import { monotonicMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import type { ConsoleSnapshot, PeerView } from './contract.js';

const EVERY_MS = 2_000;
const WITHIN_MS = 2_000;
const MAX_BYTES = 4 * 1_048_576;
const MAX_FLOWS = 100;

/**
 * What other processes show, asked every 2 s while somebody looks. One that does not answer is shown as such, with what it showed last.
 *
 * Bounds: a request for each peer, which ends after 2 s or 4 MiB; 100 flows of each.
 */
export class Peers {
  readonly #views: PeerView[];
  readonly #tokenOf: (url: string) => string | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking = 0;

  constructor(urls: readonly string[], tokenOf: (url: string) => string | undefined) {
    this.#tokenOf = tokenOf;
    this.#views = urls.map((url) => ({ process: url, url, ok: false, message: 'Not asked yet.', flows: [] }));
  }

  views(): readonly PeerView[] {
    return [...this.#views];
  }

  /** Asks them, unless they were a moment ago. */
  look(): void {
    const now = monotonicMs();
    if (this.#asking > 0 || now - this.#askedAtMs < EVERY_MS) return;
    this.#askedAtMs = now;
    for (const [at, before] of this.#views.entries()) {
      this.#asking += 1;
      void this.#ask(before)
        .then((view) => {
          this.#views[at] = view;
        })
        .finally(() => {
          this.#asking -= 1;
        });
    }
  }

  async #ask(before: PeerView): Promise<PeerView> {
    const { url } = before;
    try {
      const token = this.#tokenOf(url);
      const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
      const target = new URL('api/snapshot?alone', url.endsWith('/') ? url : `${url}/`);
      const response = await fetch(target, { headers, redirect: 'error', signal: AbortSignal.timeout(WITHIN_MS) });
      const text = await boundedText(response);
      if (!response.ok)
        return { ...before, ok: false, message: `It answered ${response.status}: ${text.slice(0, 200)}` };
      const { process, flows } = JSON.parse(text) as ConsoleSnapshot;
      if (typeof process !== 'string' || !Array.isArray(flows)) throw new Error('it is no console of rxflume');
      return { process, url, ok: true, flows: flows.slice(0, MAX_FLOWS) };
    } catch (error) {
      return { ...before, ok: false, message: `It did not answer: ${describeError(error)}.` };
    }
  }
}

async function boundedText({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`its answer is longer than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

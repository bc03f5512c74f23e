import { monotonicMs } from '../core/clock.js';
import { describeError } from '../core/errors.js';
import type { ConsoleSnapshot, PeerView } from './contract.js';

const EVERY_MS = 2_000;
const WITHIN_MS = 2_000;
const MAX_BYTES = 4 * 1_048_576;
const MAX_FLOWS = 100;

/** A list of peers may change: it is asked for so often. */
const LIST_EVERY_MS = 10_000;
const MAX_PEERS = 100;

/** Which peers there are now. */
export type PeerUrls = () => Promise<readonly string[]>;

/**
 * What other processes show, asked every 2 s while somebody looks. One that does not answer is shown as such, with what it showed last.
 * Where the list of them cannot be had, those that were known stay.
 *
 * Bounds: 100 peers; a request for each, which ends after 2 s or 4 MiB; 100 flows of each.
 */
export class Peers {
  #views: readonly PeerView[] = [];
  readonly #urls: PeerUrls;
  readonly #tokenOf: (url: string) => string | undefined;
  readonly #failed: (error: unknown) => void;
  #listedAtMs = Number.NEGATIVE_INFINITY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  /** `known`: those that are there from the start; `failed`: the list cannot be had. */
  constructor(
    known: readonly string[],
    urls: PeerUrls,
    tokenOf: (url: string) => string | undefined,
    failed: (error: unknown) => void,
  ) {
    this.#urls = urls;
    this.#tokenOf = tokenOf;
    this.#failed = failed;
    this.#list(known);
  }

  views(): readonly PeerView[] {
    return this.#views;
  }

  /** Asks them, unless they were a moment ago. */
  look(): void {
    const now = monotonicMs();
    if (this.#isAsking || now - this.#askedAtMs < EVERY_MS) return;
    this.#askedAtMs = now;
    this.#isAsking = true;
    void this.#look(now).finally(() => {
      this.#isAsking = false;
    });
  }

  async #look(now: number): Promise<void> {
    if (now - this.#listedAtMs >= LIST_EVERY_MS) {
      this.#listedAtMs = now;
      try {
        this.#list(await this.#urls());
      } catch (error) {
        this.#failed(error);
      }
    }
    const asked = this.#views.map(async (before) => {
      const view = await this.#ask(before);
      this.#views = this.#views.map((one) => (one.url === view.url ? view : one));
    });
    await Promise.all(asked);
  }

  #list(urls: readonly string[]): void {
    this.#views = urls.slice(0, MAX_PEERS).map(
      (url) =>
        this.#views.find((one) => one.url === url) ?? {
          ...{ process: url, url, ok: false, message: 'Not asked yet.', flows: [] },
        },
    );
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

import { monotonicMs } from '../../core/clock.js';

/** A client that is rejected again and again is logged once in so long. */
const LOG_EVERY_MS = 10_000;

/** Hosts that are remembered; one that makes up addresses pushes others out. */
const MAX_KNOWN = 100;

/** Which clients were rejected lately, so that a log is not filled by one of them. */
export class Rejections {
  readonly #known = new Map<string, { at: number; silent: number }>();
  readonly #log: (message: string) => void;

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /** `client`: `host:port`; `address`: of the server. */
  add(client: string, address: string, problem: string): void {
    const host = client.replace(/:\d+$/, '');
    const now = monotonicMs();
    const last = this.#known.get(host);
    if (last !== undefined && now - last.at < LOG_EVERY_MS) {
      last.silent += 1;
      return;
    }
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.delete(host);
    this.#known.set(host, { at: now, silent: 0 });
    const more = last === undefined || last.silent === 0 ? '' : ` (and ${last.silent} times since the last report)`;
    this.#log(`Rejected what ${client} sent to ${address}: ${problem}${more}.`);
  }
}

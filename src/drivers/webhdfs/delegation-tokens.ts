import { timeOfDayMs } from '../../core/clock.js';
import { describeError, SinkError } from '../../core/errors.js';
import { rememberSecret } from '../../core/known-secrets.js';
import { defaultMonitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import type { Call, Reply } from './call.js';
import { errorOf, notUnderstood, parseJson } from './remote-exception.js';
import { lastDateOf, type TokenTimes, timesOf } from './token-times.js';

interface Held extends TokenTimes {
  /** The token itself, as a URL has it. */
  readonly text: string;
  readonly gotAt: number;
}

type Ask = (call: Call, signal: AbortSignal) => Promise<Reply>;

/** Between two tries to renew. */
const RETRY_MS = 10_000;
/** The longest timeout that Node has. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The delegation token of one driver: got by one login, renewed before it expires, whether it is used or not, and replaced before
 * its end. All share it; nobody waits for a renewal. Where a renewal fails, the token is used until it expires.
 *
 * Bounds: one token; one request at a time.
 * Fails: `current` as the request for a token does.
 * Source: Hadoop 3, WebHDFS REST API. A token cannot get or renew one: these requests log in by Kerberos.
 */
export class DelegationTokens {
  readonly #ask: Ask;
  readonly #renewer: string;
  #held: Held | undefined;
  #getting: Promise<Held> | undefined;
  #isRenewing = false;
  #timer: NodeJS.Timeout | undefined;

  /** `ask` logs in by Kerberos as `renewer`. */
  constructor(ask: Ask, renewer: string) {
    this.#ask = ask;
    this.#renewer = renewer;
  }

  async current(): Promise<string> {
    const held = this.#held;
    const now = performance.now();
    if (held === undefined || now >= held.expiresAt) return (await this.#get()).text;
    // The next one is got while this one is good.
    if (held.isLast && now >= held.renewAt) this.#get().catch(() => undefined);
    return held.text;
  }

  /** A server does not take it any more. */
  reject(token: string): void {
    if (this.#held?.text === token) this.#held = undefined;
  }

  /** One request at a time. */
  #get(): Promise<Held> {
    this.#getting ??= this.#getNew().finally(() => {
      this.#getting = undefined;
    });
    return this.#getting;
  }

  async #getNew(): Promise<Held> {
    try {
      const gotAt = performance.now();
      const query = { renewer: this.#renewer };
      const doing = 'get a delegation token';
      const reply = await this.#asked({ method: 'GET', op: 'GETDELEGATIONTOKEN', path: '/', query, doing });
      const { urlString: token } = (parseJson(reply.answer.body)?.Token ?? {}) as { readonly urlString?: unknown };
      if (typeof token !== 'string' || token === '') throw notUnderstood(reply.answer, reply.attempt);
      rememberSecret(token);
      const held = await this.#renewed(token, gotAt);
      this.#hold(held);
      return held;
    } catch (cause) {
      const held = this.#held;
      if (held !== undefined) {
        this.#report(`Cannot replace the delegation token, and try again: ${describeError(cause)}`, cause);
        this.#hold({ ...held, renewAt: performance.now() + Math.min(RETRY_MS, this.#leftMs(held) / 4) });
      }
      throw cause;
    }
  }

  /** Asked at once too: only a renewal answers with the time. */
  async #renewed(token: string, gotAt: number): Promise<Held> {
    const now = performance.now();
    const doing = 'renew the delegation token';
    const reply = await this.#asked({ method: 'PUT', op: 'RENEWDELEGATIONTOKEN', path: '/', query: { token }, doing });
    const expiry = parseJson(reply.answer.body)?.long;
    if (typeof expiry !== 'number') throw notUnderstood(reply.answer, reply.attempt);
    const clock = serverClock(reply.answer.headers.date);
    const toEndMs = (lastDateOf(token) ?? Number.MAX_SAFE_INTEGER) - clock;
    return { text: token, gotAt, ...timesOf(now, expiry - clock, toEndMs, gotAt) };
  }

  async #asked(call: Call): Promise<Reply> {
    const reply = await this.#ask(call, new AbortController().signal);
    if (reply.remote !== null) throw errorOf(reply.answer, reply.attempt);
    return reply;
  }

  #hold(held: Held): void {
    this.#held = held;
    clearTimeout(this.#timer);
    // Its end is met when it is asked for next.
    if (held.isLast) return;
    const waitMs = Math.max(0, held.renewAt - performance.now());
    this.#timer = setTimeout(() => void this.#renew(held), Math.min(waitMs, MAX_TIMER_MS)).unref();
  }

  async #renew(held: Held): Promise<void> {
    if (this.#isRenewing || this.#held !== held) return;
    this.#isRenewing = true;
    try {
      const renewed = await this.#renewed(held.text, held.gotAt);
      if (this.#held === held) this.#hold(renewed);
    } catch (cause) {
      if (this.#held !== held) return;
      const leftMs = this.#leftMs(held);
      this.#report(
        `Cannot renew the delegation token, good for ${Math.round(leftMs / 1_000)} s: ${describeError(cause)}`,
        cause,
      );
      const isFinal = cause instanceof SinkError && !cause.retryable;
      // What cannot be renewed is replaced.
      if (isFinal) this.#held = { ...held, renewAt: performance.now(), isLast: true };
      else if (leftMs > 0) this.#hold({ ...held, renewAt: performance.now() + Math.min(RETRY_MS, leftMs / 4) });
    } finally {
      this.#isRenewing = false;
    }
  }

  #leftMs(held: Held): number {
    return Math.max(0, held.expiresAt - performance.now());
  }

  #report(message: string, cause: unknown): void {
    defaultMonitor.report({ what: 'webhdfs.token', about: 'webhdfs', message: sentence(message), cause });
  }
}

/** The server's time now, at the latest; ours where it does not say. The header has whole seconds, and a NameNode sends it twice. */
function serverClock(date: string | undefined): number {
  const said = Date.parse(/^[^,]*,[^,]*/.exec(date ?? '')?.[0] ?? '');
  return Number.isNaN(said) ? timeOfDayMs() : said + 1_000;
}

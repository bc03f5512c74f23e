import http from 'node:http';
import https from 'node:https';
import type { CodeOf } from '../../core/error-codes.js';
import { SinkError } from '../../core/errors.js';
import { backOff } from './answer.js';
import type { Call, Reply } from './call.js';
import { Identity } from './identity.js';
import type { Settings } from './options.js';
import {
  type Attempt,
  codeOf,
  errorOf,
  isTokenRejected,
  loginRejected,
  notUnderstood,
  remoteExceptionOf,
  tooLarge,
} from './remote-exception.js';
import { type Answer, AnswerTooLarge, exchange, WireFault } from './request.js';
import { requestUrl, serverName } from './url.js';

/** Sends requests: an answer is final, whether a success or a rejection. */
export type Asks = Pick<NameNodes, 'ask'>;

const IDLE_CONNECTION_MS = 5_000;

/**
 * The NameNodes of one cluster, of which one is active: a call goes to the one that last answered, then to the others.
 * Bounds: `retry.maxAttempts` rounds over all of them; safe mode is waited for up to `safeModeTimeoutMs`.
 * Fails: `RXF_FILES_UNREACHABLE`, `RXF_FILES_STANDBY`, `RXF_FILES_SAFE_MODE`, each with `details.doubted`.
 */
export class NameNodes {
  readonly #settings: Settings;
  readonly #agents: readonly [http.Agent, https.Agent];
  readonly #identity: Identity;
  #active = 0;

  constructor(settings: Settings) {
    this.#settings = settings;
    const pool = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
    this.#agents = [new http.Agent(pool), new https.Agent({ ...pool, maxCachedSessions: 0 })];
    this.#identity = new Identity(settings, (call, signal) => this.ask(call, signal));
  }

  /** The one that answered last. */
  get active(): URL {
    return this.#settings.nameNodes[this.#active]!;
  }

  /** Asks another one from now on, unless that has happened already. */
  leave(server: URL): void {
    if (this.active === server) this.#active = (this.#active + 1) % this.#settings.nameNodes.length;
  }

  /** The URL of an operation on the active one, with who we are. */
  async url(
    { op, path, query, isLogin }: Pick<Call, 'op' | 'path' | 'query' | 'isLogin'>,
    server = this.active,
  ): Promise<URL> {
    return requestUrl(server, path, { op, ...query, ...(await this.#identity.query(isLogin)) });
  }

  /** The headers that log in at a server; none where it is not one of ours. */
  headers(url: URL): Promise<Record<string, string>> {
    return this.#identity.headers(url);
  }

  attempt(call: Pick<Call, 'doing' | 'path'>, at: URL): Attempt {
    return { doing: call.doing, path: call.path, at: serverName(at), user: this.#settings.user };
  }

  /** Asks until one gives a final answer: a success, or a rejection that would be the same from every NameNode. */
  async ask(call: Call, signal: AbortSignal): Promise<Reply> {
    const { nameNodes, retry, safeModeTimeoutMs } = this.#settings;
    const failures = new Map<string, Failure>();
    let doubted = false;
    let safeModeSince: number | undefined;
    let staleConnections = 0;
    for (let rounds = 1, asked = 0, waits = 0; ; ) {
      const server = this.active;
      const attempt = this.attempt(call, server);
      const outcome = await this.#once(call, server, attempt, signal);
      if (!('reason' in outcome)) return { ...outcome, doubted, attempt };
      doubted ||= outcome.maybeDone;
      // The server had closed an idle connection, or a token has expired: that says nothing about the server.
      if (outcome.stale && staleConnections++ < 3) continue;
      failures.set(attempt.at, outcome);
      this.leave(server);
      if (outcome.code === 'RXF_FILES_SAFE_MODE') safeModeSince ??= performance.now();
      if (++asked % nameNodes.length !== 0) continue;

      const waited = safeModeSince === undefined ? 0 : performance.now() - safeModeSince;
      const inSafeMode = [...failures.values()].some(({ code }) => code === 'RXF_FILES_SAFE_MODE');
      const isTls = [...failures.values()].every(({ code }) => code === 'RXF_FILES_TLS');
      if (isTls || (inSafeMode ? waited >= safeModeTimeoutMs : rounds++ >= retry.maxAttempts)) {
        throw this.#gaveUp(call, failures, doubted, inSafeMode);
      }
      await backOff(retry, ++waits, signal, inSafeMode ? Math.max(1, safeModeTimeoutMs - waited) : Infinity);
      failures.clear();
    }
  }

  async #once(
    call: Call,
    server: URL,
    attempt: Attempt,
    signal: AbortSignal,
  ): Promise<Omit<Reply, 'doubted'> | Failure> {
    const { connectTimeoutMs, requestTimeoutMs, maxResponseBytes } = this.#settings;
    const url = await this.url(call, server);
    const headers = await this.#identity.headers(url, call.isLogin);
    const agent = this.#agents[url.protocol === 'https:' ? 1 : 0];
    const maxBytes = call.maxBytes ?? maxResponseBytes;
    let answer: Answer;
    try {
      answer = await exchange(url, {
        method: call.method,
        headers,
        agent,
        connectTimeoutMs,
        requestTimeoutMs,
        tls: this.#settings.tls,
        maxBytes,
        signal,
      });
    } catch (error) {
      if (error instanceof AnswerTooLarge) throw tooLarge(error, attempt, `\`maxResponseBytes\` (${maxBytes})`);
      if (!(error instanceof WireFault)) throw error;
      return {
        code: error.isTls ? 'RXF_FILES_TLS' : 'RXF_FILES_UNREACHABLE',
        reason: error.message,
        maybeDone: error.sent,
        stale: error.reused,
        error,
      };
    }
    const remote = remoteExceptionOf(answer);
    if (remote) {
      // It was asked to do nothing.
      if (isTokenRejected(remote) && this.#identity.canReplace(url)) {
        return { code: 'RXF_FILES_DENIED', reason: remote.message, maybeDone: false, stale: true };
      }
      const code = codeOf(remote);
      const elsewhere = code === 'RXF_FILES_STANDBY' || code === 'RXF_FILES_SAFE_MODE';
      if (!elsewhere) return { answer, remote, attempt };
      return { code, reason: `${remote.name}: ${remote.message}`, maybeDone: false, stale: false };
    }
    if (answer.status < 400) return { answer, remote, attempt };
    if (call.isLogin && (answer.status === 401 || answer.status === 403)) throw loginRejected(answer, attempt);
    const error = notUnderstood(answer, attempt);
    if (!error.retryable) throw error;
    return { code: 'RXF_FILES_UNREACHABLE', reason: `HTTP ${answer.status}`, maybeDone: true, stale: false, error };
  }

  #gaveUp(call: Call, failures: ReadonlyMap<string, Failure>, doubted: boolean, inSafeMode: boolean): SinkError {
    const all = [...failures.values()];
    const standby = all.every(({ code }) => code === 'RXF_FILES_STANDBY');
    const isTls = all.every((failure) => failure.code === 'RXF_FILES_TLS');
    const passing = inSafeMode ? 'RXF_FILES_SAFE_MODE' : standby ? 'RXF_FILES_STANDBY' : 'RXF_FILES_UNREACHABLE';
    const code = isTls ? 'RXF_FILES_TLS' : passing;
    const reasons = [...failures].map(([server, { reason }]) => `${server}: ${reason}`.replace(/[.\s]+$/, ''));
    const next = {
      RXF_FILES_SAFE_MODE: 'Wait until the NameNode has left safe mode, or raise `safeModeTimeoutMs`',
      RXF_FILES_STANDBY: 'Make a NameNode active, or list the active one in `nameNodes`',
      RXF_FILES_TLS: 'Nothing was asked of it',
      RXF_FILES_UNREACHABLE: 'Check that a NameNode runs, that it is reachable from here, and `nameNodes`',
    }[code];
    const { maxAttempts: attempts } = this.#settings.retry;
    const tries = inSafeMode || isTls ? '' : ` after ${attempts} attempt${attempts === 1 ? '' : 's'}`;
    return new SinkError(code, `Could not ${call.doing}${tries}: ${reasons.join('; ')}. ${next}.`, {
      details: { path: call.path, nameNodes: [...failures.keys()], doubted },
      cause: all.at(-1)?.error,
    });
  }
}

/** A rejection as an error. */
export function rejection({ attempt, answer }: Reply): SinkError {
  return errorOf(answer, attempt);
}

interface Failure {
  readonly code: CodeOf<'SinkError'>;
  readonly reason: string;
  readonly maybeDone: boolean;
  readonly stale: boolean;
  readonly error?: unknown;
}

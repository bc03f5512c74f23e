import { describeError, SinkError } from '../../core/errors.js';
import { defaultMonitor } from '../../core/monitor.js';
import { sentence } from '../../core/sentence.js';
import { KerberosFault } from '../../security/kerberos/fault.js';
import { negotiateHeader } from '../../security/kerberos/handshake.js';
import type { Call, Reply } from './call.js';
import { DelegationTokens } from './delegation-tokens.js';
import type { Settings } from './options.js';
import { serverName } from './url.js';

/** Who we are to the cluster: a user's name, a delegation token, or what a gateway wants in `authorization`. */
export class Identity {
  readonly #settings: Settings;
  readonly #tokens: DelegationTokens | undefined;
  #hasWarned = false;

  constructor(settings: Settings, ask: (call: Call, signal: AbortSignal) => Promise<Reply>) {
    this.#settings = settings;
    const { kerberos } = settings;
    if (kerberos === undefined) return;
    this.#tokens = new DelegationTokens((call, signal) => ask({ ...call, isLogin: true }, signal), kerberos.principal);
  }

  /** The parameters of a request that say who we are; none for a login. */
  async query(isLogin = false): Promise<Record<string, string>> {
    if (isLogin) return {};
    const { user } = this.#settings;
    const token = this.#tokens === undefined ? await this.#givenToken() : await this.#tokens.current();
    return token !== undefined ? { delegation: token } : user !== undefined ? { 'user.name': user } : {};
  }

  /** The headers that log in, sent to our own servers only. Fails: `RXF_FILES_KERBEROS`, `RXF_FILES_DENIED`. */
  async headers(url: URL, isLogin = false): Promise<Record<string, string>> {
    const { kerberos, authorization, nameNodes } = this.#settings;
    if (!nameNodes.some(({ origin }) => origin === url.origin)) return {};
    if (isLogin && kerberos !== undefined) {
      this.#warnOfPlain(url);
      try {
        return { authorization: await negotiateHeader(kerberos, url.hostname.replace(/^\[|\]$/g, '')) };
      } catch (cause) {
        throw loginError(cause, url);
      }
    }
    if (authorization === undefined) return {};
    return { authorization: await read('authorization', () => authorization.value()) };
  }

  /** A server has rejected the token of a request: whether another one can be had. */
  canReplace(url: URL): boolean {
    const token = url.searchParams.get('delegation');
    if (this.#tokens === undefined || token === null) return false;
    this.#tokens.reject(token);
    return true;
  }

  #givenToken(): Promise<string> | undefined {
    const { delegationToken } = this.#settings;
    return delegationToken && read('delegationToken', () => delegationToken.value());
  }

  #warnOfPlain({ protocol }: URL): void {
    if (protocol === 'https:' || this.#hasWarned) return;
    this.#hasWarned = true;
    const message =
      'The delegation token of `kerberos` goes to the NameNode without TLS: anyone on the way can read it, and use it until it expires. Write `https:` in `nameNodes`.';
    defaultMonitor.logEvent('warn', 'webhdfs.plain', message);
  }
}

async function read(option: string, value: () => string | Promise<string>): Promise<string> {
  try {
    return await value();
  } catch (cause) {
    const message = sentence(`Cannot get a token for \`${option}\`: ${describeError(cause)}`);
    throw new SinkError('RXF_FILES_DENIED', message, { cause, retryable: true });
  }
}

function loginError(cause: unknown, url: URL): unknown {
  if (!(cause instanceof KerberosFault)) return cause;
  return new SinkError('RXF_FILES_KERBEROS', cause.message, {
    cause,
    details: { at: serverName(url) },
    retryable: cause.passes,
  });
}

import { type Secret, secretNow } from '../core/secret.js';
import { Denied } from './answers.js';
import { field, isText, jsonBody } from './json-body.js';
import { isSameSecret, Sessions } from './sessions.js';

export interface AccessOptions {
  /** What clients other than browsers log in with. */
  readonly clientToken: string;
  readonly password: Secret | undefined;
  /** A header that a reverse proxy sets for whom it has let in. */
  readonly trustedHeader: string | undefined;
  /** Names by which this server may be called, without ports. */
  readonly hosts: readonly string[];
}

/**
 * Who may ask. A page of another site must not reach the console through the browser of somebody who may: not by a name that
 * resolves to this machine (the `Host` is checked), and not by a form or script (`Origin`, `Sec-Fetch-Site`, a strict cookie).
 *
 * Source: CVE-2025-66414; Fetch Metadata Request Headers, W3C; RFC 6265bis, SameSite.
 */
export class Access {
  readonly #options: AccessOptions;
  readonly #sessions = new Sessions();

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  newLink(): string {
    return this.#sessions.newLink();
  }

  /** Throws where the request is not meant for this server. */
  expectOwnHost(request: Request): void {
    const host = hostOf(request);
    const name = host.replace(/:\d+$/, '').toLowerCase();
    if (this.#options.hosts.includes(name)) return;
    throw new Denied(
      403,
      'RXF_CONSOLE_ORIGIN',
      `This console is not called \`${host.slice(0, 100)}\`. Open it by the address that was printed, or allow the name with \`hosts\` ` +
        '(`--console-hosts`).',
    );
  }

  /** Throws where a page of another origin makes the request. */
  expectOwnOrigin(request: Request): void {
    const site = request.headers.get('sec-fetch-site');
    const origin = request.headers.get('origin');
    const isOther = origin !== null && originHost(origin) !== hostOf(request).toLowerCase();
    if (!isOther && (site === null || site === 'same-origin' || (site === 'none' && isSafe(request)))) return;
    throw new Denied(
      403,
      'RXF_CONSOLE_ORIGIN',
      'A page of another site asked for this. Use the page of the console itself.',
    );
  }

  /** Throws where the client is not logged in. */
  expectSession(request: Request): void {
    if (this.#isTrusted(request)) return;
    const id = cookieOf(request);
    if (id !== undefined && this.#sessions.isOpen(id)) {
      // A browser says where a request that changes something comes from; without that the cookie proves nothing.
      const says = request.headers.has('origin') || request.headers.has('sec-fetch-site');
      if (isSafe(request) || says) return;
    }
    const [, bearer] = /^Bearer (.+)$/i.exec(request.headers.get('authorization') ?? '') ?? [];
    if (bearer !== undefined && this.#isSecret(bearer)) return;
    throw new Denied(
      401,
      'RXF_CONSOLE_SESSION',
      'Not logged in. Open the link that the console printed at its start, which works once, or log in with its password.',
      { 'www-authenticate': 'Bearer' },
    );
  }

  /** Logs in with a link or the password, and returns the cookie. */
  async begin(request: Request): Promise<string> {
    const body = await jsonBody(request);
    const isLink = body.token !== undefined;
    const given = field(body, isLink ? 'token' : 'password', isText, 'a text');
    if (!(isLink ? this.#sessions.useLink(given) || this.#isSecret(given) : this.#isPassword(given))) {
      const what = isLink ? 'The link was used before, or is of an earlier run' : 'The password is wrong';
      throw new Denied(401, 'RXF_CONSOLE_SESSION', `${what}. Use the link that was printed last, or the password.`);
    }
    return cookieText(request, this.#sessions.begin());
  }

  /** Logs out, and returns a cookie that is over. */
  end(request: Request): string {
    const id = cookieOf(request);
    if (id !== undefined) this.#sessions.end(id);
    return `${cookieText(request, '')}; Max-Age=0`;
  }

  #isTrusted(request: Request): boolean {
    const { trustedHeader } = this.#options;
    return trustedHeader !== undefined && (request.headers.get(trustedHeader) ?? '') !== '';
  }

  /** The token is too long to be guessed, so only passwords are counted. */
  #isSecret(given: string): boolean {
    if (isSameSecret(given, this.#options.clientToken)) return true;
    return this.#options.password !== undefined && this.#isPassword(given);
  }

  #isPassword(given: string): boolean {
    const { password } = this.#options;
    if (password === undefined) return false;
    const wait = this.#sessions.waitSeconds;
    if (wait > 0) {
      throw new Denied(
        429,
        'RXF_CONSOLE_LIMIT',
        `Too many wrong passwords. Try again in ${wait} s. Open sessions go on.`,
        { 'retry-after': String(wait) },
      );
    }
    const isRight = isSameSecret(given, secretNow('password', password));
    if (!isRight) this.#sessions.wrong();
    return isRight;
  }
}

function isSafe({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD';
}

function hostOf(request: Request): string {
  return request.headers.get('host') ?? new URL(request.url).host;
}

/** Undefined for an opaque origin, as of a file or a sandbox. */
function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Cookies belong to a host with all its ports, and two consoles may be on one. */
function cookieName(request: Request): string {
  const [, port] = /:(\d+)$/.exec(hostOf(request)) ?? [];
  return port === undefined ? 'rxflume-console' : `rxflume-console-${port}`;
}

function cookieOf(request: Request): string | undefined {
  const name = `${cookieName(request)}=`;
  const pairs = (request.headers.get('cookie') ?? '').split(/; */);
  return pairs.find((pair) => pair.startsWith(name))?.slice(name.length);
}

function cookieText(request: Request, value: string): string {
  const path = new URL(request.url).pathname.replace(/api\/session$/, '');
  const isSecure = request.headers.get('x-forwarded-proto') === 'https' || request.url.startsWith('https:');
  return `${cookieName(request)}=${value}; Path=${path}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}

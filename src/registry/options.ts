import { BACKOFF_DEFAULTS, type BackoffOptions, expectBackoff } from '../backpressure/backoff.js';
import { urlAddressProblem } from '../core/address.js';
import {
  expectFunction,
  expectKnown,
  expectMs,
  expectOption,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../core/options.js';
import { expectSecret, type Secret, type SecretText } from '../core/secret.js';
import { MiB } from '../core/units.js';
import type { HttpClient } from '../ports/http-client.js';

/** How to log in: with a user name and a password, or with a token, read before each request. */
export type RegistryAuth =
  | { readonly username: string; readonly password: SecretText }
  | { readonly token: SecretText };

export interface RegistryRetryOptions extends BackoffOptions {
  /** How often all URLs are tried in turn, the first time included. Default 5. */
  readonly maxAttempts?: number;
}

export interface RegistryOptions {
  /** Where it is: an http or https URL, such as `http://registry:8081`; or several of one registry, tried in turn. */
  readonly url: string | readonly string[];
  /** Default: none. */
  readonly auth?: RegistryAuth;
  /** The HTTP client, such as `undici({ tls })` for certificates of your own. Default: Node's `fetch`. */
  readonly http?: HttpClient;
  /** The longest one request may take until its answer is whole, in milliseconds. Default 10,000. */
  readonly requestTimeoutMs?: number;
  /** When a request is tried again: at no answer, a 429 or a 5xx. Default 5 attempts, 500 ms to 30,000 ms apart. */
  readonly retry?: RegistryRetryOptions;
  /** The most bytes of one answer that `fetch` reads; a client of yours has its own bound. Default 4 MiB. */
  readonly maxResponseBytes?: number;
  /** The most schemas that are kept; the oldest is forgotten first. Default 1,000. */
  readonly maxSchemas?: number;
  /** For how long an id that the registry does not know is not asked for again, in milliseconds. Default 10,000. */
  readonly unknownAgeMs?: number;
}

/** The defaults of `registry`. */
export const REGISTRY_DEFAULTS = {
  requestTimeoutMs: 10_000,
  retry: { ...BACKOFF_DEFAULTS, maxAttempts: 5 },
  maxResponseBytes: 4 * MiB,
  maxSchemas: 1_000,
  unknownAgeMs: 10_000,
} as const satisfies Omit<RegistryOptions, 'url'>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no secret. */
export function checkOptions(given: RegistryOptions) {
  const options = {
    ...withDefaults('registry options', REGISTRY_DEFAULTS, given, ['url', 'auth', 'http']),
    retry: groupWithDefaults('retry', REGISTRY_DEFAULTS.retry, given.retry),
  };
  const { url, auth, http, retry } = options;
  const urls: readonly unknown[] = Array.isArray(url) ? url : [url];
  expectOption('url', urls.length, urls.length > 0, 'a URL, or a list of at least one');
  for (const one of urls) {
    const problem = urlProblem(one);
    // Without the value: a secret may be in it.
    expectOption('url', typeof one, problem === undefined, `a URL; ${problem}`);
  }
  const login = auth === undefined ? undefined : checkAuth(auth);
  if (http !== undefined) expectFunction('http.request', http?.request);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  expectWhole('retry.maxAttempts', retry.maxAttempts, 1, 1_000);
  expectBackoff(retry, 'retry');
  expectWhole('maxResponseBytes', options.maxResponseBytes, 1_024, 64 * MiB);
  expectWhole('maxSchemas', options.maxSchemas, 1, 1_000_000);
  expectMs('unknownAgeMs', options.unknownAgeMs);
  return { ...options, auth: login, urls: (urls as string[]).map((one) => one.replace(/\/+$/, '')) };
}

function urlProblem(given: unknown): string | undefined {
  if (typeof given !== 'string') return 'it must be a text';
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    return 'it must be a whole URL such as http://registry:8081';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'it must begin with http:// or https://';
  if (url.username !== '' || url.password !== '') return 'it must have no user name or password; give `auth`';
  if (url.search !== '' || url.hash !== '') return 'it must have no query and no fragment';
  const problem = urlAddressProblem(given);
  return problem === null ? undefined : `it must be ${problem}`;
}

/** As it is checked. */
export type RegistryLogin = { readonly username: string; readonly password: Secret } | { readonly token: Secret };

function checkAuth(auth: RegistryAuth): RegistryLogin {
  if (typeof auth === 'object' && auth !== null && 'token' in auth) {
    expectKnown('auth', auth, ['token']);
    return { token: expectSecret('auth.token', auth.token) };
  }
  expectKnown('auth', auth, ['username', 'password']);
  const { username, password } = auth;
  const isName = typeof username === 'string' && username !== '' && !username.includes(':');
  expectOption('auth.username', typeof username, isName, 'a non-empty string without a colon');
  return { username, password: expectSecret('auth.password', password) };
}

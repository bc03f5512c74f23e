import { expectMs, expectOption, expectWhole, withDefaults } from '../../core/options.js';
import { expectSecret, type Secret, type SecretText, secretNow } from '../../core/secret.js';
import { KiB, MiB } from '../../core/units.js';
import { Certificate } from './certificate.js';
import { checkAllow, checkHostPort, type ListenOptions, type ServerTls } from './listen-options.js';

/**
 * Who may send: those with one of the tokens, or those that sign what they send. Both are compared in constant time, and read for each
 * request; not from an async function.
 */
export type HttpAuth =
  /** `authorization: Bearer <token>`, one of these. */
  | { readonly bearer: readonly SecretText[] }
  /**
   * `x-rxflume-signature: sha256=<hex>`, the HMAC with the secret of `<x-rxflume-timestamp>.<body as sent>`, where the
   * timestamp is in seconds since 1970 and no more than five minutes off.
   */
  | { readonly hmac: SecretText };

export interface NodeHttpServerOptions extends ListenOptions {
  /**
   * HTTPS, with HTTP/2 for clients that want it: the certificate and key, or a function that gives them.
   * Default: none, which is HTTP/1.1 in the clear.
   */
  readonly tls?: ServerTls;
  /** How often a function given as `tls` is called, and its files are looked at, in milliseconds. Default 60,000. */
  readonly reloadIntervalMs?: number;
  /** Default: anyone who can connect may send. */
  readonly auth?: HttpAuth;
  /** The path of the health check, `200` while requests are taken, else `503`; it needs no authorization. Default `/health`. */
  readonly healthPath?: string;
  /** The largest body, as sent and as inflated; a larger one is answered with 413. Default 10 MiB. */
  readonly maxBodyBytes?: number;
  /** The largest head; a larger one is answered with 431. Default 16 KiB. */
  readonly maxHeaderBytes?: number;
  /** The most memory for bodies that are being received, of all clients together; beyond, 503. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /** The most connections; a further one takes the slot of the one that is idle the longest, or is closed. Default 10,000. */
  readonly maxClients?: number;
  /** The longest a head may take to come, in milliseconds. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** The longest a body may take to come, in milliseconds. Default 30,000. */
  readonly bodyTimeoutMs?: number;
  /** How long an idle connection is kept, in milliseconds; longer than that of a load balancer before it. Default 65,000. */
  readonly keepAliveTimeoutMs?: number;
  /** The longest `close` waits for answers to go out, in milliseconds. Default 3,000. */
  readonly closeTimeoutMs?: number;
}

/** The defaults of `nodeHttpServer`. */
export const NODE_HTTP_SERVER_DEFAULTS = {
  host: '127.0.0.1',
  reloadIntervalMs: 60_000,
  healthPath: '/health',
  maxBodyBytes: 10 * MiB,
  maxHeaderBytes: 16 * KiB,
  maxBufferedBytes: 256 * MiB,
  maxClients: 10_000,
  headersTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  keepAliveTimeoutMs: 65_000,
  closeTimeoutMs: 3_000,
} as const satisfies Partial<NodeHttpServerOptions>;

export type HttpSettings = ReturnType<typeof checkHttpOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no key, token or secret. */
export function checkHttpOptions(given: NodeHttpServerOptions) {
  const others = ['port', 'tls', 'allow', 'auth'];
  const options = withDefaults('nodeHttpServer options', NODE_HTTP_SERVER_DEFAULTS, given, others);
  const host = checkHostPort(options);
  const isPath = typeof options.healthPath === 'string' && options.healthPath.startsWith('/');
  expectOption('healthPath', options.healthPath, isPath, 'a path that begins with `/`');
  for (const name of ['maxBodyBytes', 'maxHeaderBytes', 'maxBufferedBytes', 'maxClients'] as const) {
    expectWhole(name, options[name], 1);
  }
  for (const name of ['reloadIntervalMs', 'headersTimeoutMs', 'bodyTimeoutMs', 'keepAliveTimeoutMs'] as const) {
    expectMs(name, options[name], 1);
  }
  expectMs('closeTimeoutMs', options.closeTimeoutMs, 1);
  const certificate = options.tls === undefined ? null : new Certificate(options.tls);
  return { ...options, host, certificate, allow: checkAllow(options.allow), auth: checkAuth(options.auth) };
}

/** As it is checked: what is read for each request. */
export type HttpSecrets = { readonly bearer: readonly Secret[] } | { readonly hmac: Secret };

function checkAuth(auth: HttpAuth | undefined): HttpSecrets | null {
  if (auth === undefined) return null;
  const { bearer, hmac } = (auth ?? {}) as { readonly bearer?: unknown; readonly hmac?: unknown };
  const isOne = (bearer === undefined) !== (hmac === undefined);
  expectOption('auth', typeof auth, isOne, '`{ bearer: tokens }` or `{ hmac: secret }`');
  if (hmac !== undefined) return { hmac: usable('auth.hmac', hmac) };
  const isList = Array.isArray(bearer) && bearer.length > 0;
  expectOption('auth.bearer', typeof bearer, isList, 'a list of at least one token, none of them empty');
  return { bearer: (bearer as readonly unknown[]).map((token) => usable('auth.bearer', token)) };
}

function usable(name: string, given: unknown): Secret {
  const secret = expectSecret(name, given);
  secretNow(name, secret);
  return secret;
}

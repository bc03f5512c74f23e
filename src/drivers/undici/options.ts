import { expectMs, expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { ClientTls } from '../../security/client-tls.js';
import type { TlsConfig } from '../../security/tls-options.js';

export interface UndiciOptions {
  /** The maximum number of connections to one origin; further requests wait. Default 16. */
  readonly connections?: number;
  /** How long an idle connection is kept, unless the server says less, in milliseconds. Default 4,000. */
  readonly keepAliveTimeoutMs?: number;
  /** The time limit for connecting, TLS included, in milliseconds. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** The time limit for the status and headers of a response, in milliseconds. Default 30,000. */
  readonly headersTimeoutMs?: number;
  /** The longest a response body may stall, in milliseconds. Default 30,000. */
  readonly bodyTimeoutMs?: number;
  /**
   * How much of a response body is read and kept. If it is larger, the connection is closed and the response has what was read.
   * Default 1 MiB.
   */
  readonly maxResponseBytes?: number;
  /** TLS of `https`: which authorities and which certificate of ours. Default: Node's authorities. */
  readonly tls?: TlsConfig;
}

/** The defaults of `undici`. */
export const UNDICI_DEFAULTS = {
  connections: 16,
  keepAliveTimeoutMs: 4_000,
  connectTimeoutMs: 5_000,
  headersTimeoutMs: 30_000,
  bodyTimeoutMs: 30_000,
  maxResponseBytes: MiB,
  tls: {},
} as const satisfies UndiciOptions;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no key. */
export function checkOptions(given: UndiciOptions) {
  const options = withDefaults('undici options', UNDICI_DEFAULTS, given);
  expectWhole('connections', options.connections, 1, 10_000);
  expectMs('keepAliveTimeoutMs', options.keepAliveTimeoutMs, 1);
  expectMs('connectTimeoutMs', options.connectTimeoutMs, 1);
  expectMs('headersTimeoutMs', options.headersTimeoutMs, 1);
  expectMs('bodyTimeoutMs', options.bodyTimeoutMs, 1);
  expectWhole('maxResponseBytes', options.maxResponseBytes, 0, 64 * MiB);
  return { ...options, tls: new ClientTls('undici', options.tls) };
}

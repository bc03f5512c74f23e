import { expectMs, expectText, expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { Certificate } from './certificate.js';
import { checkAllow, checkHostPort, type ListenOptions, type ServerTls } from './listen-options.js';

interface StreamOptions {
  /** The most connections; a further one takes the slot of the one that is silent the longest. Default 10,000. */
  readonly maxClients?: number;
  /**
   * The longest a client may stay in the middle of a line, a frame or a TLS handshake, in milliseconds; then it is closed. What
   * the server makes it wait does not count. Default 60,000.
   */
  readonly stallTimeoutMs?: number;
  /** The longest `close` waits for clients to close, in milliseconds. Default 3,000. */
  readonly closeTimeoutMs?: number;
}

export interface TcpServerOptions extends ListenOptions, StreamOptions {
  /** TLS: the certificate and key, or a function that gives them. Default: none. */
  readonly tls?: ServerTls;
  /** How often a function given as `tls` is called, in milliseconds. Default 60,000. */
  readonly reloadIntervalMs?: number;
}

/** The defaults of `tcpServer`. */
export const TCP_SERVER_DEFAULTS = {
  host: '127.0.0.1',
  reloadIntervalMs: 60_000,
  maxClients: 10_000,
  stallTimeoutMs: 60_000,
  closeTimeoutMs: 3_000,
} as const satisfies Partial<TcpServerOptions>;

export interface UnixServerOptions extends StreamOptions {
  /** The path of the socket. One that a program left behind is removed; one that a program listens at is not. */
  readonly path: string;
}

/** The defaults of `unixServer`. */
export const UNIX_SERVER_DEFAULTS = {
  maxClients: 10_000,
  stallTimeoutMs: 60_000,
  closeTimeoutMs: 3_000,
} as const satisfies Partial<UnixServerOptions>;

export interface UdpServerOptions extends ListenOptions {
  /** The receive buffer asked of the system, which may give less (`net.core.rmem_max`). Default 4 MiB. */
  readonly receiveBufferBytes?: number;
}

/** The defaults of `udpServer`. */
export const UDP_SERVER_DEFAULTS = {
  host: '127.0.0.1',
  receiveBufferBytes: 4 * MiB,
} as const satisfies Partial<UdpServerOptions>;

/** What the server of streams needs, whichever way clients come. */
export type StreamSettings = ReturnType<typeof checkTcpOptions>['stream'];

function checkStream(options: Required<StreamOptions>): void {
  expectWhole('maxClients', options.maxClients, 1);
  expectMs('stallTimeoutMs', options.stallTimeoutMs, 1);
  expectMs('closeTimeoutMs', options.closeTimeoutMs, 1);
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no key. */
export function checkTcpOptions(given: TcpServerOptions) {
  const options = withDefaults('tcpServer options', TCP_SERVER_DEFAULTS, given, ['port', 'tls', 'allow']);
  const host = checkHostPort(options);
  checkStream(options);
  expectMs('reloadIntervalMs', options.reloadIntervalMs, 1);
  const certificate = options.tls === undefined ? null : new Certificate(options.tls);
  const { maxClients, stallTimeoutMs, closeTimeoutMs, reloadIntervalMs } = options;
  const stream = {
    certificate,
    allow: checkAllow(options.allow),
    maxClients,
    stallTimeoutMs,
    closeTimeoutMs,
    reloadIntervalMs,
  };
  return { host, port: options.port, stream };
}

export function checkUnixOptions(given: UnixServerOptions): { readonly path: string; readonly stream: StreamSettings } {
  const { path, ...options } = withDefaults('unixServer options', UNIX_SERVER_DEFAULTS, given, ['path']);
  expectText('path', path);
  checkStream(options);
  return { path, stream: { ...options, certificate: null, allow: null, reloadIntervalMs: 1 } };
}

export function checkUdpOptions(given: UdpServerOptions) {
  const options = withDefaults('udpServer options', UDP_SERVER_DEFAULTS, given, ['port', 'allow']);
  expectWhole('receiveBufferBytes', options.receiveBufferBytes, 1, 2 ** 31 - 1);
  return { ...options, host: checkHostPort(options), allow: checkAllow(options.allow) };
}

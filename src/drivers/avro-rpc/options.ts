import { readHostPort } from '../../core/address.js';
import { expectMs, expectOneOf, expectOption, expectWhole, withDefaults } from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { clientTls } from '../../security/client-tls.js';
import type { TlsConfig } from '../../security/tls-options.js';
import { Certificate } from '../node/certificate.js';
import { checkAllow, checkHostPort, type ServerTls } from '../node/listen-options.js';

/** Whether the bytes on the wire are deflated. Both sides must have the same. */
export type WireCompression = 'none' | 'deflate';

/**
 * Where deflate is when there is TLS too. `outside-tls`: what TLS made is deflated, as Flume 1.10 and later do it.
 * `inside-tls`: TLS carries what is deflated, as Flume up to 1.9 does it. The two do not understand each other.
 */
export type DeflateOrder = 'outside-tls' | 'inside-tls';

interface WireOptions {
  /** Default `none`. */
  readonly compression?: WireCompression;
  /** zlib's level, from 1 (quick) to 9 (small). Default 6. */
  readonly compressionLevel?: number;
  /** Default `outside-tls`. */
  readonly deflateOrder?: DeflateOrder;
  /** The largest frame taken from the other side, in bytes, from 1,024. Default 64 MiB. */
  readonly maxFrameBytes?: number;
}

export interface AvroRpcClientOptions extends WireOptions {
  /** The agents as `host:port`, best first; the port is 4141 where it is left out. At least one. */
  readonly agents: readonly string[];
  /** TLS: true, or which authorities and which certificate of ours. Default false. */
  readonly tls?: boolean | TlsConfig;
  /** The longest until a connection is open and both sides agree, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** The longest an agent may take to answer a batch, in milliseconds. Default 20,000. */
  readonly requestTimeoutMs?: number;
}

/** The defaults of `avroRpcClient`. */
export const AVRO_RPC_CLIENT_DEFAULTS = {
  tls: false,
  compression: 'none',
  compressionLevel: 6,
  deflateOrder: 'outside-tls',
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 20_000,
  maxFrameBytes: 64 * MiB,
} as const satisfies Partial<AvroRpcClientOptions>;

export interface AvroRpcServerOptions extends WireOptions {
  /** The port, 0 for any that is free. */
  readonly port: number;
  /** The address to listen at, such as 0.0.0.0 for agents of other machines. Default `127.0.0.1`. */
  readonly host?: string;
  /** TLS: the certificate and key, or a function that gives them. Files are read again when they have changed. Default: none. */
  readonly tls?: ServerTls;
  /** How often a function given as `tls` is called, in milliseconds. Default 60,000. */
  readonly reloadIntervalMs?: number;
  /** Who may connect: addresses, or networks such as `10.1.0.0/16`. Default: everyone. */
  readonly allow?: readonly string[];
  /** The most events in one batch, and a tenth of the most headers; a larger one is answered with an error. Default 100,000. */
  readonly maxBatchCount?: number;
  /** The most batches of one client that wait for an answer; beyond, nothing is received of it. Default 16. */
  readonly maxInFlight?: number;
  /**
   * The most clients connected at once. A further one gets the slot of one that sent nothing for `stallTimeoutMs` and waits
   * for nothing, or is sent away. Default 2,000.
   */
  readonly maxClients?: number;
  /** The most memory for frames that have begun and not ended, of all clients together. Default 256 MiB. */
  readonly maxBufferedBytes?: number;
  /**
   * The longest a client may stay in the middle of something: a TLS handshake, a frame from its first byte to its last,
   * an answer it does not read; in milliseconds. What the server itself makes it wait does not count. Default 60,000.
   */
  readonly stallTimeoutMs?: number;
  /** The longest `close` waits for answers to go out, in milliseconds. Default 3,000. */
  readonly closeTimeoutMs?: number;
}

/** The defaults of `avroRpcServer`. */
export const AVRO_RPC_SERVER_DEFAULTS = {
  host: '127.0.0.1',
  reloadIntervalMs: 60_000,
  compression: 'none',
  compressionLevel: 6,
  deflateOrder: 'outside-tls',
  maxFrameBytes: 64 * MiB,
  maxBatchCount: 100_000,
  maxInFlight: 16,
  maxClients: 2_000,
  maxBufferedBytes: 256 * MiB,
  stallTimeoutMs: 60_000,
  closeTimeoutMs: 3_000,
} as const satisfies Partial<AvroRpcServerOptions>;

/** Of Flume's own examples. */
const DEFAULT_PORT = 4_141;

export type ClientSettings = ReturnType<typeof checkClientOptions>;
export type ServerSettings = ReturnType<typeof checkServerOptions>;
/** How the bytes of a connection are wrapped. */
export type Wire = Pick<Required<WireOptions>, 'compression' | 'compressionLevel' | 'deflateOrder'>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkClientOptions(given: AvroRpcClientOptions) {
  const options = withDefaults('avroRpcClient options', AVRO_RPC_CLIENT_DEFAULTS, given, ['agents']);
  const { agents, tls } = options;
  expectOption('agents', agents, Array.isArray(agents) && agents.length > 0, 'a list of at least one `host:port`');
  const isTls = typeof tls === 'boolean' || (typeof tls === 'object' && tls !== null);
  expectOption('tls', tls, isTls, 'true, false or an object of options');
  checkWire(options);
  expectMs('connectTimeoutMs', options.connectTimeoutMs, 1);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  const addresses = agents.map((agent, at) => readHostPort(`agents[${at}]`, agent, DEFAULT_PORT));
  return { ...options, agents: addresses, tls: clientTls('avroRpcClient', tls) };
}

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no key. */
export function checkServerOptions(given: AvroRpcServerOptions) {
  const options = withDefaults('avroRpcServer options', AVRO_RPC_SERVER_DEFAULTS, given, ['port', 'tls', 'allow']);
  const host = checkHostPort(options);
  checkWire(options);
  expectWhole('maxBatchCount', options.maxBatchCount, 1);
  expectWhole('maxInFlight', options.maxInFlight, 1);
  expectWhole('maxClients', options.maxClients, 1);
  expectWhole('maxBufferedBytes', options.maxBufferedBytes, 1);
  expectMs('stallTimeoutMs', options.stallTimeoutMs, 1);
  expectMs('closeTimeoutMs', options.closeTimeoutMs, 1);
  expectMs('reloadIntervalMs', options.reloadIntervalMs, 1);
  const certificate = options.tls === undefined ? null : new Certificate(options.tls);
  return { ...options, host, certificate, allow: checkAllow(options.allow) };
}

function checkWire(options: Required<WireOptions>): void {
  expectOneOf('compression', options.compression, ['none', 'deflate']);
  expectWhole('compressionLevel', options.compressionLevel, 1, 9);
  expectOneOf('deflateOrder', options.deflateOrder, ['outside-tls', 'inside-tls']);
  expectWhole('maxFrameBytes', options.maxFrameBytes, 1_024, 2 ** 30);
}

import { expectMs, expectOneOf, expectOption, expectText, expectWhole, withDefaults } from '../../core/options.js';
import type { SecretText } from '../../core/secret.js';
import { ClientTls } from '../../security/client-tls.js';
import type { TlsConfig } from '../../security/tls-options.js';
import { parseAddress } from './address.js';

export interface AmqplibOptions {
  /**
   * The brokers, as `amqp://host:port/vhost` or `amqps://…`, in the order in which they are tried; a connection lost is
   * first made anew to the one that answered last. The virtual host must be the same in all.
   */
  readonly urls: readonly string[];
  /** The virtual host, if it is not in the URLs. Default `/`. */
  readonly vhost?: string;
  /** Default: as in the URL, else `guest`. Never shown. */
  readonly user?: string;
  /** A password, or a token where RabbitMQ takes tokens; read at each login. Default: as in the URL, else `guest`. Never shown. */
  readonly password?: SecretText;
  /**
   * `plain`: by user and password. `external`: by the client certificate in `tls`, whose name is that of a user; with `amqps` only.
   * Default `plain`.
   */
  readonly mechanism?: 'plain' | 'external';
  /** How often `password` is read again while a connection is open; a new one is sent to the broker. Default 30,000. */
  readonly reloadIntervalMs?: number;
  /** TLS of `amqps`: which authorities and which certificate of ours. Default: Node's authorities. */
  readonly tls?: TlsConfig;
  /** What the broker's own tools call the connections. Default `rxflume`. */
  readonly connectionName?: string;
  /**
   * The heartbeat interval in seconds, from 1; after two to three missed heartbeats the connection counts as lost. The broker
   * may require less. Default 10.
   */
  readonly heartbeatSeconds?: number;
  /** The time limit for connecting to one broker, and again for setting up the channel, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** The longest closing a channel or a connection may take, in milliseconds, before it is cut. Default 5,000. */
  readonly closeTimeoutMs?: number;
  /** The largest frame, in bytes, from 8,192 to 1 GiB; the broker may want less. Headers must fit one. Default 131,072. */
  readonly maxFrameBytes?: number;
  /**
   * The largest message to publish, in bytes; a larger one is nacked here, since the broker would close the channel.
   * Default: 128 MiB for brokers before 4.0, 16 MiB from then on, as they have it; a broker with less teaches it.
   */
  readonly maxMessageBytes?: number;
  /** How many channels share a connection, from 1 to 2,047. Consumers and publishers never share one. Default 16. */
  readonly channelsPerConnection?: number;
}

/** The defaults of `amqplib`. */
export const AMQPLIB_DEFAULTS = {
  vhost: '/',
  user: 'guest',
  password: 'guest',
  mechanism: 'plain',
  reloadIntervalMs: 30_000,
  tls: {},
  connectionName: 'rxflume',
  heartbeatSeconds: 10,
  connectTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  maxFrameBytes: 131_072,
  channelsPerConnection: 16,
} as const satisfies Partial<AmqplibOptions>;

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no user and no password. */
export function checkOptions(given: AmqplibOptions) {
  const options = withDefaults('amqplib options', AMQPLIB_DEFAULTS, given, ['urls', 'maxMessageBytes']);
  const { urls, vhost, user, password, maxMessageBytes } = given;
  expectOption('urls', urls, Array.isArray(urls) && urls.length > 0, 'a list of at least one `amqp://host:port/vhost`');
  if (vhost !== undefined) expectText('vhost', vhost);
  expectOption('user', '…', user === undefined || (typeof user === 'string' && user !== ''), 'a non-empty string');
  expectOneOf('mechanism', options.mechanism, ['plain', 'external']);
  const brokers = urls.map((url, at) => parseAddress(`urls[${at}]`, url, given));
  const vhosts = [...new Set(brokers.map((broker) => broker.vhost))];
  expectOption('urls', vhosts.join(', '), vhosts.length === 1, 'brokers of one virtual host');
  expectText('connectionName', options.connectionName);
  const tls = new ClientTls('amqplib', options.tls);
  if (options.mechanism === 'external') {
    const { cert, pfx } = options.tls as TlsConfig;
    const isWhole = (cert !== undefined || pfx !== undefined) && brokers.every(({ isTls }) => isTls);
    expectOption('mechanism', 'external', isWhole, "'plain' without `amqps` and a client certificate in `tls`");
    const isAlone = user === undefined && password === undefined;
    expectOption('mechanism', 'external', isAlone, "'plain' with `user` or `password`");
  }
  expectWhole('heartbeatSeconds', options.heartbeatSeconds, 1, 65_535);
  expectMs('reloadIntervalMs', options.reloadIntervalMs, 1);
  expectMs('connectTimeoutMs', options.connectTimeoutMs, 1);
  expectMs('closeTimeoutMs', options.closeTimeoutMs, 1);
  expectWhole('maxFrameBytes', options.maxFrameBytes, 8_192, 2 ** 30);
  expectWhole('channelsPerConnection', options.channelsPerConnection, 1, 2_047);
  if (maxMessageBytes !== undefined) expectWhole('maxMessageBytes', maxMessageBytes, 1);
  const sharedVhost = vhosts[0] as string;
  return {
    ...options,
    tls,
    name: `amqp ${brokers.map((broker) => broker.name).join(',')}/${sharedVhost === '/' ? '' : sharedVhost}`,
    brokers,
    vhost: sharedVhost,
  };
}

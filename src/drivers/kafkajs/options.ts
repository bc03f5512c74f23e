import { readHostPort } from '../../core/address.js';
import {
  expectMs,
  expectOneOf,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { expectSecret, type SecretText } from '../../core/secret.js';
import { MiB } from '../../core/units.js';
import { clientTls } from '../../security/client-tls.js';
import type { TlsConfig } from '../../security/tls-options.js';
import { saslOf } from './sasl.js';

/** How to log in. Secrets are read at each login, so also before a session ends, and never shown. */
export type KafkajsSasl =
  | {
      readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
      readonly username: string;
      readonly password: SecretText;
    }
  | {
      readonly mechanism: 'aws';
      readonly authorizationIdentity: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: SecretText;
      readonly sessionToken?: SecretText;
    }
  | {
      readonly mechanism: 'oauthbearer';
      /** The token, which must outlive the login by more than a second. */
      readonly token: SecretText;
      /** Sent beside the token, such as `{ logicalCluster: 'lkc-1' }`. */
      readonly extensions?: Readonly<Record<string, string>>;
    }
  | { readonly mechanism: 'oauthbearer'; readonly oauthBearerProvider: () => Promise<{ readonly value: string }> }
  | { readonly mechanism: string; readonly authenticationProvider: (...given: never[]) => unknown };

export interface ReconnectOptions {
  /** How often in a row a lost connection is made anew before the stream fails; 0 never. Default 10. */
  readonly maxAttempts: number;
  /** Before the first new attempt, in milliseconds; each further delay doubles, less up to half at random. Default 500. */
  readonly firstDelayMs: number;
  /** The longest delay, in milliseconds. Default 30,000. */
  readonly maxDelayMs: number;
}

export interface KafkajsOptions {
  /**
   * Where to start asking for the cluster, as `host:port`, `[IPv6]:port`, or the host alone, whose port is 9092; the rest is
   * learnt from the cluster. At least one.
   */
  readonly brokers: readonly string[];
  /** What the brokers' logs and quotas call us. Default `rxflume`. */
  readonly clientId?: string;
  /** TLS: true, or which authorities and which certificate of ours. Default false. */
  readonly tls?: boolean | TlsConfig;
  readonly sasl?: KafkajsSasl;
  /** The longest connecting may take, topics looked up included, in milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** The longest a broker may take to answer, in milliseconds. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** The longest leaving the group may take before the sockets are destroyed, in milliseconds. Default 3,000. */
  readonly closeTimeoutMs?: number;
  /** After a connection that had been made is lost. */
  readonly reconnect?: Partial<ReconnectOptions>;
  /** The longest the broker waits for members to rejoin, in milliseconds; above `revokeTimeoutMs`. Default 60,000. */
  readonly rebalanceTimeoutMs?: number;
  /** Under a third of the session timeout is good, in milliseconds. Default 3,000, or less for a short session. */
  readonly heartbeatIntervalMs?: number;
  /** How often the cluster is asked for new partitions, and for new topics of a pattern, in milliseconds. Default 60,000. */
  readonly metadataMaxAgeMs?: number;
  /** The most bytes one compressed batch of records may inflate to. Default 64 MiB. */
  readonly maxBatchBytes?: number;
  /**
   * Who reads records out of what was fetched. `lean` notes where each begins, makes its key, value and headers when they
   * are asked for, and rejects a batch whose lengths, count or offsets contradict each other; `kafkajs` is the decoder of
   * kafkajs itself, at five times the CPU time, for comparison. A value kept for long keeps its batch alive unless it
   * is copied (`Buffer.from(value)`), with `kafkajs` and over TLS its whole fetch. Default `lean`.
   */
  readonly recordDecoder?: RecordDecoder;
  /**
   * Whether the CRC-32C of each batch is verified, at about 0.25 µs for a record of 200 bytes; TCP and the broker's disks
   * have checks of their own. With `lean` only. Default false.
   */
  readonly checkCrc?: boolean;
}

export type RecordDecoder = 'lean' | 'kafkajs';

/** The defaults of `kafkajs`. */
export const KAFKAJS_DEFAULTS = {
  clientId: 'rxflume',
  tls: false,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  closeTimeoutMs: 3_000,
  reconnect: { maxAttempts: 10, firstDelayMs: 500, maxDelayMs: 30_000 },
  rebalanceTimeoutMs: 60_000,
  heartbeatIntervalMs: 3_000,
  metadataMaxAgeMs: 60_000,
  maxBatchBytes: 64 * MiB,
  recordDecoder: 'lean',
  checkCrc: false,
} as const satisfies Partial<KafkajsOptions>;

export const DEFAULT_BROKER_PORT = 9_092;

const RECORD_DECODERS: readonly RecordDecoder[] = ['lean', 'kafkajs'];
const MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512', 'aws', 'oauthbearer'];

export type CheckedOptions = ReturnType<typeof checkOptions>;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`, which shows no secret. */
export function checkOptions(given: KafkajsOptions) {
  const options = {
    ...withDefaults('kafkajs options', KAFKAJS_DEFAULTS, given, ['brokers', 'sasl']),
    reconnect: groupWithDefaults('reconnect', KAFKAJS_DEFAULTS.reconnect, given.reconnect),
  };
  const { brokers } = options;
  const isList = Array.isArray(brokers) && brokers.length > 0;
  expectOption('brokers', brokers, isList, 'a list of at least one `host:port`');
  const names = brokers.map((broker, at) => readHostPort(`brokers[${at}]`, broker, DEFAULT_BROKER_PORT).name);
  expectText('clientId', options.clientId);
  const isTls = typeof options.tls === 'boolean' || (typeof options.tls === 'object' && options.tls !== null);
  expectOption('tls', options.tls, isTls, 'true, false or an object of options');
  const tls = clientTls('kafkajs', options.tls);
  const sasl = checkSasl(options.sasl);
  expectMs('connectTimeoutMs', options.connectTimeoutMs, 1);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  expectMs('closeTimeoutMs', options.closeTimeoutMs, 1);
  expectWhole('reconnect.maxAttempts', options.reconnect.maxAttempts, 0);
  expectMs('reconnect.firstDelayMs', options.reconnect.firstDelayMs);
  expectMs('reconnect.maxDelayMs', options.reconnect.maxDelayMs);
  expectMs('rebalanceTimeoutMs', options.rebalanceTimeoutMs, 1);
  expectMs('heartbeatIntervalMs', options.heartbeatIntervalMs, 1);
  expectMs('metadataMaxAgeMs', options.metadataMaxAgeMs, 1);
  expectWhole('maxBatchBytes', options.maxBatchBytes, 1, 2 ** 31 - 1);
  const { recordDecoder, checkCrc } = options;
  expectOneOf('recordDecoder', recordDecoder, RECORD_DECODERS);
  expectOption('checkCrc', checkCrc, typeof checkCrc === 'boolean', 'true or false');
  const canCheck = !checkCrc || recordDecoder === 'lean';
  expectOption('checkCrc', checkCrc, canCheck, 'false with `recordDecoder: kafkajs`, which does not check the CRC');
  return { ...options, brokers: names, tls, sasl, secrets: textsOf(given) };
}

function checkSasl(sasl: KafkajsSasl | undefined) {
  if (sasl === undefined) return undefined;
  expectOption('sasl', typeof sasl, typeof sasl === 'object' && sasl !== null, 'an object with a `mechanism`');
  expectText('sasl.mechanism', sasl.mechanism);
  const { mechanism: given, ...fields } = sasl as Record<string, unknown> & { readonly mechanism: string };
  if ('authenticationProvider' in sasl) return saslOf(given, fields, {});
  const mechanism = given.toLowerCase();
  expectOption('sasl.mechanism', mechanism, MECHANISMS.includes(mechanism), `one of ${MECHANISMS.join(', ')}`);
  if (mechanism === 'plain' || mechanism.startsWith('scram')) expectText('sasl.username', fields.username);
  const isToken = mechanism === 'oauthbearer' && fields.oauthBearerProvider === undefined;
  const needed = { oauthbearer: isToken ? ['token'] : [], aws: ['secretAccessKey'] }[mechanism] ?? ['password'];
  const named = [...needed, ...(fields.sessionToken === undefined ? [] : ['sessionToken'])];
  const secrets = named.map((name) => [name, expectSecret(`sasl.${name}`, fields[name])] as const);
  return saslOf(mechanism, fields, Object.fromEntries(secrets));
}

/** The texts in the options that must not be shown, also those that are too short to be looked for everywhere. */
function textsOf({ sasl, tls }: KafkajsOptions): readonly string[] {
  const holders = [sasl, tls].filter((one) => typeof one === 'object' && one !== null) as Record<string, unknown>[];
  const names = ['password', 'secretAccessKey', 'sessionToken', 'token', 'passphrase', 'key'];
  const texts = holders.flatMap((holder) => names.map((name) => holder[name]));
  return texts.filter((text): text is string => typeof text === 'string' && text !== '');
}

export function secretsOf({ secrets }: Pick<CheckedOptions, 'secrets'>): readonly string[] {
  return secrets;
}

import { isIP } from 'node:net';
import { urlAddressProblem } from '../../core/address.js';
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
import { ClientTls } from '../../security/client-tls.js';
import { checkKerberos, type KerberosLogin } from '../../security/kerberos/options.js';
import type { TlsConfig } from '../../security/tls-options.js';

/** How often, and how far apart, an exchange is tried again. */
export interface RetryOptions {
  /** How often all the NameNodes are asked before giving up; 1 is no retry. Default 4. */
  readonly maxAttempts: number;
  /** The wait before the second attempt, doubled at each further one, with jitter. Default 200. */
  readonly firstDelayMs: number;
  /** The longest wait between two attempts. Default 5,000. */
  readonly maxDelayMs: number;
}

export interface WebHdfsOptions {
  /** The NameNodes (or HttpFS servers, or gateways) as http or https URLs; a base path such as `/gateway/default` may follow. */
  readonly nameNodes: readonly string[];
  /** Who to be where the cluster uses simple authentication (`user.name`). Default: the cluster's anonymous user. */
  readonly user?: string;
  /** A delegation token, read before each request. Sent to the NameNodes instead of `user`. */
  readonly delegationToken?: SecretText;
  /**
   * Logs in by Kerberos to get a delegation token, which is renewed and replaced in time, and sent instead of `user`. Needs the package
   * `kerberos`.
   */
  readonly kerberos?: KerberosLogin;
  /**
   * The header `authorization` for a gateway before HDFS, such as `secret.basic('flume', secret.file(…))` or `secret.bearer(…)`. Read
   * before each request, and sent to `nameNodes` only, which must all be https.
   */
  readonly authorization?: SecretText;
  /** `webhdfs`: NameNode, then DataNode. `httpfs`: everything through the one server. Default `webhdfs`. */
  readonly mode?: 'webhdfs' | 'httpfs';
  /** Where to reach DataNodes whose own name is not reachable from here: `host` or `host:port` → `host` or `host:port`. */
  readonly hostMap?: Readonly<Record<string, string>>;
  /**
   * The hosts at which DataNodes are, each exact or as `*.domain`: to others nothing is sent. Default: any that is not
   * link-local (cloud metadata), nor this machine where the NameNode is another.
   */
  readonly dataNodes?: readonly string[];
  /** TLS of `https`: which authorities and which certificate of ours. Default: Node's authorities. */
  readonly tls?: TlsConfig;
  /** Copies kept of each block, from 1. Default: the cluster's. */
  readonly replication?: number;
  /** Block size of new files in bytes, from 1. Default: the cluster's. */
  readonly blockSizeBytes?: number;
  /** Permission of new files, octal, such as `640`. Default: the cluster's. */
  readonly permission?: string;
  /** The longest one request may take until its answer is whole. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** The longest a connection may take to open. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** The longest a body may make no progress, either way. A file without a write under way may idle as long as it likes. Default 60,000. */
  readonly idleTimeoutMs?: number;
  readonly retry?: Partial<RetryOptions>;
  /** The longest to wait for a NameNode to leave safe mode. Default 120,000. */
  readonly safeModeTimeoutMs?: number;
  /** A JSON answer larger than this is rejected. A folder takes about 300 bytes an entry. Default 64 MiB. */
  readonly maxResponseBytes?: number;
}

/** The defaults of `webhdfs`. */
export const WEBHDFS_DEFAULTS = {
  mode: 'webhdfs',
  requestTimeoutMs: 30_000,
  connectTimeoutMs: 5_000,
  idleTimeoutMs: 60_000,
  retry: { maxAttempts: 4, firstDelayMs: 200, maxDelayMs: 5_000 },
  safeModeTimeoutMs: 120_000,
  maxResponseBytes: 64 * MiB,
} as const satisfies Partial<WebHdfsOptions>;

export type Settings = ReturnType<typeof checkOptions>;

const OWN = [
  'nameNodes',
  'user',
  'delegationToken',
  'kerberos',
  'authorization',
  'hostMap',
  'dataNodes',
  'tls',
  'replication',
  'blockSizeBytes',
  'permission',
] as const;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: WebHdfsOptions) {
  const options = {
    ...withDefaults('webhdfs options', WEBHDFS_DEFAULTS, given, OWN),
    retry: groupWithDefaults('retry', WEBHDFS_DEFAULTS.retry, given.retry),
  };
  checkRetry(options.retry);
  expectOneOf('mode', options.mode, ['webhdfs', 'httpfs']);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  expectMs('connectTimeoutMs', options.connectTimeoutMs, 1);
  expectMs('idleTimeoutMs', options.idleTimeoutMs, 1);
  expectMs('safeModeTimeoutMs', options.safeModeTimeoutMs);
  expectWhole('maxResponseBytes', options.maxResponseBytes, 1_024);
  if (given.user !== undefined) expectText('user', given.user);
  const isOne = given.kerberos === undefined || given.delegationToken === undefined;
  expectOption('kerberos', 'both', isOne, 'given without `delegationToken`');
  const nameNodes = checkNameNodes(given.nameNodes);
  const plain = given.authorization === undefined ? undefined : nameNodes.find(({ protocol }) => protocol === 'http:');
  expectOption('nameNodes', plain?.origin, plain === undefined, 'https URLs, since `authorization` is given');
  return {
    ...options,
    nameNodes,
    user: given.user,
    delegationToken:
      given.delegationToken === undefined ? undefined : expectSecret('delegationToken', given.delegationToken),
    kerberos: given.kerberos === undefined ? undefined : checkKerberos('kerberos', given.kerberos),
    authorization: given.authorization === undefined ? undefined : expectSecret('authorization', given.authorization),
    hostMap: checkHostMap(given.hostMap),
    dataNodes: checkDataNodes(given.dataNodes),
    tls: new ClientTls('webhdfs', given.tls === undefined ? {} : given.tls),
    creation: checkCreation(given),
  };
}

function checkNameNodes(nameNodes: readonly string[]): URL[] {
  expectOption('nameNodes', nameNodes, Array.isArray(nameNodes) && nameNodes.length > 0, 'a list of at least one URL');
  return nameNodes.map((text, index) => {
    const name = `nameNodes[${index}]`;
    const rule = 'an http or https URL such as http://nn1:9870, without user, query or fragment';
    const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : null;
    // What is before an @, or in a query, may be a secret.
    const shown = typeof text === 'string' ? text.replace(/\/\/.*@/, '//***@').replace(/\?.*/, '?***') : text;
    expectOption(name, shown, url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '', rule);
    expectOption(name, shown, !url!.username && !url!.password && !url!.search && !url!.hash, rule);
    const problem = urlAddressProblem(text);
    expectOption(name, shown, problem === null, `${rule}, ${problem}`);
    return new URL(url!.href.replace(/\/+$/, ''));
  });
}

function checkHostMap(hostMap: Readonly<Record<string, string>> = {}): Map<string, string> {
  expectOption('hostMap', hostMap, typeof hostMap === 'object' && hostMap !== null, 'an object of host names');
  const host = /^(\[[0-9a-fA-F:.]+\]|[^\s/@:?#]+)(:\d{1,5})?$/;
  for (const [from, to] of Object.entries(hostMap)) {
    expectOption(`hostMap['${from}']`, from, host.test(from), 'a `host` or `host:port`');
    expectOption(`hostMap['${from}']`, to, typeof to === 'string' && host.test(to), 'a `host` or `host:port`');
  }
  return new Map(Object.entries(hostMap).map(([from, to]) => [from.toLowerCase(), to]));
}

/** Also for the driver webhdfs-package. */
export function checkDataNodes(dataNodes: readonly string[] | undefined): readonly string[] | undefined {
  if (dataNodes === undefined) return undefined;
  const rule = 'a list of hosts, each a name, an address or `*.domain`';
  const isHost = (host: unknown) =>
    typeof host === 'string' && (isIP(host) !== 0 || /^(\*\.)?[^\s/@?#*[\]:]+$/.test(host));
  expectOption(
    'dataNodes',
    dataNodes,
    Array.isArray(dataNodes) && dataNodes.length > 0 && dataNodes.every(isHost),
    rule,
  );
  return dataNodes;
}

/** Also for the driver webhdfs-package. */
export function checkRetry({ maxAttempts, firstDelayMs, maxDelayMs }: RetryOptions): void {
  expectWhole('retry.maxAttempts', maxAttempts, 1, 1_000);
  expectMs('retry.firstDelayMs', firstDelayMs);
  expectMs('retry.maxDelayMs', maxDelayMs);
}

/** Query parameters of every CREATE. Also for the driver webhdfs-package. */
export function checkCreation({
  replication,
  blockSizeBytes,
  permission,
}: Pick<WebHdfsOptions, 'replication' | 'blockSizeBytes' | 'permission'>): Record<string, string> {
  if (replication !== undefined) expectWhole('replication', replication, 1, 32_767);
  if (blockSizeBytes !== undefined) expectWhole('blockSizeBytes', blockSizeBytes, 1);
  const octal = typeof permission === 'string' && /^[01]?[0-7]{3}$/.test(permission);
  expectOption('permission', permission, permission === undefined || octal, 'an octal permission such as 640');
  return {
    ...(replication !== undefined && { replication: String(replication) }),
    ...(blockSizeBytes !== undefined && { blocksize: String(blockSizeBytes) }),
    ...(permission !== undefined && { permission }),
  };
}

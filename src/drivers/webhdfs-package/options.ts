import { readHostPort, shownHostPort } from '../../core/address.js';
import {
  expectMs,
  expectOption,
  expectText,
  expectWhole,
  groupWithDefaults,
  withDefaults,
} from '../../core/options.js';
import { MiB } from '../../core/units.js';
import { checkCreation, checkDataNodes, checkRetry, type WebHdfsOptions } from '../webhdfs/options.js';

/** What means the same for the driver `webhdfs`, and what only the package has. */
export interface WebHdfsPackageOptions
  extends Pick<
    WebHdfsOptions,
    'dataNodes' | 'replication' | 'blockSizeBytes' | 'requestTimeoutMs' | 'retry' | 'maxResponseBytes'
  > {
  /** What `createClient` of the package is given: the NameNode or HttpFS server, and who to be. Its own defaults hold. */
  readonly client: {
    readonly host: string;
    /** Default: the package's, which is Hadoop 2's 50070; Hadoop 3 has 9870. */
    readonly port?: number | string;
    /** Default: the package's, `/webhdfs/v1`. */
    readonly path?: string;
    readonly user?: string;
    readonly protocol?: 'http' | 'https';
  };
  /**
   * The second argument of `createClient`: options of `request` for every request, such as `{ auth, agentOptions }`, but
   * not which redirects to follow: `dataNodes` says that.
   */
  readonly requestParams?: Readonly<Record<string, unknown>>;
  /** Permission of new files, octal. Default: the package's, 0755. */
  readonly permission?: string;
  /** The longest a write may wait for its bytes to be taken. Default 60,000. */
  readonly idleTimeoutMs?: number;
}

/** The defaults of `webhdfsPackage`. */
export const WEBHDFS_PACKAGE_DEFAULTS = {
  requestTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  retry: { maxAttempts: 4, firstDelayMs: 200, maxDelayMs: 5_000 },
  maxResponseBytes: 64 * MiB,
} as const satisfies Partial<WebHdfsPackageOptions>;

export type Settings = ReturnType<typeof checkOptions>;

const OWN = ['client', 'requestParams', 'dataNodes', 'replication', 'blockSizeBytes', 'permission'] as const;

/** Fills in the defaults and checks all of it, once. Throws `OptionError`. */
export function checkOptions(given: WebHdfsPackageOptions) {
  const defaults = WEBHDFS_PACKAGE_DEFAULTS;
  const options = {
    requestParams: {},
    ...withDefaults('webhdfsPackage options', defaults, given, OWN),
    retry: groupWithDefaults('retry', defaults.retry, given.retry),
  };
  checkRetry(options.retry);
  expectMs('requestTimeoutMs', options.requestTimeoutMs, 1);
  expectMs('idleTimeoutMs', options.idleTimeoutMs, 1);
  expectWhole('maxResponseBytes', options.maxResponseBytes, 1_024);
  checkClient(given.client);
  const client = { ...given.client, host: bareHost(given.client.host) };
  const { requestParams } = options;
  const isObject = typeof requestParams === 'object' && requestParams !== null;
  expectOption('requestParams', typeof requestParams, isObject, 'an object, as `createClient` takes it');
  for (const name of ['followRedirect', 'followAllRedirects']) {
    const value = (requestParams as Record<string, unknown>)[name];
    expectOption(`requestParams.${name}`, value, value === undefined, 'left out: `dataNodes` says what is followed');
  }
  const dataNodes = checkDataNodes(given.dataNodes);
  return { ...options, client, dataNodes, creation: { overwrite: 'false', ...checkCreation(given) } };
}

/** As the package takes it: an IPv6 address without brackets. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function checkClient(client: WebHdfsPackageOptions['client']): void {
  const isObject = typeof client === 'object' && client !== null;
  expectOption('client', typeof client, isObject, 'an object, as `createClient` takes it');
  expectText('client.host', client.host);
  readHostPort('client.host', shownHostPort(bareHost(client.host)), 1);
  const { port, path, user, protocol } = client;
  const isPort = port === undefined || (/^\d{1,5}$/.test(String(port)) && Number(port) >= 1 && Number(port) <= 65_535);
  expectOption('client.port', port, isPort, 'a port from 1 to 65535');
  if (path !== undefined) expectOption('client.path', path, /^\/.*[^/]$/.test(path), 'a path such as /webhdfs/v1');
  if (user !== undefined) expectText('client.user', user);
  const isProtocol = protocol === undefined || protocol === 'http' || protocol === 'https';
  expectOption('client.protocol', protocol, isProtocol, "'http' or 'https'");
}

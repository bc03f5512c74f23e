import { isIP } from 'node:net';
import type { ConnectionOptions, SecureContext } from 'node:tls';
import { defaultMonitor } from '../core/monitor.js';
import { TlsContext } from './tls-context.js';
import { type CheckedClient, checkClient, type TlsConfig } from './tls-options.js';

/** What Node's `tls.connect` takes, and its `https` with it. */
export type ClientConnection = Pick<ConnectionOptions, 'rejectUnauthorized' | 'minVersion'> & {
  readonly secureContext?: SecureContext;
  readonly servername?: string;
};

/** TLS of one driver to its servers: what each new connection is made with. */
export class ClientTls {
  readonly #options: CheckedClient;
  readonly #context: TlsContext | null;
  readonly #where: string;
  #hasWarned = false;

  /** Throws `OptionError`. `where` is the driver, as a warning names it. */
  constructor(where: string, tls: TlsConfig) {
    this.#options = checkClient('tls', tls);
    this.#where = where;
    const { cert, pfx, ca } = this.#options;
    // Node's own authorities, and no certificate of ours.
    const isPlain = cert === undefined && pfx === undefined && ca.length === 0;
    this.#context = isPlain ? null : new TlsContext('tls', this.#options, ca);
    if (this.#options.isInsecure) process.emitWarning(this.#warning(), 'SecurityWarning');
  }

  /** The name that was given; undefined: that of each host. */
  get servername(): string | undefined {
    return this.#options.servername;
  }

  /** The options of one connection to a host, with the certificates as they are now. */
  connection(host: string): ClientConnection {
    const { servername, minVersion, isInsecure } = this.#options;
    if (isInsecure && !this.#hasWarned) {
      this.#hasWarned = true;
      defaultMonitor.logEvent('warn', 'tls.insecure', this.#warning());
    }
    const context = this.#context?.current;
    // TLS forbids to send an address as a name.
    const named = servername ?? (isIP(host) === 0 ? host : undefined);
    return {
      minVersion,
      rejectUnauthorized: !isInsecure,
      ...(named !== undefined && { servername: named }),
      ...(context !== undefined && { secureContext: context }),
    };
  }

  #warning(): string {
    return (
      `TLS of ${this.#where} accepts any certificate (\`tls.insecureSkipVerify\`): anyone on the way can read and change what is ` +
      'sent, passwords too. Pass the certificate of the authority in `tls.ca` instead.'
    );
  }
}

/** The option `tls` of a driver for which `true` is TLS with Node's own authorities. Null: no TLS. Throws `OptionError`. */
export function clientTls(where: string, tls: boolean | TlsConfig | undefined): ClientTls | null {
  return tls === undefined || tls === false ? null : new ClientTls(where, tls === true ? {} : tls);
}

import { OptionError } from './errors.js';

/** Where a server listens. */
export interface HostPort {
  /** As a socket takes it: an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it is shown, `host:port`, an IPv6 address in brackets. */
  readonly name: string;
}

/**
 * Reads `host:port`, `host`, `[IPv6]:port` or `[IPv6]`, where a zone may follow the IPv6 address: `[fe80::1%eth0]:9092`.
 *
 * Fails: `RXF_OPTION_INVALID` says what is wrong. Text before an `@` may be a password, so the value is not shown then.
 */
export function readHostPort(option: string, given: unknown, defaultPort: number): HostPort {
  const wrong = (rule: string): never => {
    const shown = String(given).includes('@') ? '…' : String(given);
    const message = `Expected \`${option}\` to be ${rule}, got \`${shown}\` (${given === null ? 'null' : typeof given}).`;
    throw new OptionError('RXF_OPTION_INVALID', message, { details: { option, rule } });
  };
  const example = `a \`host:port\` such as k1:${defaultPort} or [::1]:${defaultPort}`;
  if (typeof given !== 'string' || given === '') return wrong(example);
  if (given.includes('@')) return wrong(`${example}, without a user or password; use the options for these`);
  if (given.includes('://')) return wrong(`${example}, without a scheme`);
  if (/[/?#\\]/.test(given)) return wrong(`${example}, without a path`);
  if (/\s/.test(given)) return wrong(`${example}, without spaces`);
  const [, ipv6, name, digits] = /^(?:\[([^[\]]*)\]|([^:[\]%]+))(?::(\d*))?$/.exec(given) ?? [];
  if (ipv6 === undefined && name === undefined) {
    return wrong(isIpv6(given) ? `${example}: put an IPv6 address in brackets` : example);
  }
  if (ipv6 !== undefined && !isIpv6(ipv6)) return wrong(`${example}, with an IPv6 address in the brackets`);
  const port = digits === undefined ? defaultPort : Number(digits);
  if (digits === '' || port < 1 || port > 65_535) return wrong(`${example}, with a port from 1 to 65535`);
  const host = ipv6 ?? name ?? '';
  return { host, port, name: shownHostPort(host, port) };
}

/**
 * What is wrong with the host and port of a URL that `URL` accepts: it trims spaces, and allows port 0 or none after the colon.
 * Null if nothing is. The URL is not shown: it may contain a password.
 */
export function urlAddressProblem(url: string): string | null {
  if (/\s/.test(url)) return 'without spaces';
  const [, authority = ''] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url) ?? [];
  return /:0*$/.test(authority) ? 'with a port from 1 to 65535' : null;
}

/** `host:port`, or the host alone; an IPv6 address in brackets. */
export function shownHostPort(host: string, port?: number | string): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return port === undefined ? shown : `${shown}:${port}`;
}

/** An IPv6 address, with or without a zone. */
function isIpv6(text: string): boolean {
  const [, address = '', zone] = /^([0-9a-fA-F:.]+)(?:%(.*))?$/.exec(text) ?? [];
  return URL.canParse(`http://[${address}]/`) && (zone === undefined || /^[\w.~-]+$/.test(zone));
}

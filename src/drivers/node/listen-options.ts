import { BlockList, isIP } from 'node:net';
import { expectOption, expectWhole } from '../../core/options.js';
import type { ServerTlsConfig } from '../../security/tls-options.js';

/** A certificate and its key; or what gives them, called again from time to time. */
export type ServerTls = ServerTlsConfig | (() => ServerTlsConfig);

/** Where a server listens, and for whom. */
export interface ListenOptions {
  /** The port, 0 for any that is free. */
  readonly port: number;
  /** The address to listen at, such as 0.0.0.0 for clients of other machines. Default `127.0.0.1`. */
  readonly host?: string;
  /** Who may connect: addresses, or networks such as `10.1.0.0/16`. Default: everyone. */
  readonly allow?: readonly string[];
}

/** The port and the address, without the brackets of an IPv6 address. Throws `OptionError`. */
export function checkHostPort({ host, port }: { readonly host: string; readonly port: number }): string {
  expectWhole('port', port, 0, 65_535);
  const plain = String(host).replace(/^\[(.*)\]$/, '$1');
  expectOption('host', host, isIP(plain) !== 0, 'an IP address to listen at, such as 0.0.0.0 or ::');
  return plain;
}

/** Who may connect, as what can be asked; null: everyone. Throws `OptionError`. */
export function checkAllow(allow: readonly string[] | undefined): BlockList | null {
  if (allow === undefined) return null;
  expectOption('allow', allow, Array.isArray(allow) && allow.length > 0, 'a list of at least one address or network');
  const list = new BlockList();
  for (const [at, entry] of allow.entries()) {
    const [address = '', bits] = String(entry).split('/');
    const version = isIP(address);
    const prefix = bits === undefined ? undefined : Number(bits);
    const most = version === 6 ? 128 : 32;
    const isPrefix = prefix === undefined || (/^\d{1,3}$/.test(bits as string) && prefix <= most);
    expectOption(`allow[${at}]`, entry, version !== 0 && isPrefix, 'an address, or a network such as 10.1.0.0/16');
    const family = version === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, prefix, family);
  }
  return list;
}

/** Whether a client's address is on the list. */
export function isAllowed(allow: BlockList | null, address: string): boolean {
  if (allow === null) return true;
  // A socket for both families shows an IPv4 address as ::ffff:10.0.0.7.
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  return allow.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
}

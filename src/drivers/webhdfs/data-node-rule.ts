import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
// Where clouds tell a machine its secrets, besides 169.254.169.254.
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6');
LINK_LOCAL.addAddress('100.100.100.200', 'ipv4');

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('0.0.0.0', 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');
LOOPBACK.addAddress('::', 'ipv6');

/**
 * Why we do not go where a NameNode sends us, or null. Something that answers instead of it could have us ask anything that this
 * machine reaches, and write there.
 */
export function problemOfDataNode(location: URL, nameNode: URL, allowed: readonly string[] | undefined): string | null {
  if (location.username !== '' || location.password !== '') return 'it has user information, which no DataNode needs';
  if (nameNode.protocol === 'https:' && location.protocol === 'http:')
    return 'it is without TLS, and the NameNode has it';
  const host = bare(location.hostname);
  if (allowed !== undefined) return isListed(host, allowed) ? null : 'it is none of `dataNodes`';
  if (isWithin(LINK_LOCAL, host)) return 'its address is link-local, as those of cloud metadata are';
  if (isLoopback(host) && !isLoopback(bare(nameNode.hostname))) return 'it is this machine, and the NameNode is not';
  return null;
}

/** Looks names up, and rejects those that lead to a link-local address. */
export const lookupDataNode: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const found = Array.isArray(address) ? address.map((one) => one.address) : [address];
    if (error !== null || !found.some((one) => isWithin(LINK_LOCAL, one))) callback(error, address, family);
    else callback(new Error(`${hostname} has a link-local address, as cloud metadata has`), address, family);
  });
};

function isListed(host: string, allowed: readonly string[]): boolean {
  return allowed.some((one) =>
    one.startsWith('*.') ? host.endsWith(one.slice(1).toLowerCase()) : host === one.toLowerCase(),
  );
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || isWithin(LOOPBACK, host);
}

function isWithin(list: BlockList, host: string): boolean {
  const family = isIP(host);
  return family !== 0 && list.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$|\.$/g, '').toLowerCase();
}

import { domainToASCII } from 'node:url';
import { shownHostPort, urlAddressProblem } from '../../core/address.js';
import { OptionError } from '../../core/errors.js';
import { expectSecret, type Secret, type SecretText } from '../../core/secret.js';

/** One broker, with what it takes to be let in. Only `name` is ever shown. */
export interface Address {
  /** `host:port`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly vhost: string;
  readonly user: string;
  readonly password: Secret;
}

export interface Given {
  readonly vhost?: string;
  readonly user?: string;
  readonly password?: SecretText;
}

/** `amqp://user:password@host:port/vhost`, each part but the host optional; what is given beside it counts more. */
export function parseAddress(option: string, url: unknown, given: Given): Address {
  if (typeof url === 'string' && /\[[^\]]*%/.test(url))
    throw wrong(option, 'without a zone in the IPv6 address: URLs do not allow one');
  const parts = typeof url === 'string' ? urlOf(url) : null;
  const problem = typeof url === 'string' ? urlAddressProblem(url) : null;
  if (problem !== null) throw wrong(option, problem);
  const isTls = parts?.protocol === 'amqps:';
  if (parts === null || (!isTls && parts.protocol !== 'amqp:') || parts.hostname === '') {
    throw wrong(option, 'an `amqp://host:port/vhost` or `amqps://…`');
  }
  if (parts.search !== '' || parts.hash !== '') {
    throw wrong(option, 'without `?…` and `#…`: set `heartbeatSeconds`, `maxFrameBytes` and the others as options');
  }
  const vhost = decoded(option, parts.pathname.slice(1));
  if (vhost !== '' && given.vhost !== undefined && given.vhost !== vhost) {
    throw wrong(option, 'without a virtual host, or with the one of the option `vhost`');
  }
  const port = parts.port === '' ? (isTls ? 5_671 : 5_672) : Number(parts.port);
  const host = hostOf(option, parts.hostname);
  return {
    name: shownHostPort(host, port),
    host,
    port,
    isTls,
    vhost: vhost || given.vhost || '/',
    user: given.user ?? (decoded(option, parts.username) || 'guest'),
    password: expectSecret('password', given.password ?? (decoded(option, parts.password) || 'guest')),
  };
}

/** As a socket takes it. `URL` percent-encodes what is not ASCII, save in the schemes of the web. */
function hostOf(option: string, hostname: string): string {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  const host = domainToASCII(decoded(option, hostname));
  if (host === '') throw wrong(option, 'with a host name');
  return host;
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function decoded(option: string, text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(option, 'percent-encoded as a URL is');
  }
}

/** A URL may hold a password, wherever it is wrong, so it is not shown. */
function wrong(option: string, rule: string): OptionError {
  return new OptionError('RXF_OPTION_INVALID', `Expected \`${option}\` to be ${rule}.`, { details: { option, rule } });
}
